"""A checkpoint to export: from the hub at a fixed revision, from a folder, or VHM's two parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rsvlm_geo.errors import ExportError, require
from rsvlm_geo.export.families import Family, family_of
from rsvlm_geo.export.vhm import convert_vhm, is_vhm
from rsvlm_geo.tasks import TASKS

__all__ = ["Checkpoint", "open_checkpoint"]

_REPO = re.compile(r"^[\w.-]+/[\w.-]+$")
_SHA = re.compile(r"^[0-9a-f]{40}$")
_PATTERNS = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "pytorch_model*.bin"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in memory and where it came from."""

    model: Any
    """The transformers model, float32, in eval mode."""
    family: Family
    folder: Path
    """Where its tokenizer and processor files lie."""
    name: str
    source: Mapping[str, Any]
    """``repo`` and ``revision``, or ``folder`` (its name) and, for two parts, ``vit``."""
    licence: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    """What the pack's card says of how it is asked, beyond what its family is asked."""
    preprocessor: Mapping[str, Any] | None = None
    """``preprocessor_config.json``, where the checkpoint has none."""


def open_checkpoint(
    source: str, *, revision: str | None = None, vit: str | None = None
) -> Checkpoint:
    """Load a checkpoint. No code that comes with it is ever run.

    Args:
        source: A folder, or ``owner/name`` on the hub.
        revision: The commit, 40 hexadecimal digits; required for the hub, because a branch moves.
        vit: The vision tower, where the checkpoint comes in two parts.

    Raises:
        ExportError: It is not there, of another architecture, or its weights do not fit.
    """
    path = Path(source).expanduser()
    origin: dict[str, Any]
    if path.is_dir():
        origin = {"folder": path.resolve().name}
        name = path.resolve().name
    elif _REPO.match(source) and not path.exists():
        path = _download(source, revision)
        origin = {"repo": source, "revision": revision}
        name = source.rpartition("/")[2]
    else:
        raise ExportError(f"no checkpoint at {source}: neither a folder nor owner/name on the hub")
    config = _read_config(path)
    licence = _licence(path)
    if is_vhm(config):
        tower = None if vit is None else Path(vit).expanduser()
        if tower is not None:
            origin["vit"] = tower.name
        model = convert_vhm(path, tower)
        family = family_of({"model_type": "llava"}, str(path))
        card = _asked_like(config)
        return Checkpoint(model, family, path, name, origin, licence, card, _square(model))
    if vit is not None:
        raise ExportError(
            f"{path} holds a whole {config.get('model_type')} model; --vit is for a LLaVA or VHM "
            "checkpoint in its original two parts"
        )
    family = family_of(config, str(path / "config.json"))
    return Checkpoint(_load(path, family), family, path, name, origin, licence)


def _asked_like(config: Mapping[str, Any]) -> dict[str, Any]:
    """LLaVA's template and tokenisation; VHM, known by its list of layers, has tasks of its own."""
    card: dict[str, Any] = {"chat": "vicuna_v1", "tokenise": "chunks"}
    if isinstance(config.get("mm_vision_select_layer"), list):
        card |= {"answers": "vhm", "boxes": "vhm", "tasks": sorted(TASKS)}
    return card


def _square(model: Any) -> dict[str, Any]:
    """How LLaVA and VHM were shown images: padded to a square in the mean colour, then CLIP's."""
    side = model.config.vision_config.image_size
    return {
        "image_processor_type": "LlavaImageProcessor",
        "do_pad": True,
        "do_resize": True,
        "size": {"shortest_edge": side},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }


def _load(folder: Path, family: Family) -> Any:
    import transformers

    kind = getattr(transformers, family.architecture, None)
    if kind is None:
        raise ExportError(
            f"transformers {transformers.__version__} has no {family.architecture}; "
            "run: pip install -U 'transformers>=5.17'"
        )
    bars = transformers.utils.logging
    was_shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        model, said = kind.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # whatever the weights' reader meets
        raise ExportError(
            f"{folder} cannot be loaded as {family.architecture} ({type(error).__name__}: "
            f"{str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}); "
            "check its config.json and weights, or download it again"
        ) from error
    finally:
        if was_shown:
            bars.enable_progress_bar()
    wrong = {k: sorted(map(str, said[k])) for k in ("missing_keys", "mismatched_keys") if said[k]}
    if wrong:
        what = "; ".join(f"{k.replace('_', ' ')}: {', '.join(v[:3])}" for k, v in wrong.items())
        raise ExportError(
            f"the weights in {folder} do not fill a {family.architecture} ({what}); they belong to "
            "another model, or to an older layout of it"
        )
    return model.eval()


def _download(repo: str, revision: str | None) -> Path:
    if revision is None or not _SHA.match(revision):
        got = "none" if revision is None else repr(revision)
        raise ExportError(
            f"{repo} needs --revision, the commit to take (40 hexadecimal digits, on the model's "
            f"'Files' page); got {got}. A branch would give another model tomorrow"
        )
    hub: Any = require("huggingface_hub", extra="export")
    try:
        return Path(hub.snapshot_download(repo, revision=revision, allow_patterns=_PATTERNS))
    except Exception as error:  # its errors and those of whichever HTTP client it uses
        raise ExportError(
            f"{repo} at {revision[:8]} cannot be downloaded ({type(error).__name__}: "
            f"{str(error).strip().splitlines()[0][:160] if str(error).strip() else ''}); check the "
            "network, HF_ENDPOINT or HF_TOKEN, or download the folder elsewhere and pass its path"
        ) from error


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        onnx = any(folder.glob("**/*.onnx"))
        raise ExportError(
            f"{folder} has no config.json, so its architecture is unknown"
            + (
                "; it holds ONNX graphs already: rsvlm-geo models import"
                if onnx
                else "; pass the folder that holds config.json and the weights"
            )
        )
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExportError(f"{path} is not JSON ({error}); download it again") from error
    if not isinstance(said, dict):
        raise ExportError(f"{path} holds a {type(said).__name__}, not an object")
    return said


def _licence(folder: Path) -> str:
    """What the model card states, ``apache-2.0``; empty where it states nothing."""
    card = folder / "README.md"
    if not card.is_file():
        return ""
    head = card.read_text(encoding="utf-8", errors="replace")[:4000]
    found = re.search(r"^license:\s*([\w.+-]+)\s*$", head, re.M)
    return found[1] if found and head.startswith("---") else ""
