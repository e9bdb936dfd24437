"""Where packs are kept, and finding one by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rsvlm_geo.errors import UnknownModelError

__all__ = ["DEFAULT_MODEL", "find_pack", "iter_packs", "pack_folders", "user_pack_folder"]

DEFAULT_MODEL = "rsvlm-mini"
"""The pack that comes with the package."""


def user_pack_folder() -> Path:
    """Where imported packs go: the first of ``RSVLM_PACKS``, or the platform's data folder."""
    told = [part for part in os.environ.get("RSVLM_PACKS", "").split(os.pathsep) if part]
    if told:
        return Path(told[0]).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return base / "rsvlm-geo" / "packs"


def pack_folders() -> tuple[Path, ...]:
    """Folders searched for packs, in order: ``RSVLM_PACKS``, the user's own, the package's."""
    told = [Path(p).expanduser() for p in os.environ.get("RSVLM_PACKS", "").split(os.pathsep) if p]
    own = Path(__file__).resolve().parent.parent / "packs"
    return tuple(dict.fromkeys([*told, user_pack_folder(), own]))


def iter_packs() -> Iterator[Path]:
    """Folders of every pack; of two with one name, the first found."""
    seen = set()
    for folder in pack_folders():
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.name[0] not in "._" and path.name not in seen and _is_pack(path):
                seen.add(path.name)
                yield path


def find_pack(name: str | Path | None = None) -> Path:
    """The folder of a pack.

    Args:
        name: A folder, the name of an imported pack, or None for ``RSVLM_MODEL`` or the default.

    Raises:
        UnknownModelError: No pack by that name.
    """
    wanted = name if name is not None else os.environ.get("RSVLM_MODEL") or DEFAULT_MODEL
    path = Path(wanted).expanduser()
    if path.is_dir():
        return path
    known = {found.name: found for found in iter_packs()}
    key = str(wanted).replace("/", "--")
    if key in known:
        return known[key]
    have = ", ".join(known) if known else "none installed"
    raise UnknownModelError(
        f"no model {str(wanted)!r} (have: {have}); pass the folder of a pack, or run: "
        f"rsvlm-geo models import {wanted}"
    )


def _is_pack(path: Path) -> bool:
    return (path / "config.json").is_file()
