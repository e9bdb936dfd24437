"""What an ONNX file says about itself, read without loading it: opsets, inputs, weights, operators.

A small reader of protobuf's wire format over a memory map, so that a pack can be judged (external
data outside its folder, absurd shapes, too new an opset, memory) before ONNX Runtime touches it,
and without the ``onnx`` package.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from rsvlm_geo.errors import PackError

__all__ = ["GraphFile", "TensorSpec", "read_graph_file"]

_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64,
         14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2,
         26: 2}  # fmt: skip
_NAMES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 8: "string", 9: "bool",
          10: "float16", 11: "float64", 16: "bfloat16"}  # fmt: skip
_MAX_ELEMENTS = 1 << 40
_MAX_RANK = 64


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A graph's input or output."""

    name: str
    dtype: str
    """numpy's name, ``float32``; ``onnx:N`` for types numpy does not have."""
    shape: tuple[int | str | None, ...] | None
    """A size, a symbol, or None where unknown; None when there is no shape at all."""


@dataclass(frozen=True, slots=True)
class GraphFile:
    """What one ``.onnx`` file holds."""

    path: Path
    ir_version: int
    opsets: Mapping[str, int]
    """Domain -> version; ``""`` is ONNX's own."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    external: tuple[str, ...]
    """Files of weights beside the graph, relative to its folder, sorted."""
    weight_bytes: int
    """Bytes of weights as stored, external data included."""
    operators: frozenset[str]
    """``op`` or ``domain::op``, of every node, subgraphs and functions included."""
    producer: str = ""
    initializers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Name -> shape of every weight of the main graph."""

    @property
    def opset(self) -> int:
        """Version of ONNX's own operators."""
        return self.opsets.get("", 0)


class _Malformed(Exception):
    pass


def read_graph_file(path: Path) -> GraphFile:
    """Read an ONNX file's header and the shapes of its weights.

    Args:
        path: An ``.onnx`` file.

    Raises:
        PackError: It is missing or empty, is not ONNX, is cut off, states absurd shapes, or keeps
            weights outside of its own folder.
    """
    if not path.is_file():
        raise PackError(f"no graph at {path}; import or download the pack again")
    if path.stat().st_size == 0:
        raise PackError(f"{path} is empty; import or download the pack again")
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _read_model(path, data)
        except (_Malformed, IndexError, UnicodeDecodeError) as error:
            raise PackError(
                f"{path} is not a readable ONNX file ({error}); "
                "it may be a Git LFS pointer or cut off: import or download the pack again"
            ) from error


def _read_model(path: Path, data: mmap.mmap) -> GraphFile:
    walk = _Walk(path)
    opsets: dict[str, int] = {}
    ir_version, producer, graphs = 0, "", 0
    for number, value in _fields(data, 0, len(data)):
        if number == 1 and isinstance(value, int):
            ir_version = value
        elif number == 2 and isinstance(value, tuple):
            producer = data[slice(*value)].decode()
        elif number == 7 and isinstance(value, tuple):
            graphs += 1
            walk.graph(data, *value, top=True)
        elif number == 8 and isinstance(value, tuple):
            domain, version = _opset(data, *value)
            opsets["" if domain == "ai.onnx" else domain] = version
        elif number == 25 and isinstance(value, tuple):
            walk.function(data, *value)
    if graphs != 1 or not opsets:
        raise _Malformed(f"{graphs} graphs and {len(opsets)} operator sets")
    return GraphFile(
        path=path,
        ir_version=ir_version,
        opsets=opsets,
        inputs=tuple(s for s in walk.inputs if s.name not in walk.initializers),
        outputs=tuple(walk.outputs),
        external=tuple(sorted(walk.external)),
        weight_bytes=walk.weight_bytes,
        operators=frozenset(walk.operators),
        producer=producer,
        initializers=walk.initializers,
    )


