"""CLIP's ResNet image tower, in open_clip's names."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ResNetTower"]


class _Bottleneck(nn.Module):
    """1x1, 3x3, average pool where it strides, 1x1; the shortcut pools before its 1x1."""

    def __init__(self, cin: int, width: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pool: nn.Module = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if shortcut:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(cin, 4 * width, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        """float[B, cin, H, W] -> float[B, 4 width, H / stride, W / stride]."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.pool(y)))
        return F.relu(y + self.downsample(x))


class _AttentionPool(nn.Module):
    """The mean of the map asks the map: one token of attention."""

    def __init__(self, cells: int, width: int, heads: int, dim: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(cells + 1, width))
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.c_proj = nn.Linear(width, width), nn.Linear(width, dim)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """float[B, width, H, W] -> float[B, dim]."""
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + self.positional_embedding
        batch, cells, width = x.shape
        size = width // self.heads
        q = self.q_proj(x[:, :1]).reshape(batch, 1, self.heads, size).transpose(1, 2)
        k = self.k_proj(x).reshape(batch, cells, self.heads, size).transpose(1, 2)
        v = self.v_proj(x).reshape(batch, cells, self.heads, size).transpose(1, 2)
        weight = torch.softmax(q @ k.transpose(2, 3) * size**-0.5, dim=-1)
        out: Tensor = self.c_proj((weight @ v).transpose(1, 2).reshape(batch, width))
        return out


class ResNetTower(nn.Module):
    """CLIP's ResNet: a stem of three convolutions, anti-aliased strides, attention pooling."""

    def __init__(self, layers: tuple[int, ...], width: int, size: int, dim: int) -> None:
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, 2, 1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, 1, 1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        cin = width
        for level, count in enumerate(layers, 1):
            wide, stage = width * 2 ** (level - 1), nn.Sequential()
            for j in range(count):
                stride = 2 if j == 0 and level > 1 else 1
                stage.append(_Bottleneck(cin, wide, stride, j == 0))
                cin = 4 * wide
            self.add_module(f"layer{level}", stage)
        self.attnpool = _AttentionPool((size // 32) ** 2, cin, cin // 64, dim)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float[B, 3, S, S] -> float[B, D]."""
        x = pixel_values
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = F.relu(norm(conv(x)))
        x = F.avg_pool2d(x, 2)
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(self, name)(x)
        out: Tensor = self.attnpool(x)
        return out
