"""Hugging Face's own exporter, for architectures it knows and this package does not.

optimum-onnx pins an older transformers than the rest of this package's exporter needs, so it lives
in an extra of its own (``pip install 'rsvlm-geo[optimum]'``, in an environment of its own), and is
never needed to run what it made. It knows no LLaVA-like model; it knows vision encoders with text
decoders, and those come out in the published layout, which the runtime reads as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import ExportError, OutputError, require

__all__ = ["export_with_optimum"]

_SHA = re.compile(r"^[0-9a-f]{40}$")


def export_with_optimum(
    source: str,
    out: str | Path,
    *,
    revision: str | None = None,
    opset: int = 18,
    licence: str = "",
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Export a checkpoint with optimum and lay it out as a pack.

    The result is not compared with torch here: optimum validates its own graphs.

    Args:
        source: A folder, or ``owner/name`` on the hub.
        out: The pack's folder; must not exist, or be empty.
        revision: The hub's commit, 40 hexadecimal digits.
        opset: Of the graphs.
        licence: Of the weights.
        say: Told what is being done.

    Raises:
        MissingDependencyError: optimum-onnx is not installed.
        ExportError: optimum does not know the architecture, or failed.
        OutputError: ``out`` is taken.
    """
    exporter: Any = require("optimum.exporters.onnx", extra="optimum")
    target = Path(out)
    local = Path(source).expanduser().is_dir()
    if not local and (revision is None or not _SHA.match(revision)):
        raise ExportError(
            f"{source} needs --revision, the commit to take (40 hexadecimal digits); got {revision}"
        )
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise OutputError(f"{target} exists; remove it or choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        say(f"optimum exports {source}")
        try:
            exporter.main_export(
                source,
                partial,
                task="image-to-text-with-past",
                opset=opset,
                revision=revision or "main",
                local_files_only=local,
                trust_remote_code=False,
            )
        except Exception as error:  # optimum raises whatever its parts raise
            raise ExportError(
                f"optimum cannot export {source} ({type(error).__name__}: "
                f"{str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}); "
                "leave --with-optimum out to use this package's own exporter"
            ) from error
        _lay_out(partial)
        card = {
            "format": 1,
            "name": target.name,
            "version": "1",
            "licence": licence,
            "source": {"folder": Path(source).name} if local else
                      {"repo": source, "revision": revision},
            "exported_with": {"optimum": "main_export"},
            "opset": opset,
            "sha256": _hashes(partial),
        }  # fmt: skip
        (partial / "rsvlm.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        if target.is_dir():
            target.rmdir()
        partial.chmod(0o755)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _lay_out(folder: Path) -> None:
    """optimum puts graphs beside the settings; the published layout has them in ``onnx/``."""
    (folder / "onnx").mkdir(exist_ok=True)
    graphs = [*folder.glob("*.onnx"), *folder.glob("*.onnx_data")]
    merged = any(path.stem == "decoder_model_merged" for path in graphs)
    for path in graphs:
        if merged and path.stem in ("decoder_model", "decoder_with_past_model"):
            path.unlink()  # the merged graph holds both
            continue
        path.rename(folder / "onnx" / path.name)


def _hashes(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
