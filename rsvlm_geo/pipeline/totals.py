"""Totals that know how much of the area they speak for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from rsvlm_geo.answers import Coverage
from rsvlm_geo.errors import CoverageWarning
from rsvlm_geo.tasks import class_phrase

__all__ = ["Total", "all_told"]


@dataclass(frozen=True, slots=True)
class Total:
    """A number over an area, which never passes for complete when it is not."""

    value: float
    """The number by itself; ask :attr:`complete` before telling it to anyone."""
    label: str
    """The class counted."""
    coverage: Coverage
    unit: str = "objects"
    """``candidates`` of ``locate``: every box that may be one, and so more than are counted."""
    estimated: bool = False
    """Whether it is a sum of the model's own numbers, with no object on the map behind each."""
    why: str = ""
    """Why nothing was counted, where nothing was: ``refused (too small for these pixels)``."""

    @property
    def complete(self) -> bool:
        """Whether everything in the area that has data answered."""
        return self.coverage.complete

    @property
    def answered(self) -> float:
        """Share of the asked area the number speaks for."""
        return self.coverage.seen - self.coverage.refused

    @property
    def counted(self) -> bool:
        """Whether any of the area was counted; where none was, :attr:`value` is no number."""
        return self.answered > 1e-9

    def __str__(self) -> str:
        if not self.counted:
            return self._not_counted()
        number = f"{self.value:,.0f}" if float(self.value).is_integer() else f"{self.value:,.1f}"
        label = class_phrase(self.label, plural=self.value != 1)
        words = f"{number} possible {label}" if self.unit == "candidates" else f"{number} {label}"
        if self.estimated:
            words = f"about {words}"
        if self.complete:
            return words
        missing = [f"{share:.1%} {name}" for name, share in self._missing().items()]
        return f"{words} in {self.answered:.1%} of the area; INCOMPLETE: {', '.join(missing)}"

    def _missing(self) -> dict[str, float]:
        shares = {
            "refused": self.coverage.refused,
            "failed": self.coverage.failed,
            "not reached": self.coverage.pending,
        }
        return {name: share for name, share in shares.items() if share > 0}

    def _not_counted(self) -> str:
        """Nothing was answered, so there is no number: a zero would be read as none there."""
        label = class_phrase(self.label, plural=True)
        missing = self._missing()
        why = [self.why if name == "refused" and self.why else name for name in missing]
        if len(missing) > 1:
            why = [
                f"{share:.1%} {words}" for words, share in zip(why, missing.values(), strict=True)
            ]
        words = f"{label} not counted: {', '.join(why) or 'no data'}"
        return words[0].upper() + words[1:]

    def __float__(self) -> float:
        self._warn()
        return float(self.value)

    def __int__(self) -> int:
        self._warn()
        return round(self.value)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        self._warn()
        return format(self.value, spec)

    def _warn(self) -> None:
        if not self.complete:
            warnings.warn(str(self), CoverageWarning, stacklevel=3)


def all_told(coverage: Coverage, totals: Sequence[Total]) -> bool:
    """Whether nothing failed or is missing, and every total speaks for all that has data.

    A caption, a class, a yes or no that is refused is an answer, and leaves a run complete; a count
    that is refused leaves a total short. Where there is no data, nothing is missing.
    """
    seen = coverage.failed == 0 and coverage.pending == 0
    return seen and all(total.complete for total in totals)
