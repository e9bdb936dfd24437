"""A graph, loaded where it was asked to run, that says where it really runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import PackError, ProviderError
from rsvlm_geo.model import providers
from rsvlm_geo.model.onnxfile import TensorSpec

__all__ = ["Session", "SessionOptions", "open_session"]

Array = NDArray[Any]
_KINDS = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8",
    "tensor(uint8)": "uint8", "tensor(bool)": "bool", "tensor(bfloat16)": "bfloat16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How graphs are run."""

    provider: str = "auto"
    """``auto``, or a name of :data:`rsvlm_geo.model.providers.PROVIDERS`, which then must run."""
    threads: int | None = None
    """Threads within an operator; None: ``RSVLM_THREADS``, or all cores."""
    device_id: int = 0
    """Which card."""
    memory_limit_mb: int | None = None
    """Most device memory to take; None: no limit."""
    spinning: bool | None = None
    """Whether idle threads burn a core to start sooner; None: unless ``RSVLM_SPINNING=0``."""


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded graph."""

    path: Path
    provider: str
    """Short name of the provider that is really active."""
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    optional: Mapping[str, TensorSpec]
    """Inputs with a default inside the graph, which need not be fed."""
    ort: Any
    """The ``onnxruntime.InferenceSession``."""

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """Run the graph once, arrays in and out of host memory.

        Args:
            feeds: Input name -> array of the input's type; names the graph lacks are left out.
            outputs: Names wanted; None: all, in the graph's order.
        """
        known = {name: value for name, value in feeds.items() if self.takes(name)}
        result: list[Array] = self.ort.run(None if outputs is None else list(outputs), known)
        return result

    def takes(self, name: str) -> bool:
        """Whether the graph has an input of that name, with or without a default."""
        return name in self.inputs or name in self.optional

    def __call__(self, **feeds: Array) -> dict[str, Array]:
        """Run the graph once; output name -> array."""
        return dict(zip(self.outputs, self.run(feeds), strict=True))


def open_session(
    path: str | Path,
    provider: str = "auto",
    threads: int | None = None,
    *,
    device_id: int = 0,
    memory_limit_mb: int | None = None,
    spinning: bool | None = None,
) -> Session:
    """Load a graph where it was asked to run, or say why that cannot be.

    Args:
        path: An ``.onnx`` file.
        provider: A provider that must be the one that runs, or ``auto`` for the best that does.
        threads: Threads within an operator; None: ``RSVLM_THREADS``, or all cores.
        device_id: Which card.
        memory_limit_mb: Most device memory to take.
        spinning: Whether idle threads spin; None: unless ``RSVLM_SPINNING=0``.

    Raises:
        ProviderError: The provider asked for is unknown, absent, or lacks an operator.
        PackError: The graph is damaged, or newer than this ONNX Runtime.
        MissingDependencyError: ONNX Runtime is not installed.
    """
    file = Path(path)
    options = SessionOptions(provider, threads, device_id, memory_limit_mb, spinning)
    providers.check_name(provider)
    if not file.is_file():
        raise PackError(f"no graph at {file}; import or download the pack again")
    ort = providers.import_onnxruntime()
    built = providers.available(ort)
    if provider != "auto":
        if provider not in built:
            raise ProviderError(
                f"provider {provider!r} is not in this onnxruntime {ort.__version__} "
                f"(it has {', '.join(built)}); {providers.next_step(provider)}"
            )
        return _open(ort, file, provider, options)
    for name in providers.AUTO_ORDER:
        if name not in built:
            continue
        try:
            return _open(ort, file, name, options)
        except ProviderError as error:
            if name == "cpu":
                raise
            providers._warn_once(f"not using {name}: {error}")
    raise ProviderError(
        f"onnxruntime {ort.__version__} has no provider that runs here; "
        f"{providers.next_step('cpu')}"
    )


def _open(ort: ModuleType, path: Path, name: str, options: SessionOptions) -> Session:
    providers.preload(ort, name)
    wanted: list[Any] = [
        (
            providers.PROVIDERS[name],
            providers.provider_options(name, options.device_id, options.memory_limit_mb),
        )
    ]
    if name == "tensorrt" and "cuda" in providers.available(ort):
        more = providers.provider_options("cuda", options.device_id, options.memory_limit_mb)
        wanted.append((providers.PROVIDERS["cuda"], more))
    if name != "cpu":
        wanted.append(providers.PROVIDERS["cpu"])
    try:
        # enable_fallback=0: otherwise a failure is printed on stdout and the CPU taken in silence
        session = ort.InferenceSession(
            str(path), _ort_options(ort, name, options), providers=wanted, enable_fallback=0
        )
    except Exception as error:
        raise _translate(ort, path, name, error) from error
    active = providers.short_name(session.get_providers()[0])
    if active != name:
        raise ProviderError(
            f"asked for {name}, but {path.name} would run on {active}: the {name} libraries did "
            f"not load or no device answered; {providers.next_step(name)}"
        )
    return Session(
        path=path,
        provider=active,
        inputs={i.name: _spec(i) for i in session.get_inputs()},
        outputs={o.name: _spec(o) for o in session.get_outputs()},
        optional={o.name: _spec(o) for o in session.get_overridable_initializers()},
        ort=session,
    )


def _ort_options(ort: ModuleType, name: str, options: SessionOptions) -> Any:
    chosen = ort.SessionOptions()
    chosen.log_severity_level = 3
    threads = options.threads or int(os.environ.get("RSVLM_THREADS", "0") or 0)
    if threads < 0:
        raise ProviderError(f"threads must be at least 1; got {threads}")
    if threads:
        chosen.intra_op_num_threads = threads
    spinning = options.spinning
    if spinning is None:
        spinning = os.environ.get("RSVLM_SPINNING", "1") != "0"
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    if name == "directml":
        chosen.enable_mem_pattern = False
    return chosen


def _translate(ort: ModuleType, path: Path, name: str, error: Exception) -> Exception:
    """ONNX Runtime's error as one of ours, which names the file and the next step."""
    text = " ".join(str(error).split())
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"^Load model from \S+ failed:", "", text)
    text = re.sub(r"^/\S+:\d+ .*?\) ?(?=[A-Z])", "", text)
    kind = type(error).__name__
    if re.search(r"under development|IR version|unsupported model IR|opset .* (only|guarantee)",
                 text, re.I):  # fmt: skip
        return PackError(
            f"{path} is newer than onnxruntime {ort.__version__} reads: {text[:300]}; upgrade "
            "onnxruntime, or export the model again with --opset 18"
        )
    lacks = re.search(r"not a registered function/op|No Op registered|implementation for", text)
    if kind == "NotImplemented" or lacks:
        return ProviderError(
            f"{path} needs an operator that {name} on onnxruntime {ort.__version__} lacks: "
            f"{text[:200]}; upgrade onnxruntime, take another variant (--variant fp32), or "
            "another provider"
        )
    if re.search(r"CUDA|cuDNN|cublas|TensorRT|HIP|Dml|DirectML", text) and name != "cpu":
        return ProviderError(f"{name} cannot run {path}: {text[:300]}; {providers.next_step(name)}")
    if "allocate" in text.lower() or isinstance(error, MemoryError):
        return ProviderError(
            f"not enough memory on {name} to load {path}; take a smaller variant (--variant int8) "
            "or another provider"
        )
    if name != "cpu" and kind in ("Fail", "EPFail", "RuntimeException"):
        return ProviderError(f"{name} cannot run {path}: {text[:300]}; {providers.next_step(name)}")
    return PackError(
        f"onnxruntime {ort.__version__} cannot load {path}: {text[:300]}; "
        "import or download the pack again"
    )


def _spec(value: Any) -> TensorSpec:
    shape = tuple(d if isinstance(d, (int, str)) else None for d in value.shape)
    return TensorSpec(value.name, _KINDS.get(value.type, value.type), shape)


def np_dtype(spec: TensorSpec) -> np.dtype[Any]:
    """The numpy type of an input or output."""
    return np.dtype(spec.dtype)
