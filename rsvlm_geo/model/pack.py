"""A model pack: a folder of graphs and what they need, checked before anything runs.

The layout is the one published ONNX models use (``config.json``, ``preprocessor_config.json``,
``tokenizer.json``, ``onnx/vision_encoder*.onnx``, ...), read as it is. Ours adds ``rsvlm.json``
(the card): what the model may be asked, its calibration, and the sha256 of every other file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.card import info_from_card
from rsvlm_geo.model.onnxfile import GraphFile, read_graph_file, safe_relative
from rsvlm_geo.vlm import ModelInfo

__all__ = ["CARD", "VARIANTS", "Pack", "hash_file", "load_pack"]

CARD = "rsvlm.json"
VARIANTS = ("", "fp16", "int8", "quantized", "uint8", "bnb4", "q4", "q4f16", "q8")
"""Suffixes of graph files; the empty one is fp32."""
_ORDER: Mapping[str, tuple[str, ...]] = {
    # A pack's own default comes first; these are for folders without a card.
    "cpu": ("int8", "quantized", "", "q8", "uint8", "q4", "fp16", "bnb4", "q4f16"),
    "gpu": ("fp16", "", "q4f16", "q4", "bnb4", "int8", "quantized", "q8", "uint8"),
}
_GRAPH = re.compile(rf"^(?P<part>.+?)(?:_(?P<variant>{'|'.join(v for v in VARIANTS if v)}))?$")
_SETTINGS = ("config", "generation_config", "preprocessor_config", "processor_config",
             "tokenizer_config", "chat_template", "special_tokens_map")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder that holds a model. Make one with :func:`load_pack`."""

    folder: Path
    settings: Mapping[str, Mapping[str, Any]]
    """Stem of a ``.json`` file (``config``, ``tokenizer_config``, ...) -> what it says."""
    card: Mapping[str, Any]
    """``rsvlm.json``; empty for a folder without one."""
    graphs: Mapping[str, Mapping[str, Path]]
    """Part (``vision_encoder``) -> variant (``""`` is fp32, ``int8``, ...) -> file."""
    info: ModelInfo
    """What it may be asked; ``sha256`` is that of the card, which holds those of all files."""
    verify: bool = True
    """Whether files are hashed before use."""
    _seen: set[Path] = field(default_factory=set, repr=False, compare=False)

    @property
    def config(self) -> Mapping[str, Any]:
        """``config.json``."""
        return self.settings.get("config", {})

    @property
    def model_type(self) -> str:
        """The architecture, as ``config.json`` names it."""
        return str(self.config.get("model_type", ""))

    def has(self, part: str) -> bool:
        """Whether there is a graph for a part, in any variant."""
        return part in self.graphs

    def graph(self, part: str, *, variant: str | None = None, provider: str = "cpu") -> Path:
        """The file of a graph, its hash checked.

        Args:
            part: ``vision_encoder``, ``embed_tokens``, ``decoder_model_merged``, ...
            variant: ``fp32``, ``fp16``, ``int8``, ...; None takes what the card or the provider
                prefers.
            provider: Where it will run, ``cpu`` or the name of an accelerator.

        Raises:
            PackError: No such part or variant, or the file is not the one the card describes.
        """
        found = self.graphs.get(part)
        if not found:
            raise PackError(
                f"{self.folder} has no onnx/{part}.onnx, in any variant; "
                "import or download the pack again"
            )
        path = found[self.choose(part, variant=variant, provider=provider)]
        self.check_file(path)
        for name in self.header(path).external:
            self.check_file(path.parent / name)
        return path

    def choose(self, part: str, *, variant: str | None = None, provider: str = "cpu") -> str:
        """Which variant of a part would be taken; see :meth:`graph`."""
        found = self.graphs.get(part, {})
        if variant is None:
            kind = "cpu" if provider in ("cpu", "openvino", "xnnpack") else "gpu"
            preferred = self.card.get("variants", {}).get(kind, {}).get(part)
            order = (() if preferred is None else (_suffix(preferred),)) + _ORDER[kind]
            for name in order:
                if name in found:
                    return name
            return next(iter(found))
        if _suffix(variant) not in found:
            raise PackError(
                f"{self.folder} has no {variant} variant of {part}; "
                f"take one of {', '.join(name or 'fp32' for name in found)}"
            )
        return _suffix(variant)

    def header(self, path: Path) -> GraphFile:
        """What a graph's file says about itself; see :func:`read_graph_file`."""
        return read_graph_file(path)

    def check_file(self, path: Path) -> None:
        """Compare a file with its sha256 in the card; once per pack object.

        Raises:
            PackError: Missing, not listed, or another content.
        """
        name = path.relative_to(self.folder).as_posix()
        if not path.is_file():
            raise PackError(f"{path} is missing from the pack; import or download it again")
        hashes: Mapping[str, str] = self.card.get("sha256", {})
        if not self.verify or not hashes or path in self._seen or name == CARD:
            return
        if name not in hashes:
            raise PackError(
                f"{path} is not listed in {CARD}; remove it, or run: "
                f"rsvlm-geo models verify {self.folder}"
            )
        got = hash_file(path)
        if got != hashes[name]:
            raise PackError(
                f"{path} is not the file the pack was made with: sha256 {got[:12]}..., "
                f"not {hashes[name][:12]}...; import or download the pack again"
            )
        self._seen.add(path)

    def files(self) -> tuple[Path, ...]:
        """Every file of the pack, sorted; hidden ones left out."""
        return tuple(
            sorted(
                path
                for path in self.folder.rglob("*")
                if path.is_file()
                and not any(p.startswith(".") for p in path.relative_to(self.folder).parts)
            )
        )


