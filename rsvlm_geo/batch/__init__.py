"""Many scenes, many questions: resumable, on this machine or a Dask cluster.

::

    result = run(BatchSpec(asks=(Ask("count", target=("car",)),)), scenes, "out", backend="dask:4")

Every finished row of tiles is a file under the run's fingerprint; whatever dies, running again does
the rest. See ``docs/scale.md``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Ask": "spec",
    "BatchProgress": "driver",
    "BatchResult": "driver",
    "BatchSpec": "spec",
    "Estimate": "estimating",
    "SceneRef": "spec",
    "SchedulerLostError": "backends",
    "estimate": "estimating",
    "load_recipe": "recipe",
    "run": "driver",
    "scene_refs": "spec",
}

__all__ = [
    "Ask",
    "BatchProgress",
    "BatchResult",
    "BatchSpec",
    "Estimate",
    "SceneRef",
    "SchedulerLostError",
    "estimate",
    "load_recipe",
    "run",
    "scene_refs",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
