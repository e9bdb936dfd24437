"""``rsvlm-geo bench``: run the benchmark scripts of a checkout, and tell what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rsvlm_geo.errors import DataError

__all__ = ["bench", "bench_plot", "bench_table", "find_scripts", "read_reports", "read_results"]


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("benchmarks"),
    help="Where the scripts are: 'benchmarks' of a checkout.",
)
@click.option("--table-only", is_flag=True, help="Run nothing; rewrite the table from results.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Markdown page to write; the plot goes beside it.",
)
def bench(names: Sequence[str], folder: Path, table_only: bool, output: Path | None) -> None:
    """Run the benchmarks NAMES (all by default) and print one table."""
    scripts = find_scripts(folder)
    unknown = [name for name in names if name not in scripts]
    if unknown:
        raise DataError(
            f"no benchmark {', '.join(unknown)} in {folder}; take one of {', '.join(scripts)}"
        )
    failed = []
    for name in () if table_only else (names or scripts):
        click.echo(f"== {name}", err=True)
        done = subprocess.run([sys.executable, str(scripts[name])], check=False)
        if done.returncode != 0:
            failed.append(name)
    results = read_results(folder / "results")
    table = bench_table(results)
    click.echo(table)
    if output is not None:
        plot = output.with_suffix(".svg")
        plot.write_text(bench_plot(results), encoding="utf-8")
        page = _page(table, plot.name, read_reports(folder / "results"))
        output.write_text(page, encoding="utf-8")
    if failed:
        raise DataError(f"these benchmarks ended with an error: {', '.join(failed)}")


def find_scripts(folder: Path) -> dict[str, Path]:
    """Name -> script, for every ``bench_NAME.py`` of a folder.

    Raises:
        DataError: There is none.
    """
    found = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}
    if not found:
        raise DataError(
            f"no bench_*.py in {folder}; run this in a checkout of the repository, or pass --folder"
        )
    return found


def read_results(folder: Path) -> list[dict[str, Any]]:
    """What the scripts recorded with the harness, one dict per benchmark, by name."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    return [result for result in found if "name" in result]


def read_reports(folder: Path) -> str:
    """What longer scripts wrote as Markdown of their own, one after the other."""
    pages = [path.read_text("utf-8").strip() for path in sorted(folder.glob("*.md"))]
    return "\n\n".join(f"#{page}" if page.startswith("# ") else page for page in pages)


def bench_table(results: Sequence[dict[str, Any]]) -> str:
    """One Markdown table of every row, with n, spread and bar."""
    lines = [
        "| benchmark | measured | value | spread | n | compared with | bar |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for row in result.get("rows", []):
            spread = "" if row["low"] is None else f"{row['low']:.3g} to {row['high']:.3g}"
            verdict = {True: "met", False: "**missed**", None: ""}[row["met"]]
            bar = f"{row['bar']} {verdict}".strip() if row["bar"] else ""
            lines.append(
                f"| {result['name']} | {row['what']} | {row['value']:.3g} {row['unit']} | {spread} "
                f"| {row['n']} | {row['compared_with'] or ''} | {bar} |"
            )
    machines = {json.dumps(result.get("machine", {}), sort_keys=True) for result in results}
    lines.append("")
    for machine in sorted(machines):
        facts = json.loads(machine)
        lines.append("Measured on " + ", ".join(f"{k} {v}" for k, v in facts.items()) + ".")
    notes = [f"- **{r['name']}** ({r['date']}): {r['note']}" for r in results if r.get("note")]
    return "\n".join([*lines, "", *notes]).strip() + "\n"


def bench_plot(results: Sequence[dict[str, Any]]) -> str:
    """An SVG bar chart of every ratio against its baseline (1 = as fast)."""
    rows = [
        (f"{result['name']}: {row['what']}", row)
        for result in results
        for row in result.get("rows", [])
        if row["unit"] == "x"
    ]
    height = 30 * len(rows) + 40
    top = max([row["value"] for _, row in rows] or [1.0])
    scale = 330 / top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {height}" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12">',
        f'<rect width="860" height="{height}" fill="#fff"/>',
        f'<line x1="{460 + scale:.1f}" x2="{460 + scale:.1f}" y1="6" y2="{height - 28}" '
        'stroke="#4b5866" stroke-dasharray="4 3"/>',
        f'<text x="{460 + scale:.1f}" y="{height - 12}" text-anchor="middle" fill="#4b5866">'
        "the baseline</text>",
    ]
    for i, (label, row) in enumerate(rows):
        y = 30 * i + 8
        colour = "#b35900" if row["met"] is False else "#0f7b63"
        text = label.replace("&", "&amp;").replace("<", "&lt;")
        parts.append(
            f'<text x="450" y="{y + 15}" text-anchor="end" fill="#14202b">{text}</text>'
            f'<rect x="460" y="{y + 3}" width="{max(1.0, row["value"] * scale):.1f}" height="16" '
            f'rx="3" fill="{colour}"/>'
            f'<text x="{466 + row["value"] * scale:.1f}" y="{y + 15}" fill="#14202b">'
            f"{row['value']:.2f}x</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _page(table: str, plot: str, reports: str) -> str:
    return (
        "# Benchmarks\n\nOne command in a checkout runs every script and rewrites this page. The "
        "scripts below were run one by one, on the dates and under the loads that each names:\n\n"
        "```text\n$ rsvlm-geo bench -o docs/benchmarks.md\n```\n\n"
        "A ratio compares two things measured in one run, taken in turn; the dashed line is the "
        f"baseline.\n\n![Ratios against their baselines]({plot})\n\n{table}\n{reports}\n"
    )
