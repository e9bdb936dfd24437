"""The engine's protocol: JSON lines between a client (QGIS, a script) and this library. Pure.

Requests come in on the engine's stdin, events go out on its stdout, one JSON object a line, UTF-8.
``data/protocol.schema.json`` is the contract (JSON Schema 2020-12, ``$defs/request_*`` and
``$defs/event_*``), ``data/protocol.examples.json`` has one or two of each message. Receivers ignore
fields and event types that they do not know; a change that breaks this raises :data:`PROTOCOL`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from rsvlm_geo.errors import RsvlmError, TaskError

__all__ = [
    "PROTOCOL",
    "REQUESTS",
    "RUN_TASKS",
    "ProtocolError",
    "Request",
    "RunOptions",
    "decode_request",
    "encode_event",
    "error_event",
    "load_examples",
    "load_schema",
    "split_message",
]

PROTOCOL = 1
REQUESTS = ("info", "estimate", "run", "cancel", "shutdown")
RUN_TASKS = ("describe", "caption", "classify", "count", "locate", "presence", "ask")


class ProtocolError(RsvlmError, ValueError):
    """A line on stdin that is no request."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run; every field may be left out of the message."""

    model: str | None = None
    provider: str | None = None
    threads: int | None = None
    bands: tuple[int, ...] | None = None
    nodata: float | Literal[False] | None = None
    """Fill value instead of the declared one; False: everything is data."""
    gsd: float | None = None
    native_gsd: float | None = None
    margin: float | None = None
    stretch: tuple[tuple[float, float], ...] | None = None
    min_valid: float | None = None
    out: tuple[str, ...] = ()
    resume: bool = True
    keep_partial: bool = False
    inline: bool = False
    tile_events: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """One line of a client, read."""

    type: str
    id: str | None = None
    task: str | None = None
    source: str | None = None
    question: str | None = None
    target: str | None = None
    candidates: tuple[str, ...] | None = None
    bbox: tuple[float, float, float, float] | None = None
    polygon: Mapping[str, Any] | str | None = None
    """GeoJSON geometry; from the command line also the path of a vector file."""
    crs: str | None = None
    options: RunOptions = field(default_factory=RunOptions)


_OPTION_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "model": (str,), "provider": (str,), "threads": (int,), "bands": (list,),
        "nodata": (int, float, bool),
        "gsd": (int, float), "native_gsd": (int, float), "margin": (int, float),
        "stretch": (list,), "min_valid": (int, float), "out": (list,), "resume": (bool,),
        "keep_partial": (bool,), "inline": (bool,), "tile_events": (bool,),
    }
)  # fmt: skip


def load_schema() -> dict[str, Any]:
    """The contract as a JSON Schema."""
    return _load("protocol.schema.json")


def load_examples() -> dict[str, Any]:
    """``{"requests": [...], "events": [...]}``, all valid under :func:`load_schema`."""
    return _load("protocol.examples.json")


