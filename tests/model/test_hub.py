"""Downloads, from a hub on this machine that breaks off, lies and refuses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import make
import pytest

from rsvlm_geo.errors import EndpointError, PackError
from rsvlm_geo.model import hub, load_model
from rsvlm_geo.model.hub import HubFile, HubRef, choose_files, download_pack, parse_ref
from rsvlm_geo.model.store import verify_pack

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "onnx-community/toy"


class Hub:
    """Serves a folder the way the hub does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str | None]] = []
        self.break_after: dict[str, int] = {}
        self.lie: dict[str, bytes] = {}
        self.status: int | None = None
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                mine.requests.append((path, self.headers.get("Range")))
                if mine.status is not None:
                    self._send(mine.status, b"no")
                elif path.startswith("/api/models/"):
                    self._send(200, json.dumps(mine.describe()).encode())
                else:
                    self._file(path.split(COMMIT + "/")[1])

            def _file(self, name: str) -> None:
                data = mine.lie.get(name, (mine.folder / name).read_bytes())
                start, status = 0, 200
                if self.headers.get("Range"):
                    start, status = int(self.headers["Range"][6:-1]), 206
                cut = mine.break_after.pop(name, None)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start:] if cut is None else data[start : start + cut])

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def describe(self) -> dict[str, Any]:
        rows = []
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            raw = path.read_bytes()
            row: dict[str, Any] = {
                "rfilename": path.relative_to(self.folder).as_posix(), "size": len(raw),
                "blobId": hashlib.sha1(f"blob {len(raw)}\0".encode() + raw).hexdigest(),
            }  # fmt: skip
            if path.suffix == ".onnx":
                row["lfs"] = {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}
            rows.append(row)
        return {"sha": COMMIT, "siblings": rows}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = make.write_toy_pack(tmp_path / "published")
    (folder / "onnx/vision_encoder_fp16.onnx").write_bytes(b"not fetched")
    (folder / "README.md").write_text("words")
    made = Hub(folder)
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("RSVLM_PACKS", str(tmp_path / "packs"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(hub.time, "sleep", lambda seconds: None)
    yield made
    made.http.shutdown()
    made.http.server_close()


def visible(tmp_path: Path) -> list[str]:
    home = tmp_path / "packs"
    return [p.name for p in home.iterdir() if p.name[0] != "."] if home.exists() else []


def test_a_published_folder_becomes_a_pack(served: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    pack = download_pack(HubRef(REPO, COMMIT), progress=lambda *row: told.append(row))
    assert pack.folder.name == "onnx-community--toy"
    assert pack.card["origin"] == f"{REPO}@{COMMIT}"
    assert verify_pack(pack.folder) == []
    assert not (pack.folder / "onnx/vision_encoder_fp16.onnx").exists()
    assert told and all(done <= size for _, done, size in told)
    assert load_model(REPO, provider="cpu").info.name == "onnx-community--toy"
    asked = len(served.requests)
    download_pack(HubRef(REPO, COMMIT))
    assert len(served.requests) == asked  # what is here is not fetched again
    assert list((tmp_path / "packs").glob(".downloads/*")) == []


def test_what_broke_off_goes_on_there(served: Hub) -> None:
    name = "onnx/decoder_model_merged.onnx"
    served.break_after[name] = 1000
    download_pack(HubRef(REPO, COMMIT))
    ranges = [r for path, r in served.requests if path.endswith(name)]
    assert ranges == [None, "bytes=1000-"]


@pytest.mark.parametrize("name", ["tokenizer.json", "onnx/vision_encoder.onnx"])
def test_damage_on_the_way_is_noticed(served: Hub, tmp_path: Path, name: str) -> None:
    raw = bytearray((served.folder / name).read_bytes())
    raw[10] ^= 1
    served.lie[name] = bytes(raw)
    with pytest.raises(PackError, match=r"arrived damaged.*same command again"):
        download_pack(HubRef(REPO, COMMIT))
    assert visible(tmp_path) == []
    del served.lie[name]
    download_pack(HubRef(REPO, COMMIT))
    assert visible(tmp_path) == ["onnx-community--toy"]


@pytest.mark.parametrize("revision", ["", "main", "v1.0"])
def test_an_unpinned_revision_is_refused_and_named(served: Hub, revision: str) -> None:
    with pytest.raises(PackError, match=rf"not pinned.*{REPO}@{COMMIT}"):
        download_pack(HubRef(REPO, revision))


@pytest.mark.parametrize(
    ("status", "message"), [(401, "HF_TOKEN"), (404, "HTTP 404"), (503, "try again later")]
)
def test_a_hub_that_refuses(served: Hub, tmp_path: Path, status: int, message: str) -> None:
    served.status = status
    with pytest.raises(EndpointError, match=message):
        download_pack(HubRef(REPO, COMMIT))
    assert visible(tmp_path) == []


def test_a_hub_that_cannot_be_reached(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(EndpointError, match=r"cannot be reached.*HF_ENDPOINT.*import FILE\.rsvlm"):
        download_pack(HubRef(REPO, COMMIT))
    monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
    with pytest.raises(EndpointError, match="must start with https"):
        download_pack(HubRef(REPO, COMMIT))


def test_offline_asks_nobody(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EndpointError, match="models bundle"):
        download_pack(HubRef(REPO, COMMIT))
    assert served.requests == []


def test_variants_and_their_data() -> None:
    names = [
        "config.json", "tokenizer.json", "README.md", "onnx/decoder_model_merged.onnx",
        "onnx/decoder_model_merged.onnx_data", "onnx/decoder_model_merged_q4.onnx",
        "onnx/decoder_model_merged_q4.onnx_data", "onnx/embed_tokens.onnx", "model.safetensors",
    ]  # fmt: skip
    files = [HubFile(name, 1, None, None) for name in names]
    plain = [f.name for f in choose_files(files, None)]
    assert plain == sorted([*names[:2], *names[3:5], names[7]])
    with pytest.raises(PackError, match="embed_tokens is not published as q4; take one of fp32"):
        choose_files(files, "q4")
    with pytest.raises(PackError, match="outside of the pack"):
        choose_files([*files, HubFile("../x", 1, None, None)], None)
    with pytest.raises(PackError, match="no onnx"):
        choose_files(files[:3], None)


def test_references() -> None:
    assert parse_ref(f"{REPO}@{COMMIT}") == HubRef(REPO, COMMIT)
    assert parse_ref(REPO) == HubRef(REPO, "")
    assert parse_ref("toy") is None and parse_ref("/a/b") is None and parse_ref("a/b/c") is None
