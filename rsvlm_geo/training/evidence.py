"""From pixels to evidence: the exported vision graph, both towers and what the decoder reads.

The decoder does not read feature maps but what the towers found: probabilities of scene classes and
labels, and for each object class how many peaks, how strong, in which ninth of the tile, of which
colour. So what is said agrees with what is counted and drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.training import splits
from rsvlm_geo.training.lite0 import MEAN, SCALE
from rsvlm_geo.training.towers import ObjectTower, SceneTower

SCENE_SIZE = 192
"""Side at which the scene tower sees the 256 px tile."""

GRID = 256 // ObjectTower.stride
"""Cells a side of the object tower's maps."""

LEVELS = (0.15, 0.3, 0.5)
"""Peak heights at which objects are counted for the decoder."""

N_CLASSES = len(splits.OBJECTS)
PER_CLASS = 1 + len(LEVELS) + 9 + 9 + 3 + 2 + 2
BLOCKS: Mapping[str, int] = {
    "ucm": len(splits.UCM_CLASSES),
    "eurosat": len(splits.EUROSAT_CLASSES),
    "labels": len(splits.UCM_LABELS),
    "stats": 4,
    **{f"object_{c}": PER_CLASS for c in splits.OBJECTS},
}
"""Blocks of the evidence vector in order, with their sizes: one decoder token each."""


class VisionGraph(nn.Module):
    """What ``vision_encoder.onnx`` holds, up to the decoder's keys and values."""

    def __init__(self, scene: SceneTower, objects: ObjectTower) -> None:
        super().__init__()
        self.scene, self.objects = scene, objects
        side = torch.arange(GRID, dtype=torch.float32).add(0.5).div(GRID)
        self.register_buffer("row", side.repeat_interleave(GRID))
        self.register_buffer("col", side.repeat(GRID))

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        """Encode tiles.

        Args:
            pixel_values: float32[B, 3, 256, 256], ``(x - 127) / 128``.

        Returns:
            ``ucm_logits``, ``eurosat_logits``, ``label_logits``, ``image_embeds`` float[B, 1280],
            ``peaks`` float[B, 8, 32, 32] (probability where it is a local maximum, else 0),
            ``edges`` float[B, 4, 32, 32] in px, ``evidence`` float[B, 284].
        """
        raw = pixel_values * SCALE + MEAN
        small = F.interpolate(
            raw, size=(SCENE_SIZE, SCENE_SIZE), mode="bilinear", align_corners=False
        )
        _, pooled = self.scene.features(small)
        ucm, eurosat = self.scene.ucm(pooled), self.scene.eurosat(pooled)
        labels = self.scene.labels(pooled)
        logits, edges = self.objects(raw)
        heat = torch.sigmoid(logits)
        peaks = heat * (heat == F.max_pool2d(heat, 3, 1, 1)).to(heat.dtype)
        blocks = [ucm.softmax(1), eurosat.softmax(1), torch.sigmoid(labels)]
        blocks += [image_stats(raw), self.object_blocks(peaks, edges, raw)]
        return {
            "ucm_logits": ucm,
            "eurosat_logits": eurosat,
            "label_logits": labels,
            "image_embeds": pooled,
            "peaks": peaks,
            "edges": edges,
            "evidence": torch.cat(blocks, 1),
        }

    def object_blocks(self, peaks: Tensor, edges: Tensor, raw: Tensor) -> Tensor:
        """Evidence of every object class: float[B, 8 * PER_CLASS]."""
        parts = [peaks.amax((2, 3)).unsqueeze(2)]
        for level in LEVELS:
            parts.append(torch.log1p((peaks > level).to(peaks.dtype).sum((2, 3))).unsqueeze(2))
        strong = F.pad((peaks > LEVELS[1]).to(peaks.dtype), (0, 1, 0, 1))
        ninths = F.pad(peaks, (0, 1, 0, 1))
        third = (GRID + 1) // 3
        parts.append(F.max_pool2d(ninths, third).flatten(2))
        parts.append(torch.log1p(F.avg_pool2d(strong, third).flatten(2) * float(third * third)))
        weight = torch.softmax(peaks.flatten(2) * 60.0, 2)
        colour = F.avg_pool2d(raw / 255.0, 256 // GRID).flatten(2)
        parts.append(weight @ colour.transpose(1, 2))
        parts.append((weight @ self.col).unsqueeze(2))
        parts.append((weight @ self.row).unsqueeze(2))
        sides = torch.stack([edges[:, 0] + edges[:, 2], edges[:, 1] + edges[:, 3]], 1) / 256.0
        parts.append(weight @ sides.flatten(2).transpose(1, 2))
        return torch.cat(parts, 2).flatten(1)


def image_stats(raw: Tensor) -> Tensor:
    """Chroma, brightness, contrast and share of black: float[B, 4]."""
    x = raw / 255.0
    chroma = (x.amax(1) - x.amin(1)).mean((1, 2)) * 10.0
    grey = x.mean(1)
    mean = grey.mean((1, 2))
    spread = (grey - mean[:, None, None]).abs().mean((1, 2)) * 4.0
    black = (x.amax(1) < 0.004).to(x.dtype).mean((1, 2))
    return torch.stack([chroma.clamp(max=2.0), mean, spread, black], 1)
