"""The cache of keys and values: in host memory, or left on the device it was computed on.

Every array is [B, K, P, D]: rows, heads, tokens so far, width. The rest of the engine only ever
takes rows and columns, and stacks caches; it does not know where they lie.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.providers import PROVIDERS, import_onnxruntime
from rsvlm_geo.model.tinygraph import gather_graph, stack_graph

__all__ = ["Cache", "DeviceCache", "DeviceOps", "HostCache"]

Array = NDArray[Any]
Index = NDArray[np.int64]


class Cache(Protocol):
    """Keys and values of all layers."""

    @property
    def batch(self) -> int:
        """Rows."""
        ...

    @property
    def length(self) -> int:
        """Columns: tokens held, holes included."""
        ...

    def take(self, rows: Index, columns: Index | None = None) -> Cache:
        """The cache of some rows and columns, either of them repeated or reordered at will.

        Args:
            rows: int64[n].
            columns: int64[m], -1 for a column of anything (it is masked); None for all.
        """
        ...

    def stack(self, other: Cache) -> Cache:
        """This cache's rows, then another's of the same length."""
        ...

    def host(self) -> list[Array]:
        """The arrays in host memory, layer by layer, key then value."""
        ...


class HostCache:
    """A cache of numpy arrays."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.arrays = list(arrays)

    @classmethod
    def empty(
        cls, shapes: Sequence[tuple[int, int]], batch: int, dtype: np.dtype[Any]
    ) -> HostCache:
        """No tokens yet; shapes are ``(K, D)`` of each array."""
        return cls([np.zeros((batch, k, 0, d), dtype) for k, d in shapes])

    @property
    def batch(self) -> int:
        return int(self.arrays[0].shape[0]) if self.arrays else 0

    @property
    def length(self) -> int:
        return int(self.arrays[0].shape[2]) if self.arrays else 0

    def take(self, rows: Index, columns: Index | None = None) -> HostCache:
        if columns is None:
            return HostCache([np.take(a, rows, axis=0) for a in self.arrays])
        if self.length == 0:
            return HostCache(
                [
                    np.zeros((len(rows), a.shape[1], len(columns), a.shape[3]), a.dtype)
                    for a in self.arrays
                ]
            )
        picked = np.maximum(columns, 0)
        same = len(rows) == self.batch and bool((rows == np.arange(len(rows))).all())
        arrays = self.arrays if same else [np.take(a, rows, axis=0) for a in self.arrays]
        return HostCache([np.take(a, picked, axis=2) for a in arrays])

    def stack(self, other: Cache) -> HostCache:
        return HostCache(
            [np.concatenate(pair) for pair in zip(self.arrays, other.host(), strict=True)]
        )

    def host(self) -> list[Array]:
        return self.arrays


class DeviceOps:
    """What moves a cache about on one device."""

    def __init__(self, provider: str, device_id: int = 0) -> None:
        self.provider = provider
        self.device_id = device_id
        self.device = {"directml": "dml", "cpu": "cpu"}.get(provider, "cuda")
        self._ort: Any = import_onnxruntime()
        self._sessions: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def to_device(self, array: Array) -> Any:
        """A numpy array on the device, as an OrtValue."""
        return self._ort.OrtValue.ortvalue_from_numpy(
            np.ascontiguousarray(array), self.device, self.device_id
        )

    def gather(self, values: Sequence[Any], rows: Index, columns: Index) -> list[Any]:
        """Rows and columns of each array, without leaving the device."""
        return [self._run("gather", {"x": v}, {"rows": rows, "columns": columns}) for v in values]

    def stack(self, first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
        """Rows of the first, then of the second, array by array."""
        return [
            self._run("stack", {"a": a, "b": b}, {}) for a, b in zip(first, second, strict=True)
        ]

    def _run(self, kind: str, held: dict[str, Any], fed: dict[str, Array]) -> Any:
        dtype = _dtype_of(next(iter(held.values())))
        session = self._session(kind, dtype)
        binding = session.io_binding()
        for name, value in held.items():
            binding.bind_ortvalue_input(name, value)
        for name, array in fed.items():
            binding.bind_cpu_input(name, array)
        binding.bind_output("y", self.device, self.device_id)
        session.run_with_iobinding(binding)
        return binding.get_outputs()[0]

    def _session(self, kind: str, dtype: str) -> Any:
        with self._lock:
            if (kind, dtype) not in self._sessions:
                graph = gather_graph(dtype) if kind == "gather" else stack_graph(dtype)
                names: list[Any] = [PROVIDERS["cpu"]]
                if self.provider != "cpu":
                    chosen = PROVIDERS["cuda" if self.provider == "tensorrt" else self.provider]
                    names.insert(0, (chosen, {"device_id": str(self.device_id)}))
                self._sessions[kind, dtype] = self._ort.InferenceSession(graph, providers=names)
            return self._sessions[kind, dtype]


class DeviceCache:
    """A cache of OrtValues that stay on the device."""

    __slots__ = ("ops", "values")

    def __init__(self, values: Sequence[Any], ops: DeviceOps) -> None:
        self.values = list(values)
        self.ops = ops

    @property
    def batch(self) -> int:
        return int(self.values[0].shape()[0])

    @property
    def length(self) -> int:
        return int(self.values[0].shape()[2])

    def take(self, rows: Index, columns: Index | None = None) -> Cache:
        if self.length == 0:
            return HostCache(self.host()).take(rows, columns)
        picked = np.arange(self.length) if columns is None else np.maximum(columns, 0)
        return DeviceCache(
            self.ops.gather(self.values, np.asarray(rows, np.int64), picked.astype(np.int64)),
            self.ops,
        )

    def stack(self, other: Cache) -> Cache:
        if isinstance(other, DeviceCache):
            return DeviceCache(self.ops.stack(self.values, other.values), self.ops)
        return HostCache(self.host()).stack(other)

    def host(self) -> list[Array]:
        return [value.numpy() for value in self.values]


def _dtype_of(value: Any) -> str:
    return {"tensor(float)": "float32", "tensor(float16)": "float16"}[value.data_type()]
