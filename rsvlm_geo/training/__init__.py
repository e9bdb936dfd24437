"""Train the pack ``rsvlm-mini`` from nothing: ``python -m rsvlm_geo.training all`` (needs torch).

The only part of the package, with ``export/``, that imports torch. ``recipe.toml`` is the one
config; every stage is seeded, writes a checkpoint every few minutes and resumes from it.
"""
