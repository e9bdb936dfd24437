"""The two towers: what the scene is, and where the objects are."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.training import splits
from rsvlm_geo.training.lite0 import MEAN, SCALE, Head, Lite0, conv


def normalise(x: Tensor) -> Tensor:
    """0..255 -> what the ImageNet weights expect."""
    return (x - MEAN) / SCALE


class SceneTower(nn.Module):
    """Scene classes of both domains and the multi-labels of UCM, from one pooled embedding."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.trunk, self.head = Lite0(), Head()
        self.drop = nn.Dropout(dropout)
        self.ucm = nn.Linear(1280, len(splits.UCM_CLASSES))
        self.eurosat = nn.Linear(1280, len(splits.EUROSAT_CLASSES))
        self.labels = nn.Linear(1280, len(splits.UCM_LABELS))

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float[B, 3, S, S] in 0..255 -> map float[B, 320, S/32, S/32], pooled float[B, 1280]."""
        last = self.trunk(normalise(x))[-1]
        return last, self.head(last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """float[B, 3, S, S] in 0..255 -> logits of UCM, EuroSAT and the multi-labels."""
        pooled = self.drop(self.features(x)[1])
        return self.ucm(pooled), self.eurosat(pooled), self.labels(pooled)


class Layer(nn.Module):
    """A 3x3 convolution, group norm, ReLU: learns fast from few crops."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = conv(width, width, 3), nn.GroupNorm(8, width)

    def forward(self, x: Tensor) -> Tensor:
        """float[B, width, H, W] -> the same."""
        return F.relu(self.norm(self.conv(x)))


class ObjectTower(nn.Module):
    """A pyramid to stride 8 with a heat map per class and the distances to the four edges."""

    stride = 8
    unit_px = 16.0
    """A predicted 0 means this distance from the centre to an edge."""

    def __init__(self, width: int = 80) -> None:
        super().__init__()
        self.trunk = Lite0()
        self.lateral = nn.ModuleList(conv(c, width, 1) for c in Lite0.channels[1:])
        self.merge = nn.ModuleList(Layer(width) for _ in range(3))
        self.heat = nn.Sequential(Layer(width), conv(width, len(splits.OBJECTS), 1))
        self.edges = nn.Sequential(Layer(width), conv(width, 4, 1))
        nn.init.constant_(self.heat[-1].bias, -4.0)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float[B, 3, S, S] in 0..255 -> stride-32 map (320 channels), stride-8 map (width)."""
        maps = self.trunk(normalise(x))
        y = self.merge[2](self.lateral[2](maps[3]))
        for i in (1, 0):
            up = F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.merge[i](up + self.lateral[i](maps[i + 1]))
        return maps[3], y

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float[B, 8, S/8, S/8]; distances float[B, 4, S/8, S/8] in px (l, t, r, b)."""
        y = self.features(x)[1]
        return self.heat(y), torch.exp(self.edges(y).clamp(-4.0, 3.0)) * self.unit_px
