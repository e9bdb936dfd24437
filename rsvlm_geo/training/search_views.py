"""What a search is trained to see: whole images, and the middle or the quarters of fine ones.

A scene is searched at its own scale and coarser ones; a set at one scale alone would teach nothing
of the others. A part is given only what is likely to be true of it: no counts and no places.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.captions.records import Record
from rsvlm_geo.errors import DataError

__all__ = ["WHOLE", "View", "extract", "features_of", "texts_of", "views_of"]

View = tuple[float, float, float, float]
"""``(x0, y0, x1, y1)``, shares of the image's sides."""
WHOLE: View = (0.0, 0.0, 1.0, 1.0)
_MIDDLE: View = (0.25, 0.25, 0.75, 0.75)
_QUARTERS: tuple[View, ...] = (
    (0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0),
)  # fmt: skip


def views_of(record: Record, size: int) -> tuple[View, ...]:
    """The whole, and the parts of an image that is fine enough and has no counts.

    Args:
        record: A captioned image.
        size: Side of the model's image, pixels.
    """
    side = min(record.size)
    if side < 0.75 * size or any(f.startswith("count ") for f in record.facts):
        return (WHOLE,)
    return (WHOLE, *_QUARTERS) if side >= 2 * size else (WHOLE, _MIDDLE)


def texts_of(record: Record, view: View) -> list[str]:
    """The captions of the whole, or of a part those without numbers."""
    texts = [c.text for c in record.captions]
    return texts if view == WHOLE else [t for t in texts if not any(c.isdigit() for c in t)]


def extract(
    model: Any, shown: Sequence[tuple[str, View]], outputs: Sequence[str], batch: int = 16
) -> NDArray[np.float32]:
    """Features of a pack's encoder for many views of files: float32[n, F]."""
    rows = []
    for start in range(0, len(shown), batch):
        part = shown[start : start + batch]
        images = np.stack([_image(Path(f), view, model.info.image_size) for f, view in part])
        got = model.encode(images).outputs
        rows.append(np.concatenate([got[n] for n in outputs], axis=1).astype(np.float32))
    return np.concatenate(rows)


def _image(path: Path, view: View, size: int) -> NDArray[np.uint8]:
    from rsvlm_geo.evaluate import fit_image

    if view == WHOLE:
        return fit_image(path, size)[0]
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise DataError(f"{path} cannot be read as an image ({error})") from error
    x0, y0, x1, y1 = view
    box = (x0 * image.width, y0 * image.height, x1 * image.width, y1 * image.height)
    shown = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(shown, dtype=np.uint8)


def features_of(
    shown: Sequence[tuple[str, View]], model: Any, outputs: Sequence[str], encoder: str,
    cache: Path | None = None,
) -> NDArray[np.float32]:  # fmt: skip
    """As :func:`extract`, kept in a file of one encoder: only what is missing is worked out.

    Args:
        shown: Files and views.
        model: A pack with ``encode``.
        outputs: Of its encoder, joined.
        encoder: Hash of the encoder; another's features are not taken.
        cache: ``.npz``; None keeps nothing.
    """
    keys = [f"{file} {view}" for file, view in shown]
    kept: dict[str, NDArray[np.float32]] = {}
    if cache is not None and cache.is_file():
        with np.load(cache) as held:
            if str(held["encoder"]) == encoder and "keys" in held:
                kept = dict(zip(held["keys"].tolist(), held["x"], strict=True))
    new = [i for i, key in enumerate(keys) if key not in kept]
    if new:
        made = extract(model, [shown[i] for i in new], outputs)
        kept.update(zip([keys[i] for i in new], made, strict=True))
        if cache is not None:
            np.savez(cache, x=np.stack(list(kept.values())), keys=np.array(list(kept)),
                     encoder=np.array(encoder))  # fmt: skip
    return np.stack([kept[key] for key in keys])
