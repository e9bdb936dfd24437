"""The model as a STAC Item (``mlm`` extension), for results to link to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rsvlm_geo.stac.out import STAC_VERSION
from rsvlm_geo.stac.validation import EXTENSIONS
from rsvlm_geo.vlm import ModelInfo

__all__ = ["model_item"]

_TASKS = {
    "caption": "image-captioning",
    "classify": "scene-classification",
    "count": "regression",
    "locate": "object-detection",
    "presence": "classification",
    "ask": "generative",
}
_ACCELERATORS = {"cuda": "cuda", "rocm": "amd-rocm", "coreml": "macos-arm", "cpu": "amd64"}


def model_item(
    info: ModelInfo,
    *,
    created: str,
    href: str | None = None,
    architecture: str = "vision-language model",
    facts: Mapping[str, Any] | None = None,
    files: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The Item of a model.

    Args:
        info: What it is and may be asked.
        created: When the Item was made, ISO 8601 UTC with Z.
        href: Of the pack; an address that says where it came from when it is not published.
        architecture: In the words of the literature.
        facts: More ``mlm:`` properties, such as ``mlm:total_parameters``.
        files: Assets of the pack's own files, from :func:`rsvlm_geo.stac.out.asset_of`.
    """
    known = [_TASKS[t] for t in sorted(info.tasks) if t in _TASKS]
    tasks = list(dict.fromkeys(known)) or ["generative"]
    side = info.image_size
    name = _name(info.name)
    properties: dict[str, Any] = {
        "title": f"{info.name} {info.version}",
        "datetime": None,
        "start_datetime": "1970-01-01T00:00:00Z",
        "end_datetime": created,
        "created": created,
        "mlm:name": name,
        "mlm:architecture": architecture,
        "mlm:tasks": tasks,
        "mlm:framework": "ONNX",
        "mlm:accelerator": _accelerator(info.provider),
        "mlm:accelerator_constrained": False,
        "mlm:batch_size_suggestion": info.batch,
        "mlm:input": [
            {
                "name": "image",
                "bands": ["red", "green", "blue"],
                "description": "A tile of a scene, stretched to 8 bits.",
                "input": {
                    "shape": [-1, side, side, 3],
                    "dim_order": ["batch", "height", "width", "channel"],
                    "data_type": "uint8",
                },
            }
        ],
        "mlm:output": [
            {
                "name": "answers",
                "tasks": tasks,
                "description": "One typed answer per tile and question, refusals included.",
                "result": {"shape": [-1, 1], "dim_order": ["batch", "token"], "data_type": "other"},
            }
        ],
        "rsvlm:gsd_range_m": [v if v != float("inf") else None for v in info.gsd_range_m],
        "rsvlm:classes": [known.name for known in info.classes],
        "rsvlm:sha256": info.sha256,
    }
    if info.licence:
        properties["license"] = info.licence
    properties.update(facts or {})
    model: dict[str, Any] = {
        "href": href or f"urn:rsvlm:model:{name}:{info.version}",
        "type": "application/octet-stream; application=onnx",
        "title": f"{info.name}, ONNX pack",
        "roles": ["mlm:model", "mlm:weights"],
        "mlm:artifact_type": "onnx",
    }
    if info.sha256:
        model["rsvlm:sha256"] = info.sha256
    assets = {"model": model}
    assets.update({f"file-{i}": dict(asset) for i, asset in enumerate(files)})
    extensions = [EXTENSIONS["mlm"], *([EXTENSIONS["file"]] if files else [])]
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": extensions,
        "id": f"{name}-{info.version}",
        "geometry": None,
        "properties": properties,
        "links": [],
        "assets": assets,
    }


def _name(name: str) -> str:
    """As the extension wants it: a letter first, then letters, digits and ``_.-``."""
    clean = re.sub(r"[^a-zA-Z0-9_.-]+", "-", name).strip("-_.")
    if not re.match(r"^[a-zA-Z]", clean):
        clean = f"model-{clean}"
    return clean if len(clean) >= 3 else f"{clean}-model"


def _accelerator(provider: str) -> str | None:
    low = provider.lower()
    return next((value for word, value in _ACCELERATORS.items() if word in low), None)
