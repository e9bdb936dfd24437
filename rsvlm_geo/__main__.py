"""``python -m rsvlm_geo``: the same command line as ``rsvlm-geo``."""

from rsvlm_geo.cli import main

if __name__ == "__main__":
    main()
