"""An embedder that knows colours: enough to search with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rsvlm_geo.retrieval.embedder import unit
from rsvlm_geo.vlm import ModelInfo

COLOURS = {"red": (1.0, 0.1, 0.1), "green": (0.1, 1.0, 0.1), "blue": (0.1, 0.1, 1.0)}


class ColourEmbedder:
    """The mean colour of an image; the colour a text names."""

    info = ModelInfo("colours", 32, frozenset(), sha256="0" * 64, batch=4)

    def embed_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return unit(images.reshape(len(images), -1, 3).mean(axis=1).astype(np.float32) + 1.0)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = [next((v for k, v in COLOURS.items() if k in t), (0.5, 0.5, 0.5)) for t in texts]
        return unit(np.array(found, dtype=np.float32))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small matrices on a busy machine: threads that wait for each other cost minutes."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture
def colours() -> ColourEmbedder:
    return ColourEmbedder()
