"""A number with how many it is made of, how sure it is, and what did not parse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsvlm_geo.errors import DataError

__all__ = [
    "Measure",
    "bootstrap_measure",
    "format_table",
    "mean_measure",
    "ratio_measure",
    "same_length",
    "share_measure",
    "wilson_interval",
]

DRAWS = 1000
"""Bootstrap resamples."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of an evaluation."""

    value: float
    """The number; nan when ``n`` is 0."""
    n: int
    """How many items it was computed from."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    parse_failures: int = 0
    """Answers among the ``n`` that did not parse, each counted as wrong."""
    interval: str = "none"
    """How the interval was made: ``wilson``, ``bootstrap`` or ``none``."""
    better: str = "high"
    """``high``, ``low`` or ``zero``: where a good value lies."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else belongs to it: a curve, a confusion table."""

    def __post_init__(self) -> None:
        if self.n < 0 or not 0 <= self.parse_failures <= max(self.n, 0):
            raise DataError(f"{self.parse_failures} of {self.n} answers cannot fail to parse")
        if self.better not in ("high", "low", "zero"):
            raise DataError(f"better must be high, low or zero; got {self.better!r}")

    @property
    def parse_failure_rate(self) -> float:
        """Share of the ``n`` answers that did not parse."""
        return self.parse_failures / self.n if self.n else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan becomes None."""
        out: dict[str, Any] = {
            "value": _plain(self.value),
            "n": self.n,
            "low": _plain(self.low),
            "high": _plain(self.high),
            "parse_failures": self.parse_failures,
            "interval": self.interval,
            "better": self.better,
        }
        if self.extra:
            out["extra"] = dict(self.extra)
        return out

    def __str__(self) -> str:
        if self.n == 0 or math.isnan(self.value):
            return "no data"
        text = f"{self.value:.4g}"
        if self.interval != "none":
            text += f" [{self.low:.4g}, {self.high:.4g}]"
        text += f" n={self.n}"
        return text + (f" unparsed={self.parse_failures}" if self.parse_failures else "")


def _plain(x: float) -> float | None:
    return None if math.isnan(x) else float(x)


def wilson_interval(hits: float, n: int, *, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share: ``wilson_interval(19, 20)`` is (0.764, 0.991).

    References:
        E. B. Wilson (1927); unlike the normal interval it stays inside 0..1 for small n.
    """
    if n == 0:
        return math.nan, math.nan
    p = hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(p * (1 - p), 0.0) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def share_measure(
    hits: ArrayLike, *, parse_failures: int = 0, better: str = "high", **extra: Any
) -> Measure:
    """The share of items that are right (or hit, or refused), with Wilson's interval.

    Args:
        hits: bool[n].
        parse_failures: How many of them count as wrong only because they did not parse.
        better: Where a good value lies.
    """
    flags = np.asarray(hits, dtype=bool).ravel()
    n, k = len(flags), int(flags.sum())
    low, high = wilson_interval(k, n)
    return Measure(k / n if n else math.nan, n, low, high, parse_failures, "wilson", better, extra)


def bootstrap_measure(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    parse_failures: int = 0,
    better: str = "high",
    **extra: Any,
) -> Measure:
    """A statistic of ``n`` items with its percentile bootstrap interval.

    Args:
        statistic: int[n] indices of items -> the number; called once with ``arange(n)`` and once
            for each resample.
        n: Items.
        seed: Of the resampling: the same seed gives the same interval.
        draws: Resamples.
    """
    if n == 0:
        return Measure(math.nan, 0, math.nan, math.nan, 0, "bootstrap", better, extra)
    rng = np.random.default_rng(seed)
    value = statistic(np.arange(n))
    values = np.array([statistic(rng.integers(0, n, n)) for _ in range(draws)], dtype=np.float64)
    values = values[~np.isnan(values)]
    low, high = np.percentile(values, (2.5, 97.5)) if len(values) else (math.nan, math.nan)
    return Measure(
        float(value), n, float(low), float(high), parse_failures, "bootstrap", better, extra
    )


def ratio_measure(
    top: ArrayLike,
    bottom: ArrayLike,
    *,
    seed: int = 0,
    parse_failures: int = 0,
    better: str = "high",
    **extra: Any,
) -> Measure:
    """``sum(top) / sum(bottom)`` over items that are resampled whole (F1, bias, macro rates).

    Args:
        top, bottom: float[n], what each item adds above and below the line.
    """
    a = np.asarray(top, dtype=np.float64).ravel()
    b = np.asarray(bottom, dtype=np.float64).ravel()
    n = len(a)
    if n == 0 or b.sum() == 0:
        return Measure(math.nan, n, math.nan, math.nan, parse_failures, "none", better, extra)
    rng = np.random.default_rng(seed)
    draws = np.empty(DRAWS)
    for i in range(DRAWS):
        pick = rng.integers(0, n, n)
        below = b[pick].sum()
        draws[i] = a[pick].sum() / below if below else math.nan
    draws = draws[~np.isnan(draws)]
    low, high = np.percentile(draws, (2.5, 97.5)) if len(draws) else (math.nan, math.nan)
    return Measure(
        float(a.sum() / b.sum()), n, float(low), float(high), parse_failures, "bootstrap", better,
        extra,
    )  # fmt: skip


def mean_measure(
    values: ArrayLike,
    *,
    seed: int = 0,
    parse_failures: int = 0,
    better: str = "high",
    **extra: Any,
) -> Measure:
    """The mean of float[n] with its bootstrap interval."""
    array = np.asarray(values, dtype=np.float64).ravel()
    return ratio_measure(
        array, np.ones_like(array), seed=seed, parse_failures=parse_failures, better=better, **extra
    )


def same_length(what: str, **columns: Sequence[Any]) -> int:
    """The common length of columns.

    Raises:
        DataError: They differ.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{n} {name}" for name, n in lengths.items())
        raise DataError(f"{what} needs columns of one length; got {said}")
    return next(iter(lengths.values()))


def format_table(measures: Mapping[str, Measure]) -> str:
    """Measures as an aligned table for people: name, value, interval, n, unparsed."""
    rows = [("measure", "value", "95 % interval", "n", "unparsed")]
    for name, m in measures.items():
        if m.n == 0 or math.isnan(m.value):
            rows.append((name, "no data", "", str(m.n), ""))
            continue
        span = "" if m.interval == "none" else f"{m.low:.4g} .. {m.high:.4g}"
        failed = f"{m.parse_failures} ({m.parse_failure_rate:.1%})" if m.parse_failures else "0"
        rows.append((name, f"{m.value:.4g}", span, str(m.n), failed))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(line.rstrip() for line in lines)
