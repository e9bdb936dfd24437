"""Packs from the Hugging Face hub or a mirror of it: pinned, resumed, checked, proxies heeded.

Plain HTTPS and nothing else. ``HF_ENDPOINT`` names a mirror, ``HF_TOKEN`` a token,
``HF_HUB_OFFLINE=1`` forbids the network; proxies and certificates come from the environment.
A download that breaks off goes on where it was: its parts wait in a hidden folder, never among the
packs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import EndpointError, PackError
from rsvlm_geo.model.onnxfile import safe_relative
from rsvlm_geo.model.pack import _ORDER, Pack, graph_parts, load_pack
from rsvlm_geo.model.registry import pack_folders, user_pack_folder
from rsvlm_geo.model.store import check_name, finish, staging

__all__ = ["HubFile", "HubRef", "choose_files", "download_pack", "parse_ref"]

_REF = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WANTED = (".json", ".jinja", ".txt", ".model")
_RETRIES = 5


@dataclass(frozen=True, slots=True)
class HubRef:
    """A repository at a commit."""

    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository."""

    name: str
    size: int
    sha256: str | None
    """Of large files."""
    blob: str | None
    """Git's sha1 of small ones."""


def parse_ref(text: str) -> HubRef | None:
    """``owner/name@commit`` as a reference; None when the text is none.

    The revision is empty where the text names none.
    """
    match = _REF.fullmatch(text)
    if match is None or Path(text).exists():
        return None
    return HubRef(match["repo"], match["revision"] or "")


def download_pack(
    ref: HubRef,
    *,
    name: str | None = None,
    variant: str | None = None,
    replace: bool = False,
    progress: Callable[[str, int, int], None] = lambda name, done, size: None,
) -> Pack:
    """Fetch a published pack.

    Args:
        ref: The repository, and the full commit it is pinned to.
        name: Its name from now on; None: ``owner--name``.
        variant: Of the graphs (``int8``, ``q4``, ...); None: for each part the one a CPU likes.
        replace: Whether a pack of that name may be replaced.
        progress: Told ``(file, bytes done, bytes in all)``.

    Raises:
        EndpointError: The hub cannot be reached, refuses, or answers nonsense.
        PackError: No pinned commit; the repository holds no pack; a file is not what it should be.
        OutputError: The name is taken, or the disk is full.
    """
    wanted = check_name(name or ref.repo.replace("/", "--"))
    for folder in pack_folders():
        if (folder / wanted / "config.json").is_file() and not replace:
            return load_pack(folder / wanted)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes"):
        raise EndpointError(
            f"{ref.repo} is not among the packs and HF_HUB_OFFLINE forbids the network; import a "
            "bundle made elsewhere with: rsvlm-geo models bundle"
        )
    revision = ref.revision
    if not _COMMIT.fullmatch(revision):
        current = _commit(ref)
        raise PackError(
            f"{ref.repo}{'@' + revision if revision else ''} is not pinned, and may change under "
            f"you; it is now: {ref.repo}@{current}"
        )
    files = choose_files(_list_files(ref), variant)
    waiting = user_pack_folder() / ".downloads" / f"{wanted}@{revision[:12]}"
    for file in files:
        _fetch(ref, file, waiting / file.name, progress)
    with staging(wanted, replace=replace) as folder:
        for file in files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            (waiting / file.name).replace(target)
        finish(folder, wanted, f"{ref.repo}@{revision}")
    shutil.rmtree(waiting, ignore_errors=True)
    return load_pack(user_pack_folder() / wanted)


def choose_files(files: Sequence[HubFile], variant: str | None) -> list[HubFile]:
    """Of a repository's files, those one pack needs: settings, one variant of each graph, its data.

    Raises:
        PackError: There are no graphs, or not in that variant; a name leaves the folder.
    """
    unsafe = [f.name for f in files if not safe_relative(f.name)]
    if unsafe:
        raise PackError(f"the repository lists {unsafe[0]!r}, outside of the pack; refused")
    if any(f.name == "rsvlm.json" for f in files) and variant is None:
        return [f for f in files if not f.name.startswith(".") and not f.name.endswith(".md")]
    chosen = [f for f in files if "/" not in f.name and f.name.endswith(_WANTED)]
    graphs = {Path(f.name).stem: f for f in files if re.fullmatch(r"onnx/[^/]+\.onnx", f.name)}
    parts: dict[str, dict[str, str]] = {}
    for stem, (part, kind) in graph_parts(sorted(graphs)).items():
        parts.setdefault(part, {})[kind] = stem
    if not parts:
        raise PackError("the repository holds no onnx/*.onnx; export it: rsvlm-geo export")
    for part, kinds in parts.items():
        order = _ORDER["cpu"] if variant is None else ("" if variant == "fp32" else variant,)
        taken = next((k for k in order if k in kinds), None)
        if taken is None:
            raise PackError(
                f"{part} is not published as {variant}; "
                f"take one of {', '.join(k or 'fp32' for k in kinds)}"
            )
        stem = kinds[taken]
        chosen += [f for f in files if f.name.startswith(f"onnx/{stem}.onnx")]
    return sorted(chosen, key=lambda f: f.name)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _commit(ref: HubRef) -> str:
    said = _json(f"/api/models/{ref.repo}/revision/{ref.revision or 'main'}")
    return str(said.get("sha", ""))


