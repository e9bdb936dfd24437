"""The page: what was missed first, then a plot and a table for each area."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rsvlm_geo.bench.plot import number
from rsvlm_geo.bench.scripts import Run, Section

__all__ = ["render_page"]

_HEAD = """# Benchmarks

Everything here is measured by scripts in `benchmarks/`, each against what one would use instead.
One command in a checkout runs them all and writes this page and its plots:

```text
$ rsvlm-geo bench -o docs/benchmarks.md
```

`--only NAME` runs one script, `--from-results` rewrites the page without running anything. The
comparisons want `pip install 'rsvlm-geo[cpu,export,batch,bench]'`; what is missing is named in its
place.

**How to read it.** A ratio (x) is how many times as fast as the baseline named beside it; both were
measured in one run, taken in turn, and the ratio is the median of the rounds' own. 1 is as fast;
below 1 is slower. *Spread* is the smallest and largest of n rounds. A *bar* is what we hold
ourselves to; a missed one stays on the page until it is met. In the plots the dashed line is the
baseline, the thin line is the spread, the mark is the bar."""

Results = Mapping[str, Mapping[str, Any]]


def render_page(
    sections: Sequence[Section], results: Results, runs: Mapping[str, Run], plots: Mapping[str, str]
) -> str:
    """The whole page.

    Args:
        sections: What belongs together.
        results: Name -> what its script recorded.
        runs: Name -> how it ended when last run.
        plots: Section's slug -> file name of its plot.

    Returns:
        Markdown.
    """
    parts = [_HEAD, _verdict(sections, results, runs), _machines(results)]
    parts += [_section(section, results, runs, plots.get(section.slug)) for section in sections]
    return "\n\n".join(part for part in parts if part).strip() + "\n"


def _verdict(sections: Sequence[Section], results: Results, runs: Mapping[str, Run]) -> str:
    """Bars met, and every one that was missed."""
    missed, met = [], 0
    for section in sections:
        for name in section.names:
            for row in results.get(name, {}).get("rows", []):
                met += row["met"] is True
                if row["met"] is False:
                    beside = f" ({_beside(row)})" if row["compared_with"] else ""
                    missed.append(
                        f"- [{section.title}](#{section.slug}): {row['what']}, "
                        f"**{_value(row)}**, bar {row['bar']}{beside}"
                    )
    broken = [
        f"- `{run.name}` failed on {run.when}: {_cell(run.said)}"
        for run in runs.values() if not run.ok
    ]  # fmt: skip
    lines = ["## What does not hold", ""]
    if missed:
        lines.append(f"Of {met + len(missed)} bars {met} are met. Missed:")
        lines += ["", *missed]
    else:
        lines.append(f"All {met} bars are met.")
    if broken:
        lines += ["", "Scripts that did not get through:", "", *broken]
    return "\n".join(lines)


def _machines(results: Results) -> str:
    """One line for each machine; nearly always there is one."""
    names: dict[str, list[str]] = {}
    for name, result in results.items():
        if result.get("machine"):
            names.setdefault(json.dumps(result["machine"], sort_keys=True), []).append(name)
    lines = ["## The machine", ""]
    for machine, which in names.items():
        facts = dict(json.loads(machine))
        core = f"{facts.pop('processor', '')}, {facts.pop('cores', '?')} cores, no GPU used"
        core += f", Python {facts.pop('python', '?')}"
        versions = ", ".join(f"{k} {v}" for k, v in sorted(facts.items()))
        whose = f" ({', '.join(sorted(which))})" if len(names) > 1 else ""
        lines.append(f"{core}; {versions}{whose}.")
        lines.append("")
    return "\n".join(lines).strip() if names else ""


def _section(section: Section, results: Results, runs: Mapping[str, Run], plot: str | None) -> str:
    lines = [f"## {section.title}", "", section.how, ""]
    rows = [row for name in section.names for row in results.get(name, {}).get("rows", [])]
    if plot:
        lines += [f"![{section.title}: measured, with spread and bar]({plot})", ""]
    if rows:
        lines += _table(rows)
    lines += _notes(section, results, runs)
    for name in section.names:
        report = str(results.get(name, {}).get("report", ""))
        if report and not results.get(name, {}).get("rows"):
            lines += ["", _deeper(report)]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| measured | value | spread | n | beside | bar |", "|---|--:|--:|--:|---|---|"]
    for row in rows:
        spread = "" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
        verdict = {True: "met", False: "**missed**", None: ""}[row["met"]]
        bar = f"{row['bar']} {verdict}".strip() if row["bar"] else ""
        cells = (row["what"], _value(row), spread, str(row["n"]), row["compared_with"] or "", bar)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return [*lines, ""]


def _notes(section: Section, results: Results, runs: Mapping[str, Run]) -> list[str]:
    """Where each number comes from: command, date, load, and what its script has to say."""
    lines = []
    for script in section.scripts:
        result, run = results.get(script.name, {}), runs.get(script.name)
        facts = [f"`{script.command}`"]
        if result.get("date"):
            facts.append(str(result["date"]) + (" UTC" if ":" in str(result["date"]) else ""))
        if result.get("load"):
            facts.append("load {} to {}".format(*result["load"]))
        if result.get("seconds"):
            facts.append(f"{result['seconds']} s")
        line = "- " + ", ".join(facts) + "."
        if result.get("note"):
            line += f" {str(result['note'])[:1].upper()}{str(result['note'])[1:].rstrip('.')}."
        if run is not None and not run.ok:
            old = " What stands here is from an earlier run." if result.get("rows") else ""
            line += f" **Failed on {run.when} UTC**: {_cell(run.said)}.{old}"
        elif not result.get("rows") and not result.get("report"):
            said = f": it said “{_cell(run.said)}”" if run is not None else " yet"
            line += f" Nothing is recorded{said}."
        lines.append(line)
    return lines


def _deeper(report: str) -> str:
    """A script's own Markdown, its headings one level down."""
    return "\n".join(f"##{line}" if line.startswith("# ") else line for line in report.splitlines())


def _beside(row: Mapping[str, Any]) -> str:
    return _cell(str(row["compared_with"]))


def _value(row: Mapping[str, Any]) -> str:
    return f"{number(row['value'])} {row['unit']}".strip()


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
