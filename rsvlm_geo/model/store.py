"""Packs on disk: import, verify, remove, and one file for a machine without a network.

Whatever goes wrong, no half of a pack is left where packs are looked for: everything is made in a
hidden folder beside it, checked there, and moved into place at once.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import OutputError, PackError, UnknownModelError
from rsvlm_geo.model.onnxfile import read_graph_file, safe_relative
from rsvlm_geo.model.pack import CARD, Pack, hash_file, load_pack
from rsvlm_geo.model.registry import user_pack_folder

__all__ = ["bundle_pack", "import_pack", "pack_size", "remove_pack", "staging", "verify_pack"]

BUNDLE_SUFFIX = ".rsvlm"
_MANIFEST = "rsvlm-bundle.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SKIP = (".git", ".cache", "__pycache__")


def import_pack(source: str | Path, *, name: str | None = None, replace: bool = False) -> Pack:
    """Copy a pack's folder, or unpack a bundle, to where packs are looked for.

    A folder without a card gets one with the sha256 of its files, so that later changes show.

    Args:
        source: A folder in the published layout, or a ``.rsvlm`` bundle.
        name: Its name from now on; None: the folder's or bundle's.
        replace: Whether a pack of that name may be replaced.

    Raises:
        PackError: It is incomplete, altered or unsafe.
        OutputError: The name is taken, or the disk is full or read-only.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise PackError(f"no pack at {path}; pass a folder, a .rsvlm bundle, or owner/name@commit")
    wanted = check_name(name or path.resolve().name.removesuffix(BUNDLE_SUFFIX))
    with staging(wanted, replace=replace) as folder:
        if path.is_file():
            _unpack(path, folder)
        else:
            _copy(path, folder)
        finish(folder, wanted, f"folder {path.name}")
    return load_pack(user_pack_folder() / wanted)