def _list_files(ref: HubRef) -> list[HubFile]:
    said = _json(f"/api/models/{ref.repo}/revision/{ref.revision}?blobs=true")
    if said.get("sha") != ref.revision:
        raise PackError(f"{_endpoint()} answers for another commit than {ref.revision}")
    try:
        return [_hub_file(row) for row in said["siblings"]]
    except (KeyError, TypeError, ValueError) as error:
        raise EndpointError(
            f"{_endpoint()} lists no files for {ref.repo}; is HF_ENDPOINT a mirror of the hub?"
        ) from error


def _hub_file(row: Mapping[str, Any]) -> HubFile:
    large = row.get("lfs") or {}
    return HubFile(
        str(row["rfilename"]), int(row.get("size") or 0), large.get("sha256"), row.get("blobId")
    )


def _json(path: str) -> dict[str, Any]:
    with _open(path, 0) as response:
        raw = response.read(64 << 20)
    try:
        said = json.loads(raw)
    except ValueError as error:
        raise EndpointError(
            f"{_endpoint()} answers no JSON; is HF_ENDPOINT a mirror of the hub, or does a proxy "
            "ask for a login?"
        ) from error
    if not isinstance(said, dict):
        raise EndpointError(f"{_endpoint()} answers something else than a model")
    return said


def _fetch(
    ref: HubRef, file: HubFile, path: Path, progress: Callable[[str, int, int], None]
) -> None:
    """Download one file, from where it broke off, and check it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size == file.size and _is_whole(path, file):
        return
    part = path.with_name(path.name + ".part")
    url = f"/{ref.repo}/resolve/{ref.revision}/{urllib.parse.quote(file.name)}"
    for attempt in range(_RETRIES):
        start = part.stat().st_size if part.is_file() else 0
        if start >= file.size:
            part.unlink(missing_ok=True)
            start = 0
        try:
            with _open(url, start) as response:
                if start and response.status != 206:
                    start = 0
                with part.open("ab" if start else "wb") as to:
                    done = start
                    while block := response.read(1 << 18):
                        to.write(block)
                        done += len(block)
                        progress(file.name, done, file.size)
        except EndpointError:
            if attempt == _RETRIES - 1:
                raise
        except (OSError, urllib.error.URLError) as error:
            if attempt == _RETRIES - 1:
                raise EndpointError(
                    f"{_endpoint()} broke off at {file.name} ({error}); run the same command "
                    "again, it goes on from there"
                ) from error
        else:
            if part.stat().st_size == file.size:
                break
        time.sleep(min(0.2 * 2**attempt, 5.0))
    if part.stat().st_size != file.size or not _is_whole(part, file):
        got = part.stat().st_size
        part.unlink()
        raise PackError(
            f"{file.name} of {ref.repo} arrived damaged ({got} bytes of {file.size}, or another "
            "checksum); run the same command again"
        )
    part.replace(path)


def _is_whole(path: Path, file: HubFile) -> bool:
    digest = hashlib.sha256()
    git = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
            git.update(block)
    if file.sha256 is not None:
        return digest.hexdigest() == file.sha256
    return file.blob is None or git.hexdigest() == file.blob


def _open(path: str, start: int) -> Any:
    """A GET to the hub or its mirror, from a byte on; the token only goes to the hub itself."""
    url = _endpoint() + path
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise EndpointError(f"HF_ENDPOINT is {_endpoint()!r}; it must start with https://")
    request = urllib.request.Request(url, headers={"User-Agent": "rsvlm-geo"})
    token = os.environ.get("HF_TOKEN")
    if token:
        # not sent on to where the hub redirects large files
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            raise EndpointError(
                f"{_endpoint()} refuses {path.split('?')[0]} (HTTP {error.code}); the model is "
                "private, gated or gone: accept its licence there and set HF_TOKEN"
            ) from error
        if error.code == 404:
            raise EndpointError(f"{_endpoint()} has no {path.split('?')[0]} (HTTP 404)") from error
        raise EndpointError(f"{_endpoint()} answers HTTP {error.code}; try again later") from error
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise EndpointError(
            f"{_endpoint()} cannot be reached ({reason}); name a mirror in HF_ENDPOINT, a proxy in "
            "HTTPS_PROXY, or import a bundle made elsewhere: rsvlm-geo models import FILE.rsvlm"
        ) from error
