"""``rsvlm-geo bench``: run the benchmark scripts of a checkout, and tell what they measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from rsvlm_geo.bench.page import render_page
from rsvlm_geo.bench.plot import plot_rows
from rsvlm_geo.bench.scripts import (
    Section,
    chosen,
    find_sections,
    note_run,
    read_results,
    read_runs,
    run_script,
)
from rsvlm_geo.errors import DataError

__all__ = [
    "Section", "bench", "find_sections", "plot_rows", "read_results", "read_runs", "render_page",
    "write_page",
]  # fmt: skip


@click.command()
@click.argument("names", nargs=-1)
@click.option("--only", multiple=True, metavar="NAME", help="Run this one; may be repeated.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("benchmarks"),
    help="Where the scripts are: 'benchmarks' of a checkout.",
)
@click.option(
    "--from-results",
    "--table-only",
    is_flag=True,
    help="Run nothing; rewrite the page from what was measured before.",
)
@click.option("--timeout", default=600.0, show_default=True, help="Seconds for one script.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Markdown page to write; its plots go beside it.",
)
def bench(
    names: Sequence[str],
    only: Sequence[str],
    folder: Path,
    from_results: bool,
    timeout: float,
    output: Path | None,
) -> None:
    """Run the benchmarks NAMES (all by default) and write one page.

    A script that fails does not stop the others: the page says which, and why.
    """
    sections = find_sections(folder)
    failed = []
    for script in () if from_results else chosen(sections, (*names, *only)):
        click.echo(f"== {script.name}: {script.command}", err=True)
        run = run_script(script, timeout)
        note_run(folder, run)
        if output is not None:  # a run that is cut off leaves a page all the same
            write_page(sections, folder, output)
        if not run.ok:
            failed.append(script.name)
            click.echo(f"   {run.said}", err=True)
    page = write_page(sections, folder, output)
    click.echo(page)
    if failed:
        raise DataError(f"these benchmarks ended with an error: {', '.join(failed)}")


def write_page(sections: Sequence[Section], folder: Path, output: Path | None) -> str:
    """The page from what lies in ``folder/results``; with its plots, where there is a place.

    Args:
        sections: From :func:`find_sections`.
        folder: The scripts' folder.
        output: The Markdown file to write, or None.

    Returns:
        The page, Markdown.
    """
    results, runs = read_results(folder / "results"), read_runs(folder)
    plots: dict[str, str] = {}
    for section in sections:
        rows = [row for name in section.names for row in results.get(name, {}).get("rows", [])]
        drawing = plot_rows(rows)
        if drawing is not None and output is not None:
            plot = output.with_name(f"{output.stem}-{section.slug}.svg")
            plot.write_text(drawing, encoding="utf-8")
            plots[section.slug] = plot.name
    page = render_page(sections, results, runs, plots)
    if output is not None:
        output.write_text(page, encoding="utf-8")
    return page
