# SPDX-License-Identifier: GPL-2.0-or-later
"""How the dock says devices, times and totals."""

from __future__ import annotations

from typing import Any

from .i18n import tr

__all__ = ["device_name", "duration", "tiles_and_time", "totals"]


def device_name(provider: str) -> str:
    """An execution provider for people."""
    short = provider.replace("ExecutionProvider", "")
    return {"cpu": "CPU", "cuda": "CUDA", "directml": "DirectML", "coreml": "CoreML"}.get(
        short.lower(), short
    )


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 1:
        return tr("under 1 s")
    if seconds < 90:
        return tr("{n} s", n=f"{seconds:.0f}")
    if seconds < 5400:
        return tr("{n} min", n=f"{seconds / 60:.0f}")
    return tr("{n} h", n=f"{seconds / 3600:.1f}")


def totals(done: dict[str, Any]) -> str:
    """What a run found, and how much of the area it saw; one or two lines."""
    coverage = done.get("coverage") or {}
    parts = []
    found = list(done.get("totals") or ())
    if len(found) > 1:
        # of several classes only those that are there; which were asked is in the file
        found = [total for total in found if total.get("value")] or found[:1]
    for total in found[:5]:
        label = str(total.get("label", "")).replace("_", " ")
        value = f"{total.get('value', 0):,.0f}".replace(",", "\u202f")
        if total.get("unit") == "candidates":
            label = tr("possible {label}", label=label)
        told = total.get("coverage") or {"seen": 1.0}
        if told.get("seen", 0.0) - told.get("refused", 0.0) < 1e-9:
            parts.append(tr("{label}: not counted", label=label))
        elif total.get("complete"):
            parts.append(tr("{n} × {label}", n=value, label=label))
        else:
            parts.append(tr("{n} × {label} where it could be told", n=value, label=label))
    counts = done.get("counts") or {}
    refused, answers = counts.get("refused", 0), sum(counts.values())
    several = answers > done.get("tiles", answers)
    shares = [tr("{share} % seen", share=f"{100 * coverage.get('seen', 0):.0f}")]
    for key, words in (
        ("refused", tr("{share} % refused")), ("nodata", tr("{share} % no data")),
        ("failed", tr("{share} % failed")), ("pending", tr("{share} % not reached")),
    ):  # fmt: skip
        share = float(coverage.get(key, 0) or 0)
        # of several questions, the share on which any was refused would be read as all of them
        if share > 0.0005 and not (several and key == "refused"):
            shares.append(words.format(share=f"{100 * share:.1f}"))
    line = " · ".join(parts)
    said = (line + "\n" if line else "") + ", ".join(shares)
    if several and refused:
        said += ". " + tr("{n} of {total} answers are {status}.", n=refused, total=answers,
                          status=tr("refused"))  # fmt: skip
    return said


def tiles_and_time(done: dict[str, Any]) -> str:
    """How many tiles a run asked, and how long it took."""
    seconds = float(done.get("elapsed_s", 0) or 0)
    return tr("{tiles} tiles in {seconds} s", tiles=done.get("tiles", 0), seconds=f"{seconds:.1f}")
