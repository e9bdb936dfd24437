"""Is the pack the model? Stage by stage against torch, on random inputs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.families import Family
from rsvlm_geo.export.reference import Reference, run_torch
from rsvlm_geo.export.runner import Graphs, run_graphs
from rsvlm_geo.export.sample import Sample, make_sample
from rsvlm_geo.export.source import open_checkpoint
from rsvlm_geo.export.variants import SUFFIXES

__all__ = ["LIMITS", "Verification", "make_reference", "verify_graphs", "verify_pack"]

Array = NDArray[Any]

LIMITS: Mapping[str, float] = {"fp32": 1e-3}
"""Largest difference at which a variant is called equal: of logits in their own units, of the
stages before them relative to their largest value. Other variants are never called equal: their
agreement is measured and stated."""

STEPS = 64


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared and how it came out."""

    variant: str
    steps: int
    """Greedy tokens generated for each of two prompts; 0 for two towers."""
    identical: int
    """How many of them are torch's, from the first on, in the worse row."""
    max_logit_diff: float
    """Over the steps before the rows part; 0 for two towers."""
    cosine: float
    """Lowest cosine between logits (or embeddings) and torch's, same steps."""
    stages: Mapping[str, float]
    """Stage -> largest absolute difference."""
    scales: Mapping[str, float]
    """Stage -> largest absolute value, which its difference is to be seen beside."""
    distinct: int
    """Different tokens among torch's: a loop of one token would prove little."""
    seconds: float
    against: str
    """Versions of what it was compared with."""

    @property
    def equal(self) -> bool:
        """All tokens identical and logits within the limit of the variant."""
        limit = LIMITS.get(self.variant)
        if limit is None or self.identical < self.steps or self.max_logit_diff > limit:
            return False
        return all(d <= limit * max(1.0, self.scales[name]) for name, d in self.stages.items())

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``rsvlm.json``."""
        return {
            "variant": self.variant,
            "equal": self.equal,
            "greedy_steps": self.steps,
            "greedy_identical": self.identical,
            "distinct_tokens": self.distinct,
            "max_logit_diff": self.max_logit_diff,
            "min_cosine": self.cosine,
            "stages": {
                name: {"max_diff": diff, "max_value": self.scales[name]}
                for name, diff in self.stages.items()
            },
            "seconds": round(self.seconds, 2),
            "against": self.against,
        }


def verify_pack(
    pack: str | Path,
    source: str,
    *,
    revision: str | None = None,
    vit: str | None = None,
    write: bool = True,
    seed: int = 0,
) -> list[Verification]:
    """Compare every variant of a pack with the checkpoint it came from.

    Args:
        pack: The pack's folder.
        source: The checkpoint, as for :func:`rsvlm_geo.export.export_pack`; ``revision`` and
            ``vit`` too.
        write: Put the result into ``rsvlm.json``, under ``verification``.
        seed: Of the random sample.

    Raises:
        ExportError: The pack or the checkpoint cannot be read, or are of two families.
    """
    root = Path(pack)
    card_path = root / "rsvlm.json"
    graphs = variants_in(root)
    checkpoint = open_checkpoint(source, revision=revision, vit=vit)
    sample, reference, positions = make_reference(checkpoint.family, checkpoint.model, seed=seed)
    checks = [
        verify_graphs(checkpoint.family, files, sample, reference, variant=variant,
                      positions=positions)
        for variant, files in graphs.items()
    ]  # fmt: skip
    if write and card_path.is_file():
        card = json.loads(card_path.read_text(encoding="utf-8"))
        card["verification"] = [check.to_json() for check in checks]
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        card_path.write_text(text, encoding="utf-8")
    return checks


def variants_in(root: Path) -> dict[str, dict[str, Path]]:
    """Variant -> part -> file, of the variants a pack has in full; ``mixed`` where it has none.

    Raises:
        ExportError: There are no graphs.
    """
    found: dict[str, dict[str, Path]] = {}
    suffixes = sorted({s for s in SUFFIXES.values() if s}, key=len, reverse=True)
    for path in sorted((root / "onnx").glob("*.onnx")):
        suffix = next((s for s in suffixes if path.stem.endswith(s)), "")
        variant = next(v for v, s in SUFFIXES.items() if s == suffix)
        if variant == "fp32" and _holds_half(path):
            variant = "fp32-stored"
        found.setdefault(variant, {})[path.stem.removesuffix(suffix)] = path
    if not found:
        raise ExportError(f"no graphs in {root / 'onnx'}; export the model first")
    parts = {part for files in found.values() for part in files}
    whole = {variant: files for variant, files in found.items() if set(files) == parts}
    return whole or {
        "mixed": {part: file for files in found.values() for part, file in files.items()}
    }


def _holds_half(path: Path) -> bool:
    """Whether weights of a float32 graph are stored as fp16."""
    import onnx_ir as ir

    weights = ir.load(path).graph.initializers.values()
    return any(value.dtype == ir.DataType.FLOAT16 for value in weights)


def make_reference(
    family: Family, model: Any, *, steps: int = STEPS, seed: int = 0
) -> tuple[Sample, Reference, Array | None]:
    """What torch says about one random sample.

    Returns:
        The sample, torch's stages, and the three-axis positions of the prompt where a family has
        them.
    """
    sample = make_sample(family, model, seed=seed)
    limit = _room(model, sample, family)
    reference = run_torch(family, model, sample, steps=min(steps, limit))
    return sample, reference, _positions(family, model, sample)


def verify_graphs(
    family: Family,
    files: Mapping[str, Path],
    sample: Sample,
    reference: Reference,
    *,
    variant: str = "fp32",
    positions: Array | None = None,
) -> Verification:
    """Run the graphs on a sample and compare.

    Args:
        family: The model's family.
        files: Part -> file.
        sample: From :func:`make_reference`, as the next two.
        reference: Torch's stages.
        variant: What the files are, for the limit.
        positions: Three-axis positions of the prompt.
    """
    began = time.perf_counter()
    steps = reference.tokens.shape[1]
    got = run_graphs(family, Graphs(files), sample, steps=steps, positions=positions)
    stages = {
        name: float(np.abs(got.stages[name].astype(np.float64) - value).max())
        for name, value in _comparable(reference.stages, got.stages)
    }
    if steps == 0:
        cosine = min(_cosine(got.stages[name], value) for name, value in reference.stages.items())
        identical, diff = 0, 0.0
    else:
        same = np.cumprod(got.tokens == reference.tokens, axis=1).sum(axis=1)
        identical = int(same.min())
        # the step at which rows part was still fed the same tokens
        pairs = [
            (got.logits[row, : n + 1], reference.logits[row, : n + 1]) for row, n in enumerate(same)
        ]
        diff = max(float(np.abs(a - b).max()) for a, b in pairs)
        cosine = min(_cosine(a, b) for a, b in pairs)
    return Verification(
        variant=variant,
        steps=steps,
        identical=identical,
        max_logit_diff=diff,
        cosine=cosine,
        stages=stages,
        scales={name: float(np.abs(reference.stages[name]).max()) for name in stages},
        distinct=len(np.unique(reference.tokens)),
        seconds=time.perf_counter() - began,
        against=_versions(),
    )


def _comparable(
    torch_stages: Mapping[str, Array], graph_stages: Mapping[str, Array]
) -> Sequence[tuple[str, Array]]:
    return [(n, v) for n, v in torch_stages.items() if n in graph_stages]


def _cosine(a: Array, b: Array) -> float:
    """The lowest over the last axis."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    return float(((x * y).sum(-1) / np.maximum(norms, 1e-30)).min())


def _positions(family: Family, model: Any, sample: Sample) -> Array | None:
    if family.model_type not in ("qwen2_vl", "qwen2_5_vl"):
        return None
    inputs = sample.for_torch()
    names = ("image_grid_thw", "attention_mask", "mm_token_type_ids")
    index, _ = model.model.get_rope_index(inputs["input_ids"], **{n: inputs[n] for n in names})
    positions: Array = index.numpy()
    return positions


def _room(model: Any, sample: Sample, family: Family) -> int:
    """How many tokens the position table leaves after the prompt."""
    text = model.config.get_text_config(decoder=True)
    most = getattr(text, "max_position_embeddings", None) or 10**9
    prompt = 1 if sample.start_id is not None else sample.input_ids.shape[1]
    return max(1, int(most) - prompt)


def _versions() -> str:
    import onnxruntime
    import torch
    import transformers

    return (
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"onnxruntime {onnxruntime.__version__}"
    )
