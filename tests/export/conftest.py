"""Packs of tiny random weights, exported once for the whole folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxscript")

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@dataclass(frozen=True)
class TinyPack:
    """A checkpoint on disk and the pack made of it."""

    source: Path
    vit: Path | None
    folder: Path
    done: Any
    """What :func:`rsvlm_geo.export.export_pack` returned."""


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], TinyPack]:
    """``tiny_pack("llava")``: exported at the first call, fp32; ``vhm`` is LLaVA in two parts."""
    import torch

    from rsvlm_geo.export import export_pack
    from rsvlm_geo.export.tiny_files import write_tiny
    from rsvlm_geo.export.tiny_vhm import write_tiny_vhm

    torch.set_num_threads(1)
    made: dict[str, TinyPack] = {}

    def make(model_type: str) -> TinyPack:
        if model_type not in made:
            root = tmp_path_factory.mktemp(model_type)
            vit = None
            if model_type == "vhm":
                vit = write_tiny_vhm(root / "source", root / "vit")
            else:
                write_tiny(model_type, root / "source")
            done = export_pack(
                str(root / "source"), root / "pack", vit=None if vit is None else str(vit)
            )
            made[model_type] = TinyPack(root / "source", vit, root / "pack", done)
        return made[model_type]

    return make
