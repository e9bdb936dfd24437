"""``rsvlm.json``, a pack's card, and what may be told of a model that has none.

::

    {"format": 1, "name": "rsvlm-mini", "version": "1.0", "licence": "Apache-2.0",
     "image_size": 256, "batch": 8,
     "tasks": ["caption", "count", ...],
     "classes": [{"name": "storage_tank", "max_gsd_m": 1.2, "size_m": 60, "min_size_m": 6,
                  "synonyms": ["tank"]}],
     "scene_classes": {"any": ["airport", ...]},
     "scales": [{"native_gsd_m": [0.05, 2], "gsd_m": [0.3, 1], "domain": "any"}],
     "calibration": {"count": {"temperature": 1.1, "refuse_above": 0.6, "min_confidence": 0.3}},
     "variants": {"cpu": {"vision_encoder": "int8"}, "gpu": {"vision_encoder": "fp16"}},
     "chat": "vicuna_v1", "boxes": "permille",
     "sha256": {"onnx/vision_encoder.onnx": "..."},
     "evaluation": [...], "licences": {"weights": "...", "data": "..."}}

Every key but ``name`` is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rsvlm_geo.errors import PackError
from rsvlm_geo.tasks import TASKS
from rsvlm_geo.vlm import ClassInfo, ModelInfo, ScaleRule

__all__ = ["image_size_of", "info_from_card"]

_GENERAL = frozenset({"caption", "classify", "count", "presence", "ask"})


def info_from_card(
    root: Path, card: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]
) -> ModelInfo:
    """What a model is and may be asked.

    Args:
        root: The pack's folder, whose name serves a pack without a card.
        card: ``rsvlm.json``, with ``card_sha256`` added; or empty.
        settings: The pack's other ``.json`` files by stem.

    Raises:
        PackError: The card has a value that makes no sense.
    """
    size = card["image_size"] if "image_size" in card else image_size_of(settings)
    tasks = card.get("tasks", _GENERAL)
    unknown = sorted(set(tasks) - set(TASKS))
    try:
        return ModelInfo(
            name=str(card.get("name") or root.name),
            image_size=_positive(size, "image_size"),
            tasks=frozenset(tasks) & frozenset(TASKS),
            classes=tuple(_class(row) for row in card.get("classes", ())),
            scene_classes=MappingProxyType(
                {str(k): tuple(map(str, v)) for k, v in card.get("scene_classes", {}).items()}
            ),
            scales=tuple(_scale(row) for row in card.get("scales", ())),
            refuse_above=_limits(card, "refuse_above"),
            min_confidence=_limits(card, "min_confidence"),
            version=str(card.get("version", "0")),
            sha256=str(card.get("card_sha256", "")),
            licence=str(card.get("licence", "")),
            batch=_positive(card.get("batch", 8), "batch"),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise PackError(
            f"{root / 'rsvlm.json'} does not describe a model ({type(error).__name__}: {error}"
            f"{'; unknown tasks ' + ', '.join(unknown) if unknown else ''}); import the pack again"
        ) from error


def image_size_of(settings: Mapping[str, Mapping[str, Any]]) -> int:
    """Side of the square a model is shown, pixels, from its preprocessing or its configuration."""
    processor = _processor(settings)
    for key in ("crop_size", "max_image_size", "size"):
        said = processor.get(key)
        if isinstance(said, int):
            return said
        if isinstance(said, Mapping):
            for name in ("height", "shortest_edge", "longest_edge"):
                side = said.get(name)
                if isinstance(side, int) and side <= 4096 and "min_pixels" not in processor:
                    return side
    config = settings.get("config", {})
    for key in ("vision_config", "encoder"):
        side = config.get(key, {}).get("image_size") if isinstance(config.get(key), dict) else None
        if isinstance(side, int):
            return side
    return 448


def _processor(settings: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if "preprocessor_config" in settings:
        return settings["preprocessor_config"]
    nested = settings.get("processor_config", {}).get("image_processor", {})
    return nested if isinstance(nested, dict) else {}


def _class(row: Mapping[str, Any] | str) -> ClassInfo:
    if isinstance(row, str):
        return ClassInfo(row)
    return ClassInfo(
        name=str(row["name"]),
        max_gsd_m=_metres(row.get("max_gsd_m")),
        size_m=_metres(row.get("size_m")),
        min_size_m=_metres(row.get("min_size_m")),
        read_gsd_m=_metres(row.get("read_gsd_m")),
        synonyms=tuple(map(str, row.get("synonyms", ()))),
    )


def _scale(row: Mapping[str, Any]) -> ScaleRule:
    native, shown = row["native_gsd_m"], row["gsd_m"]
    low, high = float(native[0]), float(native[1])
    fine, coarse = float(shown[0]), float(shown[1])
    if not (0 <= low <= high and 0 < fine <= coarse):
        raise ValueError(f"scale {dict(row)} is not (finest, coarsest)")
    scene = row.get("scene_gsd_m")
    return ScaleRule(
        (low, high),
        (fine, coarse),
        str(row.get("domain", "any")),
        None if scene is None else float(scene),
    )


def _limits(card: Mapping[str, Any], key: str) -> Mapping[str, float]:
    return MappingProxyType(
        {
            str(task): float(row[key])
            for task, row in card.get("calibration", {}).items()
            if isinstance(row, Mapping) and row.get(key) is not None
        }
    )


def _metres(value: Any) -> float | None:
    return None if value is None else float(value)


def _positive(value: Any, name: str) -> int:
    number = int(value)
    if not 1 <= number <= 16384:
        raise ValueError(f"{name} must lie in 1..16384; got {value!r}")
    return number
