"""The plugin's zip: one folder, sorted, the same bytes every time."""

from __future__ import annotations

import configparser
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "qgis_plugin" / "rsvlm_geo_qgis"
SUFFIXES = {".py", ".txt", ".qml", ".svg", ".qm", ".ts", ".md", ""}
STAMP = (2026, 1, 1, 0, 0, 0)


def version() -> str:
    """The plugin's version, from its metadata."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(FOLDER / "metadata.txt", encoding="utf-8")
    return parser["general"]["version"]


def files() -> list[Path]:
    """What goes into the zip, sorted."""
    found = []
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            found.append(path)
    return found


def make_zip(target: Path) -> Path:
    """Write the zip.

    Raises:
        ValueError: A file of a kind that does not belong in it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files():
            if path.suffix not in SUFFIXES:
                raise ValueError(f"{path}: files of kind {path.suffix!r} do not go into the plugin")
            info = zipfile.ZipInfo(f"{FOLDER.name}/{path.relative_to(FOLDER).as_posix()}", STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())
    return target


def main(arguments: list[str]) -> int:
    """``zip [TARGET]``."""
    target = Path(arguments[0]) if arguments else ROOT / "out" / f"{FOLDER.name}-{version()}.zip"
    make_zip(target)
    print(f"{target}: {target.stat().st_size / 1024:.0f} kB, {len(files())} files")
    return 0
