"""Whether a model will fit, before it is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.onnxfile import GraphFile

__all__ = ["available_memory", "check_memory", "estimate_memory"]

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_USED = (
    Path("/sys/fs/cgroup/memory.current"),
    Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def estimate_memory(graphs: Iterable[GraphFile], *, cache_bytes: int = 0) -> int:
    """Bytes of host memory a set of graphs takes, about.

    Weights count once, and half as much again while they are being optimised and packed for the
    processor; stored half-precision weights are widened to twice their size on a CPU.

    Args:
        graphs: Headers of the graphs.
        cache_bytes: Of the cache of keys and values that is planned for.
    """
    total = 0
    for graph in graphs:
        total += int(graph.weight_bytes * 1.5)
    return total + cache_bytes


def available_memory() -> int | None:
    """Bytes of memory that can be taken now, container limits heeded; None when unknown."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) << 10)
    except OSError:
        pass
    for limit, used in zip(_LIMITS, _USED, strict=True):
        try:
            found.append(
                int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii"))
            )
        except (OSError, ValueError):
            continue
    if not found and sys.platform != "win32" and hasattr(os, "sysconf"):
        names = os.sysconf_names
        if "SC_PHYS_PAGES" in names:
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return max(0, min(found)) if found else None


def check_memory(folder: Path, graphs: Iterable[GraphFile], *, cache_bytes: int = 0) -> int:
    """Refuse a model that cannot fit into memory, before hours of swapping.

    Returns:
        The estimate, bytes.

    Raises:
        PackError: It needs more than there is.
    """
    needed = estimate_memory(graphs, cache_bytes=cache_bytes)
    there = available_memory()
    if there is not None and needed > there:
        raise PackError(
            f"{folder} needs about {needed / 1e9:.1f} GB of memory and {there / 1e9:.1f} GB are "
            "free; take a smaller variant (variant='int8' or 'q4'), or a smaller model"
        )
    return needed
