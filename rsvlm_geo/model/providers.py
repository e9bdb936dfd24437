"""Where a graph may run: ONNX Runtime's execution providers by short name, and what to do next."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
import warnings
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from rsvlm_geo.errors import MissingDependencyError, ModelWarning, ProviderError, require

__all__ = ["AUTO_ORDER", "PROVIDERS", "available", "import_onnxruntime", "next_step", "short_name"]

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "tensorrt": "TensorrtExecutionProvider",
        "cuda": "CUDAExecutionProvider",
        "rocm": "ROCMExecutionProvider",
        "migraphx": "MIGraphXExecutionProvider",
        "directml": "DmlExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
        "cpu": "CPUExecutionProvider",
    }
)
"""Short name -> ONNX Runtime's name."""

AUTO_ORDER = ("cuda", "migraphx", "rocm", "directml", "openvino", "cpu")
"""What ``auto`` tries. TensorRT builds engines for minutes and CoreML compiles anew for every
length of the cache, so these two run only when asked for by name."""

_WHEELS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino",
           "onnxruntime-rocm", "onnxruntime-migraphx", "onnxruntime-silicon")  # fmt: skip
_NEXT = {
    "tensorrt": "install the NVIDIA driver and TensorRT 10, then: pip install 'rsvlm-geo[gpu]'",
    "cuda": (
        "check the NVIDIA driver with nvidia-smi (CUDA 13 needs driver 580 or newer), then: "
        "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'rsvlm-geo[gpu]' "
        "(brings CUDA 13 and cuDNN 9; for a CUDA 12 machine: "
        "pip install 'onnxruntime-gpu[cuda,cudnn]>=1.24,<1.27')"
    ),
    "rocm": "install AMD's ROCm and its onnxruntime-rocm wheel",
    "migraphx": "install AMD's ROCm and its onnxruntime-migraphx wheel",
    "directml": "on Windows: pip uninstall -y onnxruntime && pip install 'rsvlm-geo[directml]'",
    "coreml": "CoreML comes with the onnxruntime wheel for macOS only",
    "openvino": "pip uninstall -y onnxruntime && pip install onnxruntime-openvino",
    "cpu": "pip install 'rsvlm-geo[cpu]'",
}
_said: set[str] = set()


def import_onnxruntime() -> ModuleType:
    """ONNX Runtime, with a guard against two of its wheels in one folder.

    Raises:
        MissingDependencyError: Not installed, or emptied by uninstalling one of two wheels.
    """
    ort = require("onnxruntime", extra="cpu")
    wheels = installed_wheels()
    if not hasattr(ort, "InferenceSession"):
        raise MissingDependencyError(
            "onnxruntime is installed but empty, as happens when one of two of its wheels was "
            f"uninstalled; {_repair(wheels)}"
        )
    if len(wheels) > 1:
        _warn_once(
            f"{' and '.join(wheels)} are installed into one folder, so that only the last one "
            f"installed works; {_repair(wheels)}"
        )
    return ort


def installed_wheels() -> tuple[str, ...]:
    """Which of ONNX Runtime's wheels pip knows of; more than one is a broken installation."""
    found = []
    for name in _WHEELS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            importlib.metadata.version(name)
            found.append(name)
    return tuple(found)


def available(ort: ModuleType) -> tuple[str, ...]:
    """Short names of the providers this ONNX Runtime was built with; not whether they can run."""
    built = set(ort.get_available_providers())
    return tuple(name for name, full in PROVIDERS.items() if full in built)


def short_name(full: str) -> str:
    """``CUDAExecutionProvider`` -> ``cuda``."""
    for name, known in PROVIDERS.items():
        if known == full:
            return name
    return full.removesuffix("ExecutionProvider").lower()


def next_step(name: str) -> str:
    """What a person does to get a provider."""
    return f"{_NEXT[name]}; or take --provider auto, and see: rsvlm-geo doctor"


def check_name(provider: str) -> None:
    """Refuse a provider nobody knows.

    Raises:
        ProviderError: Neither ``auto`` nor in :data:`PROVIDERS`.
    """
    if provider != "auto" and provider not in PROVIDERS:
        raise ProviderError(f"no provider {provider!r}; take auto or one of {', '.join(PROVIDERS)}")


def preload(ort: ModuleType, name: str) -> None:
    """Load pip-installed CUDA libraries before a session asks for them; what it prints is a log."""
    if name in ("cuda", "tensorrt") and hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(sys.stderr):
            ort.preload_dlls(directory=os.environ.get("RSVLM_CUDA_LIBS") or None)


def provider_options(name: str, device_id: int, memory_limit_mb: int | None) -> dict[str, Any]:
    """Options for one provider, as ONNX Runtime names them."""
    options: dict[str, Any] = {}
    if name in ("cuda", "tensorrt", "rocm", "migraphx", "directml"):
        options["device_id"] = str(device_id)
    if name in ("cuda", "rocm"):
        # the cache grows a step at a time: doubling the arena would take the card for nothing
        options["arena_extend_strategy"] = "kSameAsRequested"
        if memory_limit_mb is not None:
            options["gpu_mem_limit"] = str(memory_limit_mb << 20)
    return options


def _repair(wheels: tuple[str, ...]) -> str:
    gone = " ".join(wheels) or "onnxruntime"
    keep = "gpu" if "onnxruntime-gpu" in wheels else "cpu"
    return f"run: pip uninstall -y {gone} && pip install 'rsvlm-geo[{keep}]'"


def _warn_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        warnings.warn(message, ModelWarning, stacklevel=3)
