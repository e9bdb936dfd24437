"""Which absent class to ask about: POPE's random, popular and adversarial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from numpy.random import Generator

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.errors import DataError

__all__ = ["STRATEGIES", "ClassStatistics", "pick_absent"]

STRATEGIES = ("random", "popular", "adversarial")


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """In how many images a class occurs, and how often two occur together."""

    images: Counter[str]
    together: Counter[tuple[str, str]]
    """Ordered pairs, both orders."""

    @classmethod
    def of(cls, images: Iterable[AnnotatedImage]) -> ClassStatistics:
        """Count over a collection."""
        alone: Counter[str] = Counter()
        together: Counter[tuple[str, str]] = Counter()
        for image in images:
            names = sorted(image.present)
            alone.update(names)
            together.update((a, b) for a in names for b in names if a != b)
        return cls(alone, together)


def pick_absent(
    image: AnnotatedImage,
    strategy: str,
    statistics: ClassStatistics,
    rng: Generator,
    *,
    asked: Collection[str] = (),
    partner: str | None = None,
) -> str | None:
    """A class that is not in the image, and not asked about yet.

    Args:
        image: Only classes it knows to be absent are taken.
        strategy: ``random``: any; ``popular``: the most frequent of the collection;
            ``adversarial``: the one that most often occurs with ``partner``, else any.
        statistics: Of the whole collection.
        rng: Draws, and breaks no ties: those go by name, so that a seed means one set.
        asked: Classes already asked about.
        partner: A class of the image.

    Returns:
        The class, or None when all have been asked about.

    References:
        Li et al., "Evaluating Object Hallucination in Large Vision-Language Models" (POPE), 2023.
    """
    free = sorted(image.absent - set(asked))
    if not free:
        return None
    if strategy == "popular":
        return min(free, key=lambda c: (-statistics.images[c], c))
    if strategy == "adversarial" and partner is not None:
        best = min(free, key=lambda c: (-statistics.together[partner, c], c))
        if statistics.together[partner, best] > 0:
            return best
    elif strategy not in STRATEGIES:
        raise DataError(f"no strategy {strategy!r}; take one of {', '.join(STRATEGIES)}")
    return free[int(rng.integers(len(free)))]
