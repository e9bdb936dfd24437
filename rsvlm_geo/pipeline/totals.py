"""Totals that know how much of the area they speak for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from rsvlm_geo.answers import Coverage
from rsvlm_geo.errors import CoverageWarning
from rsvlm_geo.tasks import class_phrase

__all__ = ["Total"]


@dataclass(frozen=True, slots=True)
class Total:
    """A number over an area, which never passes for complete when it is not."""

    value: float
    """The number by itself; ask :attr:`complete` before telling it to anyone."""
    label: str
    """The class counted."""
    coverage: Coverage
    unit: str = "objects"
    estimated: bool = False
    """Whether it is a sum of the model's own numbers, with no object on the map behind each."""

    @property
    def complete(self) -> bool:
        """Whether everything in the area that has data answered."""
        return self.coverage.complete

    @property
    def answered(self) -> float:
        """Share of the asked area the number speaks for."""
        return self.coverage.seen - self.coverage.refused

    def __str__(self) -> str:
        number = f"{self.value:,.0f}" if float(self.value).is_integer() else f"{self.value:,.1f}"
        words = f"{number} {class_phrase(self.label, plural=self.value != 1)}"
        if self.estimated:
            words = f"about {words}"
        if self.complete:
            return words
        missing = [
            f"{share:.1%} {name}"
            for name, share in (
                ("refused", self.coverage.refused),
                ("failed", self.coverage.failed),
                ("not reached", self.coverage.pending),
            )
            if share > 0
        ]
        return f"{words} in {self.answered:.1%} of the area; INCOMPLETE: {', '.join(missing)}"

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
