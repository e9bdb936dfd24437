"""Toy packs, made once a session."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import make

from rsvlm_geo.model.generic import GenericVlm
from rsvlm_geo.model.pack import load_pack


@pytest.fixture(scope="session")
def toy_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """A pack whose decoder takes ``attention_bias``, and the same without."""
    root = tmp_path_factory.mktemp("packs")
    return {
        bias: make.write_toy_pack(root / f"toy{int(bias)}", bias=bias) for bias in (True, False)
    }


@pytest.fixture(params=[True, False], ids=["shared-lane", "lane-each"])
def toy(request: pytest.FixtureRequest, toy_folders: dict[bool, Path]) -> GenericVlm:
    """The toy model, with and without a prefix shared inside one lane."""
    return GenericVlm(load_pack(toy_folders[request.param]), threads=1, provider="cpu")


@pytest.fixture
def images() -> Callable[[int], np.ndarray]:
    """``n`` random pictures of the toy model's size."""
    return lambda n: np.random.default_rng(7).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
