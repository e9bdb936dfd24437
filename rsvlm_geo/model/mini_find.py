"""What the encoder said about a batch of tiles, and the boxes read off it, near and far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model import mini_boxes, mini_close
from rsvlm_geo.model.mini_boxes import ClassRule, Found
from rsvlm_geo.model.mini_labels import LabelHead
from rsvlm_geo.vlm import ModelInfo, Question

__all__ = ["Encoded", "Finder"]

_HINT = 0.1
"""Probability of a class below which a closer look is not worth its time."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder said about a batch of tiles; serves every question."""

    outputs: Mapping[str, NDArray[np.float32]]
    """Output name of ``vision_encoder.onnx`` -> array with the batch first."""
    size: int
    """Side of the tiles, pixels."""
    images: NDArray[np.uint8]
    """uint8[B, S, S, 3], whose colours may be asked for."""
    found: dict[tuple[int, float | None], dict[str, Found]] = field(default_factory=dict)
    """Boxes already read: (tile, GSD) -> class -> boxes."""


class Finder:
    """Boxes of every class in the tiles of a batch, each tile read once.

    Args:
        info: The model, whose classes say at which scale they are looked for.
        rules: Class -> how it is read off the maps.
        labels: The land-cover words.
        encode: The encoder, for a closer look.
    """

    def __init__(
        self,
        info: ModelInfo,
        rules: Mapping[str, ClassRule],
        labels: LabelHead,
        encode: Callable[[NDArray[np.uint8]], Encoded],
    ) -> None:
        self._info, self._rules, self._labels, self._encode = info, rules, labels, encode

    def look_closer(self, encoded: Encoded, questions: Sequence[Question]) -> None:
        """Enlarge the tiles with a hint of classes that are asked about and too small to be read.

        Must come before :meth:`find`.
        """
        for gsd_m in {q.gsd_m for q in questions if q.gsd_m is not None}:
            near = mini_close.too_small(self._info, gsd_m)
            mine = [q for q in questions if q.gsd_m == gsd_m]
            if not any(near.keys() & mini_close.asked_about(q, self._info) for q in mine):
                continue
            read = [self._read(encoded, i, gsd_m) for i in range(len(encoded.images))]
            hinted = [
                i for i, found in enumerate(read)
                if any(max(found[n].presence, self.seen(encoded, i, n)) > _HINT for n in near)
            ]  # fmt: skip
            closer = mini_close.look_closer(
                lambda crops: self._encode(crops).outputs,
                encoded.images[hinted],
                {name: self._rules[name] for name in near},
                gsd_m,
                min(near.values()),
            )
            for i, found in zip(hinted, closer, strict=True):
                encoded.found[i, gsd_m] = mini_boxes.settle(read[i] | found, self._rules)

    def find(self, encoded: Encoded, i: int, name: str, gsd_m: float | None = None) -> Found:
        """Every candidate box of a class in one tile, down to a low score.

        Of a believable size where the resolution is known, and not more likely of another class.
        """
        key = (i, gsd_m)
        if key not in encoded.found:
            encoded.found[key] = mini_boxes.settle(self._read(encoded, i, gsd_m), self._rules)
        return encoded.found[key][name]

    def seen(self, encoded: Encoded, i: int, name: str) -> float:
        """Probability of a class by the label head; 0 where it does not know it."""
        return self._labels.chance(encoded.outputs["label_logits"][i], name) or 0.0

    def _read(self, encoded: Encoded, i: int, gsd_m: float | None) -> dict[str, Found]:
        peaks, edges = encoded.outputs["peaks"][i], encoded.outputs["edges"][i]
        return {
            name: mini_boxes.find_boxes(
                peaks[rule.channel], edges, rule, encoded.size, gsd_m=gsd_m
            )
            for name, rule in self._rules.items()
        }  # fmt: skip
