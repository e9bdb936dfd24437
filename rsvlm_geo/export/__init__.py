"""Checkpoints to ONNX packs. The only part of the package, with ``training``, that imports torch.

``export_pack("owner/name", "packs/name", revision="...")`` or ``rsvlm-geo export``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsvlm_geo.export.source import Checkpoint, open_checkpoint
    from rsvlm_geo.export.verify import Verification, verify_pack
    from rsvlm_geo.export.write import Exported, export_checkpoint, export_clip, export_pack

__all__ = [
    "Checkpoint",
    "Exported",
    "Verification",
    "export_checkpoint",
    "export_clip",
    "export_pack",
    "open_checkpoint",
    "verify_pack",
]

_HOMES = {
    "Checkpoint": "source",
    "open_checkpoint": "source",
    "Verification": "verify",
    "verify_pack": "verify",
    "Exported": "write",
    "export_checkpoint": "write",
    "export_clip": "write",
    "export_pack": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from rsvlm_geo.errors import require

    for module in ("torch", "transformers", "onnx", "onnxscript"):
        require(module, extra="export")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