class _Walk:
    """Gathers, over a graph and all graphs inside it, what :class:`GraphFile` tells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs: list[TensorSpec] = []
        self.outputs: list[TensorSpec] = []
        self.external: set[str] = set()
        self.operators: set[str] = set()
        self.initializers: dict[str, tuple[int, ...]] = {}
        self.weight_bytes = 0

    def graph(self, data: mmap.mmap, start: int, end: int, *, top: bool = False) -> None:
        for number, value in _fields(data, start, end):
            if not isinstance(value, tuple):
                continue
            if number == 1:
                self.node(data, *value)
            elif number == 5:
                self.tensor(data, *value, top=top)
            elif number == 11 and top:
                self.inputs.append(_value_info(data, *value))
            elif number == 12 and top:
                self.outputs.append(_value_info(data, *value))

    def function(self, data: mmap.mmap, start: int, end: int) -> None:
        for number, value in _fields(data, start, end):
            if number == 7 and isinstance(value, tuple):
                self.node(data, *value)

    def node(self, data: mmap.mmap, start: int, end: int) -> None:
        op, domain = "", ""
        for number, value in _fields(data, start, end):
            if not isinstance(value, tuple):
                continue
            if number == 4:
                op = data[slice(*value)].decode()
            elif number == 7:
                domain = data[slice(*value)].decode()
            elif number == 5:
                for inner, part in _fields(data, *value):
                    if isinstance(part, tuple) and inner in (6, 11):
                        self.graph(data, *part)
                    elif isinstance(part, tuple) and inner in (5, 10):
                        self.tensor(data, *part, top=False)
        self.operators.add(f"{domain}::{op}" if domain not in ("", "ai.onnx") else op)

    def tensor(self, data: mmap.mmap, start: int, end: int, *, top: bool) -> None:
        dims: list[int] = []
        dtype, name, held, outside = 0, "", 0, False
        where: dict[str, str] = {}
        for number, value in _fields(data, start, end):
            if number == 1:
                dims.extend(_ints(data, value))
            elif number == 2 and isinstance(value, int):
                dtype = value
            elif number == 8 and isinstance(value, tuple):
                name = data[slice(*value)].decode()
            elif number == 9 and isinstance(value, tuple):
                held = value[1] - value[0]
            elif number == 13 and isinstance(value, tuple):
                pair = dict.fromkeys((1, 2), "")
                for inner, part in _fields(data, *value):
                    if isinstance(part, tuple):
                        pair[inner] = data[slice(*part)].decode()
                where[pair[1]] = pair[2]
            elif number == 14:
                outside = value == 1
        size = self._size(name, dims, dtype)
        if outside:
            self._outside(name, where, size)
        elif held and size is not None and held != size:
            raise PackError(
                f"{self.path}: weight {name!r} states shape {tuple(dims)} ({size} bytes) but holds "
                f"{held} bytes; import or download the pack again"
            )
        self.weight_bytes += size if size is not None else held
        if top:
            self.initializers[name] = tuple(dims)

    def _size(self, name: str, dims: list[int], dtype: int) -> int | None:
        count = 1
        for dim in dims:
            count *= dim
            if dim < 0 or count > _MAX_ELEMENTS or len(dims) > _MAX_RANK:
                raise PackError(
                    f"{self.path}: weight {name!r} states the absurd shape {tuple(dims)[:8]}; "
                    "the file is damaged or hostile, do not use it"
                )
        return -(-count * _BITS[dtype] // 8) if dtype in _BITS else None

    def _outside(self, name: str, where: Mapping[str, str], size: int | None) -> None:
        location = where.get("location", "")
        folder = self.path.parent
        if not safe_relative(location):
            raise PackError(
                f"{self.path}: weight {name!r} lies at {location!r}, outside of the pack; "
                "refused, because a pack may only read its own files"
            )
        target = folder / location
        if not target.is_file():
            raise PackError(
                f"{self.path} needs its weights in {target}, which is missing; "
                "import or download the pack again"
            )
        if target.resolve().parent != folder.resolve() and not target.resolve().is_relative_to(
            _pack_root(folder)
        ):
            raise PackError(
                f"{target} is a link to {target.resolve()}, outside of the pack; refused"
            )
        try:
            last = int(where.get("offset", "0")) + int(where.get("length", size or 0))
        except ValueError as error:
            raise _Malformed(f"weight {name!r} has no readable offset") from error
        if last > target.stat().st_size:
            raise PackError(
                f"{target} is cut off: weight {name!r} ends at byte {last} of "
                f"{target.stat().st_size}; import or download the pack again"
            )
        self.external.add(location)


def safe_relative(name: str) -> bool:
    """Whether a path stays inside the folder it is relative to, on every platform."""
    if not name or "\0" in name or PureWindowsPath(name).drive or PureWindowsPath(name).root:
        return False
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts


def _pack_root(folder: Path) -> Path:
    root = folder.parent if folder.name == "onnx" else folder
    resolved = root.resolve()
    # huggingface_hub keeps a snapshot's files as links into its own blobs folder
    if resolved.parent.name == "snapshots":
        return resolved.parent.parent
    return resolved


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """``(field number, value)``; a length-delimited value is the span ``(start, end)`` it fills."""
    at = start
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise _Malformed("field number 0")
        if wire == 0:
            value, at = _varint(data, at, end)
            yield number, value
        elif wire == 2:
            length, at = _varint(data, at, end)
            if at + length > end:
                raise _Malformed(f"cut off at byte {end}")
            yield number, (at, at + length)
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > end:
                raise _Malformed(f"cut off at byte {end}")
        else:
            raise _Malformed(f"wire type {wire}")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value - (1 << 64) if value >= 1 << 63 else value), at
        shift += 7
    raise _Malformed("a number that does not end")


def _ints(data: mmap.mmap, value: int | tuple[int, int]) -> list[int]:
    if isinstance(value, int):
        return [value]
    at, end = value
    found = []
    while at < end:
        number, at = _varint(data, at, end)
        found.append(number)
    return found


def _opset(data: mmap.mmap, start: int, end: int) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in _fields(data, start, end):
        if number == 1 and isinstance(value, tuple):
            domain = data[slice(*value)].decode()
        elif number == 2 and isinstance(value, int):
            version = value
    return domain, version


def _value_info(data: mmap.mmap, start: int, end: int) -> TensorSpec:
    name, dtype = "", 0
    shape: list[int | str | None] | None = None
    for number, value in _fields(data, start, end):
        if number == 1 and isinstance(value, tuple):
            name = data[slice(*value)].decode()
        elif number == 2 and isinstance(value, tuple):
            for kind, tensor in _fields(data, *value):
                if kind != 1 or not isinstance(tensor, tuple):
                    continue
                for inner, part in _fields(data, *tensor):
                    if inner == 1 and isinstance(part, int):
                        dtype = part
                    elif inner == 2 and isinstance(part, tuple):
                        shape = [_dim(data, d) for n, d in _fields(data, *part) if n == 1]
    return TensorSpec(
        name, _NAMES.get(dtype, f"onnx:{dtype}"), None if shape is None else tuple(shape)
    )


def _dim(data: mmap.mmap, value: int | tuple[int, int]) -> int | str | None:
    if not isinstance(value, tuple):
        return None
    for number, part in _fields(data, *value):
        if number == 1 and isinstance(part, int):
            return part
        if number == 2 and isinstance(part, tuple):
            return data[slice(*part)].decode()
    return None
