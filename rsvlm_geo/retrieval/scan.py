"""All of many vectors against one, fast: in bytes first, then the best of them in full.

Walking through a million float vectors costs as much as memory is slow. In bytes they are a
quarter of that, and ONNX Runtime, which the embedders need anyway, multiplies bytes with the
processor's own instructions for it (VNNI, AMX, dot products on ARM) on every core.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError, MissingDependencyError

__all__ = ["VectorSearch"]

_SHARD_BYTES = 1 << 29
"""Of one graph: protobuf holds 2 GB."""
_TOP = 63.0
"""Six bits and a sign: processors without VNNI add two products in sixteen bits, and a byte times
seven bits twice would not fit."""


class VectorSearch:
    """The nearest of many unit vectors.

    Up to ``small`` vectors, one product in float32. Beyond, all are first compared in bytes, about
    their mean (which no ranking depends on) and each to its own scale, and the best ``rescore`` of
    those are compared again in float32: a vector is missed only where ``rescore`` others seem
    nearer to seven bits. Without ONNX Runtime all are compared in float32, which is slower.

    Args:
        vectors: float32[n, D], unit length.
        rescore: How many are compared in full.
        small: Up to so many, all are.
        threads: CPU threads; None is all.

    Raises:
        DataError: The vectors are no table, or some are not finite.
    """

    def __init__(
        self, vectors: NDArray[np.float32], *, rescore: int = 1024, small: int = 50_000,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors.sum(axis=0)).all():
            raise DataError(
                f"an index is finite vectors of one length; got shape {self.vectors.shape}"
            )
        self.rescore = rescore
        self._scans: list[Any] = []
        if len(self.vectors) > small:
            self._scans = _open_scans(self.vectors, threads)

    def search(
        self, query: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The ``k`` nearest.

        Args:
            query: float32[D], unit length.
            k: At most so many.

        Returns:
            ``(int[k], float32[k])``: indices, best first, and cosines.
        """
        n = len(self.vectors)
        k = min(k, n)
        if k == 0:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        query = np.asarray(query, dtype=np.float32)
        near = self._near(query, min(max(self.rescore, 4 * k), n))
        scores = self.vectors @ query if near is None else self.vectors[near] @ query
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        return best if near is None else near[best], scores[best]

    def _near(self, query: NDArray[np.float32], m: int) -> NDArray[np.intp] | None:
        """The ``m`` that seem nearest, in no order; None where all are to be compared."""
        if not self._scans:
            return None
        top = max(float(np.abs(query).max()), 1e-12)
        said = (np.rint(query * (127.0 / top)) + 128).astype(np.uint8)[None]
        scores = np.concatenate([s.run(None, {"query": said})[0][0] for s in self._scans])
        return np.argpartition(scores, len(scores) - m)[len(scores) - m :]


def _open_scans(vectors: NDArray[np.float32], threads: int | None) -> list[Any]:
    from rsvlm_geo.model.providers import import_onnxruntime
    from rsvlm_geo.model.tinygraph import byte_scores_graph

    try:
        ort = import_onnxruntime()
    except MissingDependencyError:
        return []
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # idle threads of one shard must not burn the cores that the next one wants
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads:
        options.intra_op_num_threads = threads
    return [
        ort.InferenceSession(
            byte_scores_graph(columns, scales), options, providers=["CPUExecutionProvider"]
        )
        for columns, scales in _in_bytes(vectors)
    ]


def _in_bytes(
    vectors: NDArray[np.float32],
) -> Iterator[tuple[NDArray[np.int8], NDArray[np.float32]]]:
    """Shards as ``(int8[D, n], float32[n])``: columns about the mean, and the scale of each."""
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    shard = max(1, _SHARD_BYTES // vectors.shape[1])
    for start in range(0, len(vectors), shard):
        part = vectors[start : start + shard]
        columns = np.empty((part.shape[1], len(part)), dtype=np.int8)
        scales = np.empty(len(part), dtype=np.float32)
        for i in range(0, len(part), 1 << 13):  # never a second copy in float
            rows = part[i : i + (1 << 13)] - mean
            top = np.maximum(np.abs(rows).max(axis=1), 1e-12)
            columns[:, i : i + len(rows)] = np.rint(rows.T * (_TOP / top))
            scales[i : i + len(rows)] = top / _TOP
        yield columns, scales
