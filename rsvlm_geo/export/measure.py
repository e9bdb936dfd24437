"""Which variant of a part to run on this CPU: measured, not guessed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import require

__all__ = ["Measured", "choose_variant", "measure_variants"]

Array = NDArray[Any]

MIN_COSINE = 0.999
"""Of a variant's first output with fp32's; below, it is not chosen."""
MIN_GAIN = 1.1
"""A variant must be this much faster than fp32 to be worth its error."""
_SIZES = {"batch": 2, "crops": 2, "images": 2, "sequence": 1, "past_length": 64,
          "total_length": 65, "encoder_length": 64}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One variant of one part."""

    variant: str
    cosine: float
    """With fp32, first output, one random sample."""
    seconds: float
    """Median of the rounds."""
    spread: float
    """Largest minus smallest round, seconds."""
    megabytes: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``rsvlm.json``."""
        return {
            "variant": self.variant,
            "cosine": round(self.cosine, 6),
            "ms": round(self.seconds * 1e3, 3),
            "spread_ms": round(self.spread * 1e3, 3),
            "mb": round(self.megabytes, 3),
        }


def measure_variants(files: Mapping[str, Path], *, rounds: int = 7) -> list[Measured]:
    """Time and compare the variants of one part, rounds interleaved.

    Args:
        files: Variant -> file; ``fp32`` is the reference.
        rounds: Calls timed for each.
    """
    ort = require("onnxruntime", extra="cpu")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    sessions = {
        name: ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for name, path in files.items()
    }
    feeds = _feeds(sessions["fp32"])
    truth = sessions["fp32"].run(None, feeds)[0].astype(np.float64).ravel()
    cosines = {}
    for name, session in sessions.items():  # also the warm-up
        got = session.run(None, feeds)[0].astype(np.float64).ravel()
        norm = np.linalg.norm(got) * np.linalg.norm(truth)
        cosines[name] = float(got @ truth / norm) if norm > 0 else 0.0
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, session in sessions.items():
            began = time.perf_counter()
            session.run(None, feeds)
            times[name].append(time.perf_counter() - began)
    return [
        Measured(
            name,
            cosines[name],
            statistics.median(times[name]),
            max(times[name]) - min(times[name]),
            _size(files[name]) / 1e6,
        )
        for name in sessions
    ]


def choose_variant(measured: Sequence[Measured]) -> str:
    """The fastest that is close enough to fp32 and clearly faster; else fp32 weights, stored small.

    Args:
        measured: Of one part, ``fp32`` among them.
    """
    plain = next(m for m in measured if m.variant == "fp32")
    good = [
        m
        for m in measured
        if m.variant not in ("fp32", "fp32-stored")
        and m.cosine >= MIN_COSINE
        and m.seconds * MIN_GAIN <= plain.seconds
    ]
    if good:
        return min(good, key=lambda m: m.seconds).variant
    stored = [m for m in measured if m.variant == "fp32-stored" and m.cosine >= MIN_COSINE]
    return "fp32-stored" if stored else "fp32"


def _feeds(session: Any) -> dict[str, Array]:
    random = np.random.default_rng(0)
    feeds: dict[str, Array] = {}
    names = {i.name for i in session.get_inputs()}
    for spec in session.get_inputs():
        shape = [d if isinstance(d, int) else _SIZES.get(d, 1) for d in spec.shape]
        if spec.name == "image_grid_thw":
            feeds[spec.name] = np.array([[1, 8, 8], [1, 8, 8]], np.int64)
        elif spec.name == "pixel_values" and "image_grid_thw" in names:
            feeds[spec.name] = random.normal(size=(128, shape[1])).astype(np.float32)
        elif "float" in spec.type:
            feeds[spec.name] = random.normal(size=shape).astype(np.float32)
        elif spec.name == "input_ids":
            feeds[spec.name] = np.ones(shape, np.int64)
        elif "bool" in spec.type:
            feeds[spec.name] = np.ones(shape, bool)
        else:
            feeds[spec.name] = np.ones(shape, np.int64)
    return feeds


def _size(path: Path) -> int:
    beside = path.with_name(path.name + "_data")
    return path.stat().st_size + (beside.stat().st_size if beside.is_file() else 0)
