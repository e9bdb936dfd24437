"""optimum's graphs in the product's runtime; needs an environment with the ``optimum`` extra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsvlm_geo.errors import ExportError, MissingDependencyError, OutputError

pytestmark = pytest.mark.export


def test_absent_or_refused(tmp_path: Path) -> None:
    from rsvlm_geo.export.optimum import export_with_optimum

    try:
        import optimum.exporters.onnx  # noqa: F401
    except ImportError:
        with pytest.raises(MissingDependencyError, match=r"rsvlm-geo\[optimum\]"):
            export_with_optimum(str(tmp_path), tmp_path / "pack")
        return
    with pytest.raises(ExportError, match="--revision"):
        export_with_optimum("owner/name", tmp_path / "pack")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine").touch()
    with pytest.raises(OutputError, match="exists"):
        export_with_optimum(str(tmp_path), tmp_path / "pack")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_tokens_equal_transformers(tmp_path: Path) -> None:
    pytest.importorskip("optimum.exporters.onnx", reason="the optimum extra is not installed")
    import torch

    from rsvlm_geo.export.optimum import export_with_optimum
    from rsvlm_geo.export.tiny_files import write_tiny
    from rsvlm_geo.model import load_model
    from rsvlm_geo.model.sampling import Sampling

    model = write_tiny("vision-encoder-decoder", tmp_path / "source")
    folder = export_with_optimum(str(tmp_path / "source"), tmp_path / "pack")
    vlm: Any = load_model(folder, provider="cpu", threads=1)
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3), np.uint8)
    ours = vlm.generate(images, [""], Sampling(max_new_tokens=64, suppress=(258,),
                                               stop_loops=False))  # fmt: skip
    pixels = torch.from_numpy(vlm.runtime.preprocess(images).pixel_values)
    theirs = model.generate(pixels, max_new_tokens=64, do_sample=False, suppress_tokens=[258])
    for row, truth in zip(ours, theirs, strict=True):
        assert list(row[0].tokens) == truth[1:].tolist()
