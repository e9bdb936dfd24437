"""Models behind the :class:`~rsvlm_geo.vlm.Vlm` seam: packs on ONNX Runtime, remote endpoints."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsvlm_geo.vlm import Vlm

_HOME = {"Pack": "pack", "Session": "session", "load_pack": "pack", "open_session": "session"}

__all__ = ["Pack", "Session", "load_model", "load_pack", "open_session"]

_MINI = ("rsvlm_mini",)
_COCA = ("rsvlm_coca",)
_GENERIC = (
    "llava", "idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl", "paligemma", "florence2", "blip",
    "git", "vision-encoder-decoder",
)  # fmt: skip


def load_model(
    name_or_path: str | Path | None = None,
    provider: str = "auto",
    threads: int | None = None,
    **options: Any,
) -> Vlm:
    """Open a model: a pack by name or folder, or a remote endpoint by URL.

    Args:
        name_or_path: Name of an installed pack, its folder, or ``http(s)://host/v1#model`` of an
            OpenAI-compatible endpoint; None is the default pack.
        provider: ``auto``, or the execution provider that must run (``cuda``, ``cpu``, ...).
        threads: CPU threads; None is all cores.
        options: Passed on to the runtime (``variant=``, ``device_id=``, ``memory_limit_mb=``,
            ``verify=``).

    Raises:
        UnknownModelError: No such pack.
        PackError: The pack is incomplete, altered, or of an architecture nobody here runs.
        ProviderError: The provider asked for cannot run.
        EndpointError: The endpoint does not answer as one.
    """
    if isinstance(name_or_path, str) and name_or_path.startswith(("http://", "https://")):
        remote: Any = import_module("rsvlm_geo.model.remote")
        endpoint: Vlm = remote.RemoteVlm(name_or_path, **options)
        return endpoint

    from rsvlm_geo.errors import PackError
    from rsvlm_geo.model.pack import load_pack
    from rsvlm_geo.model.registry import find_pack

    pack = load_pack(find_pack(name_or_path), verify=options.pop("verify", True))
    kind = pack.model_type
    if kind in _MINI:
        mini: Any = import_module("rsvlm_geo.model.mini")
        small: Vlm = mini.MiniVlm(pack, provider=provider, threads=threads, **options)
        return small
    if kind in _GENERIC:
        generic: Any = import_module("rsvlm_geo.model.generic")
        large: Vlm = generic.GenericVlm(pack, provider=provider, threads=threads, **options)
        return large
    if kind in _COCA:
        coca: Any = import_module("rsvlm_geo.model.coca")
        captioner: Vlm = coca.CocaVlm(pack, provider=provider, threads=threads, **options)
        return captioner
    raise PackError(
        f"{pack.folder / 'config.json'} is of architecture {kind!r}, which is not run here; "
        f"take one of {', '.join(_MINI + _COCA + _GENERIC)}"
    )


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