def _load(name: str) -> dict[str, Any]:
    text = files("rsvlm_geo").joinpath("data", name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def encode_event(event: Mapping[str, Any]) -> bytes:
    """One line of UTF-8 JSON with its newline; NaN is refused rather than sent."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def decode_request(line: str | bytes) -> Request:
    """Read one line of a client.

    Raises:
        ProtocolError: Not JSON, not an object, of no known type, or a field of the wrong kind.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a line of JSON: {error}; send one JSON object a line") from error
    if not isinstance(message, dict):
        raise ProtocolError(
            f"a request is a JSON object; got {type(message).__name__}; see the protocol schema"
        )
    kind = message.get("type")
    if kind not in REQUESTS:
        raise ProtocolError(f"no request {kind!r}; send one of {', '.join(REQUESTS)}")
    ident = message.get("id")
    if kind != "shutdown" and not (isinstance(ident, str) and ident):
        raise ProtocolError(f"{kind!r} needs an 'id' of text; got {ident!r}; choose a unique one")
    if kind not in ("run", "estimate"):
        return Request(type=kind, id=ident)
    task, source = message.get("task"), message.get("source")
    if task not in RUN_TASKS:
        raise TaskError(f"no task {task!r}; take one of {', '.join(RUN_TASKS)}")
    if not isinstance(source, str) or not source:
        raise ProtocolError(f"{kind!r} needs a 'source' path or URL; got {source!r}; name a raster")
    polygon = message.get("polygon")
    if polygon is not None and not isinstance(polygon, dict):
        raise ProtocolError("'polygon' is a GeoJSON object; got something else; see the schema")
    return Request(
        type=kind,
        id=ident,
        task=task,
        source=source,
        question=_text(message, "question"),
        target=_text(message, "target"),
        candidates=_texts(message, "candidates"),
        bbox=_bbox(message.get("bbox")),
        polygon=polygon,
        crs=_text(message, "crs"),
        options=_options({} if message.get("options") is None else message["options"]),
    )


def error_event(ident: str | None, error: BaseException, *, exit_code: int = 1) -> dict[str, Any]:
    """The ``error`` event of an exception; what is no :class:`RsvlmError` is a bug of ours."""
    if isinstance(error, RsvlmError):
        name, (message, next_step) = type(error).__name__, split_message(str(error))
    else:
        name = "InternalError"
        message = " ".join(f"{type(error).__name__}: {error}".split())
        next_step = "please report this, with the engine's log"
    return {
        "type": "error",
        "id": ident,
        "class": name,
        "message": message,
        "next_step": next_step,
        "exit_code": exit_code,
    }


def split_message(text: str) -> tuple[str, str | None]:
    """An error's sentence as (what is wrong, what to do): our messages put ``;`` between them."""
    text = " ".join(text.split())
    head, mark, tail = text.rpartition("; ")
    return (head, tail) if mark else (text, None)


def _text(message: Mapping[str, Any], key: str) -> str | None:
    value = message.get(key)
    if value is not None and not isinstance(value, str):
        raise ProtocolError(f"{key!r} is text; got {value!r}; see the protocol schema")
    return value or None


def _texts(message: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = message.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProtocolError(f"{key!r} is a list of text; got {value!r}; see the protocol schema")
    return tuple(value)


def _bbox(value: Any) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        raise ProtocolError(f"'bbox' is [west, south, east, north]; got {value!r}; send 4 numbers")
    west, south, east, north = (float(item) for item in value)
    return west, south, east, north


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _options(raw: Any) -> RunOptions:
    if not isinstance(raw, dict):
        raise ProtocolError(f"'options' is an object; got {raw!r}; see the protocol schema")
    known = {item.name for item in fields(RunOptions)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise ProtocolError(f"no option {key!r}; options are {', '.join(sorted(known))}")
        if value is None:
            continue
        kinds = _OPTION_TYPES[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ProtocolError(f"option {key!r} is a {wanted}; got {value!r}; see the schema")
        values[key] = value
    if "bands" in values:
        if not all(isinstance(b, int) and not isinstance(b, bool) for b in values["bands"]):
            raise ProtocolError(f"'bands' are 1-based numbers; got {values['bands']!r}; fix them")
        values["bands"] = tuple(values["bands"])
    if values.get("nodata") is True:
        raise ProtocolError("'nodata' is a number, or false for none; got True; see the schema")
    if "stretch" in values:
        try:
            values["stretch"] = tuple((float(low), float(high)) for low, high in values["stretch"])
        except (TypeError, ValueError) as error:
            raise ProtocolError(
                f"'stretch' is [[low, high], ...], one pair a band; got {values['stretch']!r}"
            ) from error
    if "out" in values:
        if not all(isinstance(item, str) for item in values["out"]):
            raise ProtocolError(f"'out' is a list of paths; got {values['out']!r}; fix them")
        values["out"] = tuple(values["out"])
    return RunOptions(**values)
