"""``rsvlm-geo report``: one page about a saved run."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["report"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The HTML file; beside RUN by default."
)
@click.option("--scene", help="Where the scene is now, when it has moved since the run.")
def report(run: Path, output: Path | None, scene: str | None) -> None:
    """Write a self-contained page about RUN, a GeoPackage that a run wrote."""
    from rsvlm_geo.report import write_report

    click.echo(write_report(run, output or run.with_suffix(".html"), scene=scene))
