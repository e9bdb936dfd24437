"""Near-duplicate images, within a set and against benchmarks it must not leak into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.annotation_files import IMAGE_SUFFIXES
from rsvlm_geo.errors import DataError

__all__ = ["Duplicate", "embed_thumbnails", "find_duplicates", "find_leaks", "image_files"]

Embed = Callable[[Sequence[Path]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two images that look alike."""

    first: int
    """Index of the one that stays (or of the benchmark's image)."""
    second: int
    """Index of the one that goes."""
    similarity: float
    """Cosine, up to 1."""


def image_files(folder: str | Path) -> list[Path]:
    """All images below a folder, sorted."""
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"no folder {root} to check against")
    return sorted(p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def embed_thumbnails(paths: Sequence[Path]) -> NDArray[np.float32]:
    """Unit vectors float32[n, 2304] of what an image looks like from afar; needs no model.

    A 24 x 24 thumbnail with its mean taken away, in grey and in two colour differences, and its
    gradients: recompression, rescaling and small changes of brightness leave it nearly the same.
    """
    from PIL import Image

    out = np.empty((len(paths), 4 * 576), dtype=np.float32)
    for i, path in enumerate(paths):
        try:
            with Image.open(path) as opened:
                small = opened.convert("RGB").resize((25, 25), Image.Resampling.BOX)
        except OSError as error:
            raise DataError(f"{path} cannot be read as an image ({error})") from error
        rgb = np.asarray(small, dtype=np.float32)
        grey = rgb.mean(axis=2)
        parts = [
            grey[:24, :24], 2 * (rgb[:24, :24, 0] - rgb[:24, :24, 2]),
            2 * (grey[:24, 1:] - grey[:24, :24]), 2 * (grey[1:, :24] - grey[:24, :24]),
        ]  # fmt: skip
        flat = np.concatenate([(p - p.mean()).ravel() for p in parts])
        out[i] = flat / max(float(np.linalg.norm(flat)), 1e-6)
    return out


def find_duplicates(
    vectors: NDArray[np.float32], threshold: float = 0.97, *, block: int = 2048
) -> list[Duplicate]:
    """Pairs above a similarity; each later image goes once, for the earliest that stays.

    Args:
        vectors: float32[n, d], unit length.
        threshold: Cosine; 0.97 for :func:`embed_thumbnails`.
        block: Rows compared at a time.
    """
    gone = np.zeros(len(vectors), dtype=bool)
    out = []
    for start in range(0, len(vectors), block):
        part = vectors[start : start + block]
        table = vectors[: start + len(part)] @ part.T
        for j in range(len(part)):
            me = start + j
            alike = np.flatnonzero((table[:me, j] >= threshold) & ~gone[:me])
            if len(alike):
                gone[me] = True
                out.append(Duplicate(int(alike[0]), me, float(table[alike[0], j])))
    return out


def find_leaks(
    vectors: NDArray[np.float32], benchmark: NDArray[np.float32], threshold: float = 0.97,
    *, block: int = 2048,
) -> list[Duplicate]:  # fmt: skip
    """Images of a set that are in a benchmark; ``first`` is the benchmark's index."""
    out = []
    for start in range(0, len(vectors), block):
        table = vectors[start : start + block] @ benchmark.T
        best = table.argmax(axis=1)
        for j in np.flatnonzero(table[np.arange(len(table)), best] >= threshold):
            out.append(Duplicate(int(best[j]), start + int(j), float(table[j, best[j]])))
    return out
