"""What a batch is asked, of which scenes: plain values that travel to workers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rsvlm_geo
from rsvlm_geo.errors import StacError, TaskError
from rsvlm_geo.pipeline import questions_for
from rsvlm_geo.remote.auth import redact
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.stac.item import StacItem
from rsvlm_geo.vlm import ModelInfo, Question

__all__ = ["Ask", "BatchSpec", "SceneRef", "scene_refs"]

PARTS_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Ask:
    """One question for every tile of every scene."""

    task: str
    """``describe`` or a name of :data:`rsvlm_geo.tasks.TASKS`."""
    target: tuple[str, ...] = ()
    question: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Everything that decides the answers, beside the scenes; pickles, and holds no secret."""

    asks: tuple[Ask, ...]
    model: Any = None
    """Name or folder of a pack, ``module:attribute`` of a :class:`rsvlm_geo.Vlm` (or of something
    that makes one), a Vlm that pickles, or None for the embedded pack."""
    provider: str = "auto"
    bands: tuple[Any, ...] | None = None
    """Bands to show; names for Items, names or 1-based numbers for files."""
    assets: tuple[str, ...] | None = None
    """Asset keys to take from Items."""
    signer: str | None = None
    """Spelling of a signer; it is made on the machine that reads."""
    allow_local: bool = False
    """Let Items from the network point at local files."""
    policy: ReadPolicy = field(default_factory=ReadPolicy)
    aoi: Any = None
    """Area of interest, lon/lat bbox or GeoJSON geometry; scenes outside are skipped."""
    gsd_m: float | None = None
    margin_m: float | None = None
    min_valid: float | None = None
    batch: int | None = None
    """Images the model is shown at once."""

    def __post_init__(self) -> None:
        if not self.asks:
            raise TaskError("a batch needs at least one question; add --task or questions:")

    def questions(self, info: ModelInfo, gsd_m: float | None) -> tuple[Question, ...]:
        """Every question of every ask, each once, for a model and a scene's GSD."""
        found: list[Question] = []
        for ask in self.asks:
            for question in questions_for(
                ask.task,
                info,
                target=list(ask.target) or None,
                question=ask.question,
                candidates=ask.candidates or None,
                gsd_m=gsd_m,
            ):
                if question not in found:
                    found.append(question)
        return tuple(found)

    @property
    def task(self) -> str:
        """The one task, or ``several``."""
        tasks = {ask.task for ask in self.asks}
        return tasks.pop() if len(tasks) == 1 else "several"

    def facts(self, info: ModelInfo) -> dict[str, Any]:
        """What the fingerprint is made of, fit for JSON and for people."""
        return {
            "code": f"{rsvlm_geo.__version__}/{PARTS_FORMAT}",
            "asks": [_plain(asdict(ask)) for ask in self.asks],
            "model": f"{info.name} {info.version}",
            "model_sha256": info.sha256,
            "image_size": info.image_size,
            "thresholds": [dict(info.refuse_above), dict(info.min_confidence)],
            "bands": _plain(self.bands),
            "assets": _plain(self.assets),
            "aoi": _plain(self.aoi),
            "gsd_m": self.gsd_m,
            "margin_m": self.margin_m,
            "min_valid": self.min_valid,
        }

    def fingerprint(self, info: ModelInfo) -> str:
        """Sixteen hex digits; equal for two runs whose parts may be used for one another."""
        text = json.dumps(self.facts(info), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


@dataclass(frozen=True, slots=True)
class SceneRef:
    """One scene of a batch: a path or URL, or an Item."""

    href: str
    """Path or URL of a raster; empty for an Item."""
    item: StacItem | None = None

    @property
    def name(self) -> str:
        """For people: the Item's ``collection/id``, or the path without a query."""
        return self.item.name if self.item is not None else redact(self.href)

    @property
    def key(self) -> str:
        """A folder name, unique among scenes and stable between runs."""
        if self.item is not None:
            first = next((str(a.get("href")) for a in self.item.data["assets"].values()), "")
            stem = self.item.id
            whole = "\n".join((self.item.collection, stem, redact(first)))
        else:
            stem, whole = Path(redact(self.href)).stem, redact(self.href)
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:60] or "scene"
        return f"{slug}-{hashlib.sha256(whole.encode()).hexdigest()[:10]}"


def scene_refs(sources: Any, *, signer: str | None = None) -> Iterable[SceneRef]:
    """The scenes of a batch, each once.

    Args:
        sources: Items (an iterable of them, an ItemCollection, ``-`` for standard input, a path or
            URL of one) or raster paths and URLs; or a sequence with both.
        signer: For Items behind a login.

    Raises:
        StacError: An Item cannot be used.
    """
    seen: set[str] = set()
    for ref in _refs(sources, signer):
        if ref.key not in seen:
            seen.add(ref.key)
            yield ref


def _refs(sources: Any, signer: str | None) -> Iterable[SceneRef]:
    from rsvlm_geo.stac.load import is_stac_path, load_items

    if isinstance(sources, SceneRef):
        yield sources
    elif isinstance(sources, (str, Path)):
        text = str(sources)
        if text == "-" or is_stac_path(text):
            for item in load_items(text, signer=signer):
                yield SceneRef("", item)
        elif any(c in text for c in "*?[") and "://" not in text and not Path(text).exists():
            found = sorted(_glob(text))
            if not found:
                raise StacError(f"no file matches {text}; check the pattern")
            for path in found:
                yield SceneRef(str(path))
        else:
            yield SceneRef(text if "://" in text else str(Path(text).absolute()))
    elif isinstance(sources, (StacItem, Mapping)) or hasattr(sources, "get_self_href"):
        for item in load_items(sources, signer=signer):
            yield SceneRef("", item)
    elif isinstance(sources, Sequence) or hasattr(sources, "__iter__"):
        for source in sources:
            yield from _refs(source, signer)
    else:
        raise StacError(f"a {type(sources).__name__} names no scenes; pass paths or Items")


def _glob(pattern: str) -> list[Path]:
    path = Path(pattern)
    root = Path(path.anchor) if path.is_absolute() else Path()
    return [p.absolute() for p in root.glob(str(path.relative_to(path.anchor)))]
