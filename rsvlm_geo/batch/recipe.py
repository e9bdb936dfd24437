"""A batch as a YAML file that can be shared and run again."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsvlm_geo.batch.spec import Ask, BatchSpec
from rsvlm_geo.errors import StacError, TaskError, require

__all__ = ["Recipe", "load_recipe"]

_TOP = (
    "search", "items", "files", "questions", "model", "provider", "bands", "assets", "signer",
    "allow_local", "aoi", "gsd_m", "margin_m", "min_valid", "batch", "out", "backend", "gpu",
    "tiles_per_task",
)  # fmt: skip
_SEARCH = (
    "url", "collections", "bbox", "datetime", "intersects", "filter", "ids", "max_items",
)  # fmt: skip
_ASK = ("task", "target", "question", "candidates")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to ask, of what, where to."""

    spec: BatchSpec
    scenes: Any
    """As :func:`rsvlm_geo.batch.scene_refs` takes them; a search runs when it is iterated."""
    out: str | None = None
    backend: str = "serial"
    gpu: bool = False
    tiles_per_task: int | None = None


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe; relative paths in it start at its folder.

    Raises:
        StacError: Unknown or missing entries.
        TaskError: Questions that cannot be asked.
    """
    yaml = require("yaml", extra="batch")
    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise StacError(f"cannot read {path}: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise StacError(f"{path} is not YAML: {' '.join(str(error).split())[:160]}") from error
    if not isinstance(data, Mapping):
        raise StacError(f"{path} holds no entries; it needs at least files: and questions:")
    return parse_recipe(data, path.parent, str(path))


def parse_recipe(data: Mapping[str, Any], base: Path, name: str) -> Recipe:
    """A recipe from its entries."""
    _known(data, _TOP, name)
    sources = [key for key in ("search", "items", "files") if data.get(key)]
    if not sources:
        raise StacError(f"{name} names no scenes; add search:, items: or files:")
    scenes: list[Any] = []
    for key in sources:
        value = data[key]
        if key == "search":
            _known(value, _SEARCH, f"{name}, search")
            if "url" not in value:
                raise StacError(f"{name}: search needs a url")
            scenes.append(_Search(dict(value), data.get("signer")))
        else:
            values = value if isinstance(value, list) else [value]
            scenes += [_place(str(v), base) for v in values]
    asks = data.get("questions")
    if not isinstance(asks, list) or not asks:
        raise TaskError(f"{name} asks nothing; add questions: with a list of task: entries")
    spec = BatchSpec(
        asks=tuple(_ask(entry, name) for entry in asks),
        model=data.get("model"),
        provider=str(data.get("provider", "auto")),
        bands=_tuple(data.get("bands")),
        assets=_tuple(data.get("assets")),
        signer=data.get("signer"),
        allow_local=bool(data.get("allow_local", False)),
        aoi=_tuple(data["aoi"]) if isinstance(data.get("aoi"), list) else data.get("aoi"),
        gsd_m=data.get("gsd_m"),
        margin_m=data.get("margin_m"),
        min_valid=data.get("min_valid"),
        batch=data.get("batch"),
    )
    out = data.get("out")
    return Recipe(
        spec,
        scenes,
        None if out is None else str(base / str(out)),
        str(data.get("backend", "serial")),
        bool(data.get("gpu", False)),
        data.get("tiles_per_task"),
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """A search that runs when its items are wanted."""

    entries: Mapping[str, Any]
    signer: str | None

    def __iter__(self) -> Any:
        from rsvlm_geo.stac.searching import search

        options = {k: v for k, v in self.entries.items() if k != "url"}
        if "datetime" in options:
            options["datetime"] = str(options["datetime"])
        return search(str(self.entries["url"]), signer=self.signer, **options)


def _ask(entry: Any, name: str) -> Ask:
    if isinstance(entry, str):
        return Ask("ask", question=entry)
    if not isinstance(entry, Mapping):
        raise TaskError(f"{name}: a question is a text or task: ...; got {entry!r}")
    _known(entry, _ASK, f"{name}, questions")
    task = entry.get("task") or ("ask" if entry.get("question") else None)
    if task is None:
        raise TaskError(f"{name}: a question needs task: or question:; got {dict(entry)!r}")
    return Ask(
        str(task),
        _tuple(entry.get("target")) or (),
        entry.get("question"),
        _tuple(entry.get("candidates")) or (),
    )


def _tuple(value: Any) -> tuple[Any, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _place(text: str, base: Path) -> str:
    if text == "-" or "://" in text or Path(text).is_absolute():
        return text
    return str(base / text)


def _known(data: Any, names: tuple[str, ...], where: str) -> None:
    if not isinstance(data, Mapping):
        raise StacError(f"{where}: expected entries, got {type(data).__name__}")
    for key in data:
        if key not in names:
            close = difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean {close[0]}:?" if close else f"there are {', '.join(names)}"
            raise StacError(f"{where} has an unknown entry {key!r}; {hint}")
