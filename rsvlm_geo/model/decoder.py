"""One call of a decoder graph, whoever exported it.

Read off the graph's inputs, never off a name in a configuration: token ids or embeddings, with or
without positions, a cache that grows (``past_key_values.3.key`` or ``.3.decoder.key``), and for
encoder-decoders one that does not (``cross.3.key`` or ``past_key_values.3.encoder.key``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import PackError, ProviderError
from rsvlm_geo.model.kv import Cache, DeviceCache, DeviceOps, HostCache
from rsvlm_geo.model.session import Session

__all__ = ["Decoder", "OutOfMemory", "Step", "encode_pixels", "is_out_of_memory", "run_encoder"]

Array = NDArray[Any]
_PAST = re.compile(r"^past_key_values\.(\d+)\.(?:(decoder|encoder)\.)?(key|value)$")
_CROSS = re.compile(r"^cross\.(\d+)\.(key|value)$")
_MEMORY = re.compile(
    r"failed to allocate|out of memory|bad_?alloc|bad allocation|CUDA failure 2\b", re.I
)


class OutOfMemory(ProviderError):
    """A call did not fit; a smaller one may."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of ONNX Runtime or numpy says that memory ran out."""
    return isinstance(error, MemoryError) or _MEMORY.search(str(error)) is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What one call is fed; B rows, S new tokens, P tokens in the cache."""

    attention_mask: NDArray[np.int64]
    """int64[B, P + S], 0 at holes."""
    positions: NDArray[np.int64]
    """int64[B, S], or int64[3, B, S] for m-rope."""
    ids: NDArray[np.int64] | None = None
    """int64[B, S]."""
    embeds: Array | Any = None
    """float[B, S, D], or an OrtValue of that shape on the device."""
    types: NDArray[np.int64] | None = None
    """int64[B, P + S], 0 where tokens see each other both ways."""
    bias: NDArray[np.float32] | None = None
    """float32[B, 1, S, P + S] added to the attention scores; None for nothing."""
    static: Mapping[str, Array] = field(default_factory=dict)
    """What the encoder gave, by input name; first axis B."""
    keep: int = 0
    """Logits of only the last so many tokens are needed; 0 for all."""


class Decoder:
    """A decoder graph and how to call it."""

    def __init__(self, session: Session, *, ops: DeviceOps | None = None) -> None:
        """Read the graph's inputs.

        Args:
            session: The loaded graph.
            ops: Keeps the cache on a device; None keeps it in host memory.

        Raises:
            PackError: The graph has no cache, or the cache has no fixed shape.
        """
        self.session = session
        self.ops = ops
        self.grow: list[str] = []
        self.fixed: list[str] = []
        for name in session.inputs:
            match = _PAST.match(name)
            if match and match[2] != "encoder":
                self.grow.append(name)
            elif match or _CROSS.match(name):
                self.fixed.append(name)
        self.shapes = [self._heads(name) for name in self.grow]
        self.fixed_shapes = {name: self._heads(name) for name in self.fixed}
        first = session.inputs[self.grow[0]] if self.grow else None
        self.dtype = np.dtype(np.float32 if first is None else first.dtype)
        self.takes_ids = "input_ids" in session.inputs
        self.takes_types = session.takes("token_type_ids")
        self.mrope = len(session.inputs["position_ids"].shape or ()) == 3 if session.takes(
            "position_ids") else False  # fmt: skip
        self.learns_fixed = any(_PAST.match(name) for name in self.fixed)
        embeds = session.inputs.get("inputs_embeds")
        self.embed_dtype = np.dtype(np.float32 if embeds is None else embeds.dtype)
        if not self.grow:
            raise PackError(
                f"{session.path} has no past_key_values inputs; it was exported without a cache, "
                "take the pack's decoder_model_merged"
            )
        self.seconds = 0.0
        """Spent inside the graph so far."""
        self.calls = 0

    def _heads(self, name: str) -> tuple[int, int]:
        shape = self.session.inputs[name].shape or ()
        if len(shape) != 4 or not isinstance(shape[1], int) or not isinstance(shape[3], int):
            raise PackError(
                f"{self.session.path}: input {name} has shape {shape}, not (batch, heads, past, "
                "width) with known heads and width; export the model again"
            )
        return shape[1], shape[3]

    def takes(self, name: str) -> bool:
        """Whether an input can be fed; IOBinding cannot feed one that has a default."""
        return name in self.session.inputs or (self.ops is None and name in self.session.optional)

    @property
    def takes_bias(self) -> bool:
        """Whether branches that do not see each other may lie in one row."""
        return self.takes("attention_bias")

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes one token takes in the cache, of one row."""
        return sum(k * d for k, d in self.shapes) * self.dtype.itemsize

    def empty(self, batch: int) -> HostCache:
        """A cache of no tokens."""
        return HostCache.empty(self.shapes, batch, self.dtype)

    def __call__(self, step: Step, cache: Cache) -> tuple[Array, Cache, dict[str, Array]]:
        """Run the graph once.

        Args:
            step: What is new.
            cache: What came before, B rows.

        Returns:
            float32[B, S or keep, V] logits, the grown cache, and what the first call of a merged
            encoder-decoder graph computed from the encoder (feed it as ``static`` from then on).

        Raises:
            OutOfMemory: It did not fit.
        """
        feeds = self._feeds(step, cache)
        wanted = ["logits", *(name.replace("past_key_values", "present") for name in self.grow)]
        learnt = (
            [name for name in self.fixed if name not in step.static] if self.learns_fixed else []
        )
        outputs = wanted + [name.replace("past_key_values", "present") for name in learnt]
        began = time.perf_counter()
        try:
            if self.ops is None:
                result = self.session.ort.run(outputs, feeds | self._past(cache))
                grown: Cache = HostCache(result[1 : len(wanted)])
            else:
                result, grown = self._run_bound(feeds, cache, outputs, len(wanted))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            rows, length = step.attention_mask.shape
            raise OutOfMemory(
                f"{self.session.path.name} ran out of memory on {self.session.provider} with "
                f"{rows} rows of {length} tokens; take a smaller batch or another variant"
            ) from error
        finally:
            self.seconds += time.perf_counter() - began
            self.calls += 1
        logits: Array = result[0]
        if logits.dtype != np.float32:
            logits = logits.astype(np.float32)
        return logits, grown, dict(zip(learnt, result[len(wanted) :], strict=True))

    def _feeds(self, step: Step, cache: Cache) -> dict[str, Any]:
        session = self.session
        batch = step.attention_mask.shape[0]
        feeds: dict[str, Any] = {}
        if self.takes_ids:
            feeds["input_ids"] = step.ids
        else:
            feeds["inputs_embeds"] = step.embeds
        offered: dict[str, Any] = {
            "attention_mask": step.attention_mask,
            "decoder_attention_mask": step.attention_mask,
            "position_ids": step.positions,
            "token_type_ids": step.types,
            "attention_bias": step.bias,
        }
        for name, value in offered.items():
            if value is not None and self.takes(name):
                feeds[name] = value
        if step.keep:
            for name in ("num_logits_to_keep", "logits_to_keep"):
                if self.takes(name):
                    spec = session.inputs.get(name) or session.optional[name]
                    shape = () if not spec.shape else (1,)
                    feeds[name] = np.full(shape, step.keep, np.int64)
        for name in ("num_logits_to_keep", "logits_to_keep"):
            if name in session.inputs and name not in feeds:
                spec = session.inputs[name]
                feeds[name] = np.zeros(() if not spec.shape else (1,), np.int64)
        if "use_cache_branch" in session.inputs:
            feeds["use_cache_branch"] = np.array([cache.length > 0])
        feeds.update((name, value) for name, value in step.static.items() if self.takes(name))
        for name in self.fixed:
            if name not in feeds:
                heads, width = self.fixed_shapes[name]
                feeds[name] = np.zeros((batch, heads, 0, width), self.dtype)
        return feeds

    def _past(self, cache: Cache) -> dict[str, Array]:
        return dict(zip(self.grow, cache.host(), strict=True))

    def _run_bound(
        self, feeds: dict[str, Any], cache: Cache, outputs: list[str], kept: int
    ) -> tuple[list[Array], Cache]:
        """Run with the cache left where it is; only logits come back."""
        assert self.ops is not None
        binding = self.session.ort.io_binding()
        for name, value in feeds.items():
            if isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
            else:
                binding.bind_ortvalue_input(name, value)
        held = cache.values if isinstance(cache, DeviceCache) else cache.host()
        for name, value in zip(self.grow, held, strict=True):
            if isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
            else:
                binding.bind_ortvalue_input(name, value)
        for place, name in enumerate(outputs):
            if 0 < place < kept:
                binding.bind_output(name, self.ops.device, self.ops.device_id)
            else:
                binding.bind_output(name, "cpu")
        self.session.ort.run_with_iobinding(binding)
        values = binding.get_outputs()
        grown = DeviceCache(values[1:kept], self.ops)
        return [values[0].numpy(), *values[1:kept], *(v.numpy() for v in values[kept:])], grown


