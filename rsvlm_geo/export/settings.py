"""What a pack needs beside its graphs: configuration, tokenizer, preprocessing."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.source import Checkpoint

__all__ = ["write_settings"]

_COPIED = ("preprocessor_config.json", "processor_config.json", "chat_template.json",
           "chat_template.jinja")  # fmt: skip
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
              "added_tokens.json")  # fmt: skip
_PRIVATE = ("auto_map", "_name_or_path", "transformers_weights", "custom_pipelines")
"""Keys that name code or a folder of the machine it was made on."""


def write_settings(checkpoint: Checkpoint, root: Path) -> None:
    """Write the settings of a checkpoint into a pack.

    Raises:
        ExportError: It has no tokenizer or preprocessing, or one that cannot be read.
    """
    _write_json(root / "config.json", _config(checkpoint))
    generation = _generation(checkpoint)
    if generation:
        _write_json(root / "generation_config.json", generation)
    for name in _COPIED:
        path = checkpoint.folder / name
        if path.suffix == ".json" and path.is_file():
            _write_json(root / name, _read_json(path))
        elif path.is_file():
            shutil.copyfile(path, root / name)
    if checkpoint.preprocessor is not None:
        _write_json(root / "preprocessor_config.json", dict(checkpoint.preprocessor))
    elif not any((root / n).is_file() for n in ("preprocessor_config.json", _COPIED[1])):
        raise ExportError(
            f"{checkpoint.folder} has no preprocessor_config.json, so nobody knows how its images "
            "are to be shown; download it beside the weights"
        )
    _write_tokenizer(checkpoint, root)


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(checkpoint.model.config.to_json_string(use_diff=False))
    public: dict[str, Any] = _public(said)
    return public


def _generation(checkpoint: Checkpoint) -> dict[str, Any]:
    model = checkpoint.model
    held = getattr(model, "generation_config", None)
    said: dict[str, Any] = {} if held is None else json.loads(held.to_json_string(use_diff=True))
    if checkpoint.family.model_type == "blip":
        # its text ends at [SEP] and begins at [DEC], whatever its configuration calls them
        text = model.config.text_config
        said["eos_token_id"] = text.sep_token_id
        said["decoder_start_token_id"] = text.bos_token_id
        said["pad_token_id"] = text.pad_token_id
    public: dict[str, Any] = _public(said)
    return public


def _write_tokenizer(checkpoint: Checkpoint, root: Path) -> None:
    folder = checkpoint.folder
    if (folder / "tokenizer.json").is_file():
        for name in _TOKENIZER:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, root / name)
        return
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        with tempfile.TemporaryDirectory() as scratch:
            tokenizer.save_pretrained(scratch)
            if not (Path(scratch) / "tokenizer.json").is_file():
                raise ValueError("it has no fast form")
            for name in (*_TOKENIZER, "chat_template.jinja"):
                if (Path(scratch) / name).is_file() and not (root / name).is_file():
                    shutil.copyfile(Path(scratch) / name, root / name)
    except Exception as error:  # each tokenizer library has its own
        raise ExportError(
            f"the tokenizer in {folder} cannot be written as tokenizer.json "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0][:160]}); download "
            "tokenizer.json beside the weights, or install sentencepiece"
        ) from error


def _public(said: Any) -> Any:
    if isinstance(said, dict):
        return {k: _public(v) for k, v in said.items() if k not in _PRIVATE}
    if isinstance(said, list):
        return [_public(v) for v in said]
    return said


def _read_json(path: Path) -> Any:
    try:
        return _public(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ExportError(f"{path} is not JSON ({error}); download it again") from error


def _write_json(path: Path, said: Any) -> None:
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