def finish(folder: Path, name: str, origin: str) -> None:
    """Check a pack that is all there, and give it a card if it has none.

    Raises:
        PackError: Something is wrong with it.
    """
    if not (folder / CARD).is_file():
        names = [p.relative_to(folder).as_posix() for p in _files(folder)]
        card = {
            "format": 1,
            "name": name,
            "origin": origin,
            "sha256": {n: hash_file(folder / n) for n in names},
        }
        (folder / CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")
    problems = verify_pack(folder)
    if problems:
        raise PackError(f"{name} was not imported: {problems[0].replace(str(folder), name)}")


def verify_pack(folder: str | Path) -> list[str]:
    """Everything wrong with a pack; an empty list when it is whole.

    Every file is hashed against the card, every graph's header read, every file the card does not
    list named.
    """
    root = Path(folder)
    try:
        pack = load_pack(root)
    except PackError as error:
        return [str(error)]
    problems = []
    listed: Mapping[str, str] = pack.card.get("sha256", {})
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            problems.append(f"{path} is a link out of the pack; replace it by the file")
        elif listed and name != CARD:
            try:
                pack.check_file(path)
            except PackError as error:
                problems.append(str(error))
    for variants in pack.graphs.values():
        for path in variants.values():
            try:
                read_graph_file(path)
            except PackError as error:
                problems.append(str(error))
    return problems


def remove_pack(name: str) -> Path:
    """Delete an imported pack; those that come with the package stay.

    Raises:
        UnknownModelError: No imported pack of that name.
    """
    folder = user_pack_folder() / check_name(name)
    if not (folder / "config.json").is_file():
        raise UnknownModelError(
            f"no imported model {name!r} in {user_pack_folder()}; see: rsvlm-geo models list"
        )
    gone = folder.with_name(f".{folder.name}.removed")
    if gone.exists():
        shutil.rmtree(gone)
    folder.rename(gone)  # at once: never half a pack, even if deleting is interrupted
    shutil.rmtree(gone)
    return folder


def bundle_pack(pack: Pack, out: str | Path) -> Path:
    """Write a pack as one file that carries the sha256 of everything in it.

    Args:
        pack: What to bundle; verified first.
        out: The file to write, or a folder for ``<name>.rsvlm``.

    Raises:
        PackError: The pack is not whole.
        OutputError: It cannot be written.
    """
    problems = verify_pack(pack.folder)
    if problems:
        raise PackError(f"not bundled: {problems[0]}")
    target = Path(out)
    if target.is_dir():
        target = target / f"{pack.info.name}{BUNDLE_SUFFIX}"
    files = {p.relative_to(pack.folder).as_posix(): p for p in _files(pack.folder)}
    manifest = {
        "format": 1,
        "name": pack.info.name,
        "version": pack.info.version,
        "files": {
            name: {"sha256": hash_file(p), "bytes": p.stat().st_size} for name, p in files.items()
        },
    }
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(_stamped(_MANIFEST), json.dumps(manifest, indent=1, sort_keys=True))
            for name, path in sorted(files.items()):
                with (
                    path.open("rb") as data,
                    archive.open(_stamped(name), "w", force_zip64=True) as to,
                ):
                    shutil.copyfileobj(data, to, 1 << 20)
        part.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def pack_size(folder: Path) -> int:
    """Bytes of all files of a pack."""
    return sum(path.stat().st_size for path in _files(folder))


def check_name(name: str) -> str:
    """Refuse a name that is no plain folder name.

    Raises:
        PackError: It has a slash, starts with a dot, or is empty or long.
    """
    if not _NAME.fullmatch(name):
        raise PackError(f"{name!r} is no name for a pack; take letters, digits, '.', '_' and '-'")
    return name


@contextmanager
def staging(name: str, *, replace: bool) -> Iterator[Path]:
    """A hidden folder that becomes the pack when the block ends well, and vanishes otherwise.

    Raises:
        OutputError: The name is taken, or the folder cannot be written.
    """
    home = user_pack_folder()
    target = home / name
    if target.exists() and not replace:
        raise OutputError(
            f"there is a model {name!r} already at {target}; pass --replace, or --name another"
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=home))
    except OSError as error:
        raise OutputError(
            f"cannot write to {home}: {error.strerror}; name another folder in RSVLM_PACKS"
        ) from error
    try:
        yield made
        made.chmod(0o755)
        old = made.with_name(made.name + ".old")
        if target.exists():
            target.rename(old)
        made.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def _copy(source: Path, folder: Path) -> None:
    """Copy a folder's files; links are followed, as hub caches are made of them."""
    load_pack(source)  # its own checks first: paths, settings, hashes
    for path in _files(source):
        relative = path.relative_to(source)
        if set(relative.parts) & set(_SKIP):
            continue
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _unpack(bundle: Path, folder: Path) -> None:
    """Unpack a bundle, every file checked against the manifest."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            manifest = _read_manifest(bundle, archive)
            inside = {i.filename: i for i in archive.infolist() if i.filename != _MANIFEST}
            missing = sorted(set(manifest) - set(inside))
            more = sorted(set(inside) - set(manifest))
            if missing or more:
                raise PackError(
                    f"{bundle} does not hold what it lists "
                    f"(missing {missing[:3]}, unlisted {more[:3]}); copy it again"
                )
            for name, row in manifest.items():
                if inside[name].file_size != row["bytes"]:
                    raise PackError(f"{bundle}: {name} has another size than listed; copy it again")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as data, target.open("wb") as to:
                    shutil.copyfileobj(data, to, 1 << 20)
                if hash_file(target) != row["sha256"]:
                    raise PackError(f"{bundle}: {name} was altered or damaged; copy it again")
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise PackError(f"{bundle} is no bundle, or is cut off ({error}); copy it again") from error


def _read_manifest(bundle: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        said = json.loads(archive.read(_MANIFEST))
        files: dict[str, Any] = said["files"]
        whole = said["format"] == 1 and all(
            isinstance(row["sha256"], str) and isinstance(row["bytes"], int)
            for row in files.values()
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackError(f"{bundle} is no bundle of a pack: it has no {_MANIFEST}") from error
    if not whole:
        raise PackError(f"{bundle} has a manifest this program does not read; upgrade rsvlm-geo")
    for name in files:
        if not safe_relative(name) or Path(name).is_absolute():
            raise PackError(f"{bundle} lists {name!r}, outside of the pack; refused")
    return files


def _stamped(name: str) -> zipfile.ZipInfo:
    """An entry without the time of day, so that a pack always makes the same file."""
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