_PIXELS_AT_ONCE = 2 * 336 * 336


def encode_pixels(session: Session, pixel_values: NDArray[np.float32]) -> Array:
    """An encoder's first output for a batch of images.

    On a processor a few at a time: what the cache holds need not come from memory again, which is
    worth a third of the time in int8.

    Args:
        session: Takes nothing but ``pixel_values``.
        pixel_values: float32[B, 3, H, W].

    Raises:
        OutOfMemory: It did not fit.
    """
    batch, _, height, width = pixel_values.shape
    few = batch
    if session.provider == "cpu":
        few = max(1, _PIXELS_AT_ONCE // (height * width))
    parts = [
        run_encoder(session, {"pixel_values": pixel_values[at : at + few]})[0]
        for at in range(0, batch, few)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def run_encoder(session: Session, feeds: Mapping[str, Array]) -> list[Array]:
    """Run a graph without a cache once, inputs cast to the types it takes.

    Raises:
        OutOfMemory: It did not fit.
    """
    cast = {
        name: value.astype(session.inputs[name].dtype, copy=False)
        for name, value in feeds.items()
        if name in session.inputs
    }
    try:
        return session.run(cast)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"{session.path.name} ran out of memory on {session.provider}; take a smaller batch "
            "or another variant"
        ) from error