def load_pack(folder: str | Path, *, verify: bool = True) -> Pack:
    """Read a pack's settings and find its graphs; no graph is loaded.

    Args:
        folder: A folder in the published ONNX layout, with or without ``rsvlm.json``.
        verify: Check sha256 of settings now and of each graph before it is used.

    Raises:
        PackError: No such folder, a settings file that is not JSON, a file missing or altered, a
            path that leaves the folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise PackError(f"no model pack at {root}; run: rsvlm-geo models list")
    if not (root / "config.json").is_file():
        raise PackError(
            f"{root} is not a model pack: it has no config.json; "
            "a pack is a folder with config.json, tokenizer.json and onnx/*.onnx"
        )
    settings = {
        name: _read_json(root / f"{name}.json")
        for name in _SETTINGS
        if (root / f"{name}.json").is_file()
    }
    card = _read_card(root)
    pack = Pack(
        folder=root,
        settings=settings,
        card=card,
        graphs=_find_graphs(root),
        info=info_from_card(root, card, settings),
        verify=verify,
    )
    for path in sorted(root.glob("*.json")):
        pack.check_file(path)
    return pack


def hash_file(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def graph_parts(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """File stem -> ``(part, variant)``."""
    parts = {}
    for name in names:
        match = _GRAPH.match(name)
        assert match is not None
        parts[name] = (match["part"], match["variant"] or "")
    return parts


def _find_graphs(root: Path) -> dict[str, dict[str, Path]]:
    folder = root / "onnx" if (root / "onnx").is_dir() else root
    paths = {path.stem: path for path in sorted(folder.glob("*.onnx"))}
    if not paths:
        raise PackError(f"{root} has no onnx/*.onnx graph; import or download the pack again")
    found: dict[str, dict[str, Path]] = {}
    for stem, (part, variant) in graph_parts(list(paths)).items():
        found.setdefault(part, {})[variant] = paths[stem]
    return found


def _read_card(root: Path) -> dict[str, Any]:
    if not (root / CARD).is_file():
        return {}
    card = _read_json(root / CARD)
    if not isinstance(card.get("format", 1), int) or card.get("format", 1) > 1:
        raise PackError(
            f"{root / CARD} has format {card['format']!r}, newer than this program reads (1); "
            "upgrade rsvlm-geo"
        )
    for name, digest in card.get("sha256", {}).items():
        if not safe_relative(name):
            raise PackError(f"{root / CARD} lists {name!r}, outside of the pack; refused")
        if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise PackError(f"{root / CARD}: sha256 of {name!r} is {digest!r}, not 64 hex digits")
        if not (root / name).is_file():
            raise PackError(
                f"{root / name} is missing from the pack; import or download the pack again"
            )
    card["card_sha256"] = hash_file(root / CARD)
    return card


def _read_json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise PackError(f"{path} is not readable JSON ({error}); import the pack again") from error
    if not isinstance(said, dict):
        raise PackError(f"{path} holds a {type(said).__name__}, not an object")
    return said


def _suffix(variant: str) -> str:
    return "" if variant in ("", "fp32", "fp32-stored") else variant
