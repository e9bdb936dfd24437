"""Targets and losses of the dense head: soft centres (TTFNet) and generalised IoU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rsvlm_geo.training import splits

SPREAD = 0.54
"""Share of a box that its centre's Gaussian covers (TTFNet, arXiv 1909.00700, section 3)."""


def draw_targets(
    boxes: NDArray[np.float32],
    labels: NDArray[np.int64],
    ignore: NDArray[np.bool_],
    size: int,
    stride: int = 8,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Draw one tile's targets.

    Args:
        boxes: float32[n, 4] in pixels of the tile.
        labels: int64[n].
        ignore: bool[n]; such a box is neither wanted nor punished.
        size: Side of the tile in pixels.
        stride: Pixels a cell.

    Returns:
        Heat float32[8, g, g]; weight of the heat loss, same shape; edge distances float32[4, g, g]
        in pixels; weight of the box loss float32[g, g].
    """
    g = size // stride
    heat = np.zeros((len(splits.OBJECTS), g, g), np.float32)
    care = np.ones_like(heat)
    edges = np.ones((4, g, g), np.float32)
    weight = np.zeros((g, g), np.float32)
    centre = (np.arange(g, dtype=np.float32) + 0.5) * stride
    order = np.argsort(-(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    for i in order:
        x0, y0, x1, y1 = (float(v) for v in boxes[i])
        c = int(labels[i])
        if ignore[i]:
            a, b = int(max(y0, 0) // stride), int(min(y1, size - 1) // stride) + 1
            d, e = int(max(x0, 0) // stride), int(min(x1, size - 1) // stride) + 1
            care[c, a:b, d:e] = 0.0
            continue
        cx = min(max((x0 + x1) / 2, 0.0), size - 0.01)
        cy = min(max((y0 + y1) / 2, 0.0), size - 0.01)
        jx, jy = int(cx // stride), int(cy // stride)
        sx = max((x1 - x0) * SPREAD / 6 / stride, 0.35)
        sy = max((y1 - y0) * SPREAD / 6 / stride, 0.35)
        rx, ry = int(3 * sx) + 1, int(3 * sy) + 1
        xa, xb = max(jx - rx, 0), min(jx + rx + 1, g)
        ya, yb = max(jy - ry, 0), min(jy + ry + 1, g)
        gx = np.exp(-((np.arange(xa, xb) - jx) ** 2) / (2 * sx * sx))
        gy = np.exp(-((np.arange(ya, yb) - jy) ** 2) / (2 * sy * sy))
        bump = (gy[:, None] * gx[None, :]).astype(np.float32)
        np.maximum(heat[c, ya:yb, xa:xb], bump, out=heat[c, ya:yb, xa:xb])
        mine = bump > 0.2
        share = np.log(max((x1 - x0) * (y1 - y0), 16.0)) / (bump * mine).sum()
        weight[ya:yb, xa:xb][mine] = (bump * share)[mine]
        px, py = np.meshgrid(centre[xa:xb], centre[ya:yb])
        dist = np.stack([px - x0, py - y0, x1 - px, y1 - py]).clip(1.0)
        edges[:, ya:yb, xa:xb][:, mine] = dist[:, mine]
    return heat, care, edges, weight


def heat_loss(logits: Tensor, heat: Tensor, care: Tensor) -> Tensor:
    """Penalty-reduced focal loss of CenterNet, per object; all float[B, C, g, g]."""
    p = torch.sigmoid(logits)
    is_centre = (heat > 0.999).float()
    log_p, log_q = torch.nn.functional.logsigmoid(logits), torch.nn.functional.logsigmoid(-logits)
    pos = is_centre * (1 - p) ** 2 * log_p
    neg = (1 - is_centre) * (1 - heat) ** 4 * p**2 * log_q
    return -((pos + neg) * care).sum() / (is_centre * care).sum().clamp(min=4.0)


def edge_loss(pred: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
    """1 - generalised IoU, weighted; distances float[B, 4, g, g], weight float[B, g, g]."""
    on = weight > 0
    p, t, w = pred.permute(0, 2, 3, 1)[on], edges.permute(0, 2, 3, 1)[on], weight[on]
    if w.numel() == 0:
        return pred.sum() * 0.0
    area_p, area_t = (
        (p[:, 0] + p[:, 2]) * (p[:, 1] + p[:, 3]),
        (t[:, 0] + t[:, 2]) * (t[:, 1] + t[:, 3]),
    )
    low, high = torch.minimum(p, t), torch.maximum(p, t)
    inter = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    union = area_p + area_t - inter
    giou = inter / union - (hull - union) / hull
    return ((1 - giou) * w).sum() / w.sum().clamp(min=1.0)
