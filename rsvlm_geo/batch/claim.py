"""The folder of a run: made, or found again by the run's fingerprint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rsvlm_geo.batch.finish import write_text
from rsvlm_geo.batch.spec import BatchSpec
from rsvlm_geo.errors import OutputError, ResumeError
from rsvlm_geo.vlm import ModelInfo

__all__ = ["claim"]


def claim(out: Path, spec: BatchSpec, info: ModelInfo, *, alongside: bool) -> Path:
    """The folder of this run in ``out``.

    Raises:
        ResumeError: ``out`` holds other runs only, and ``alongside`` was not said.
        OutputError: It cannot be made.
    """
    mine = spec.fingerprint(info)
    root = out / mine
    others = [p.parent for p in out.glob("*/run.json")] if out.is_dir() else []
    if others and root not in others and not alongside:
        raise ResumeError(
            f"{out} belongs to another run ({_difference(others[0], spec, info)}); "
            "choose another folder, or allow runs side by side with --alongside"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / "run.json").exists():
            write_text(
                root / "run.json", json.dumps(spec.facts(info), indent=1, default=str) + "\n"
            )
    except OSError as error:
        raise OutputError(
            f"cannot write to {out}: {error.strerror or error}; choose a folder you may write to"
        ) from error
    return root


def _difference(other: Path, spec: BatchSpec, info: ModelInfo) -> str:
    try:
        theirs = json.loads((other / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return f"fingerprint {other.name}"
    mine = json.loads(json.dumps(spec.facts(info), default=str))
    for name, value in mine.items():
        if theirs.get(name) != value:
            return f"{name} was {_short(theirs.get(name))}, is {_short(value)}"
    return f"fingerprint {other.name}"


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
