"""A remote model, against a server on this machine that behaves and misbehaves."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsvlm_geo.errors import EndpointError, TaskError
from rsvlm_geo.model import load_model
from rsvlm_geo.model.remote import RemoteVlm
from rsvlm_geo.tasks import make_question
from rsvlm_geo.vlm import Vlm

KEY = "sk-not-a-real-one"


class Server:
    """Answers with the mean of the image's red band; faults are queued by a test."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, bytes, dict[str, str]]] = []
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.reply: str | None = None
        self.tops: list[tuple[str, float]] = []
        self.takes_logprobs = True
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.models = ["vhm-7b"]
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(200, json.dumps({"data": [{"id": m} for m in server.models]}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.lock:
                    server.at_once += 1
                    server.most_at_once = max(server.most_at_once, server.at_once)
                    server.seen.append(body)
                    server.keys.append(self.headers.get("Authorization"))
                    fault = server.faults.pop(0) if server.faults else None
                time.sleep(0.02)
                with server.lock:
                    server.at_once -= 1
                if fault is not None:
                    self._send(*fault)
                elif "logprobs" in body and not server.takes_logprobs:
                    self._send(400, b'{"error": "logprobs not supported"}')
                else:
                    self._send(200, server.answer(body))

            def _send(
                self, status: int, body: bytes, headers: dict[str, str] | None = None
            ) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def answer(self, body: dict[str, Any]) -> bytes:
        url = body["messages"][0]["content"][0]["image_url"]["url"]
        picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        said = self.reply or str(round(float(np.asarray(picture)[..., 0].mean())))
        choice: dict[str, Any] = {"message": {"content": said}}
        if body.get("logprobs") and self.tops:
            rows = [{"token": t, "logprob": p} for t, p in self.tops]
            choice["logprobs"] = {"content": [{"top_logprobs": rows}]}
        return json.dumps({"choices": [choice]}).encode()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Server()
    yield made
    made.close()


def open_remote(server: Server, **options: Any) -> RemoteVlm:
    return RemoteVlm(server.url, **{"backoff_s": 0.001, "retries": 2, "key": KEY, **options})


def pictures(n: int) -> np.ndarray:
    made = np.zeros((n, 16, 16, 3), np.uint8)
    made[..., 0] = np.arange(n)[:, None, None] * 10
    return made


def test_every_image_gets_its_own_answer_in_order(server: Server) -> None:
    vlm = open_remote(server, concurrency=4)
    assert isinstance(vlm, Vlm) and vlm.info.name == "vhm-7b"
    questions = [make_question("caption"), make_question("count", target="ship")]
    replies = vlm.ask(pictures(6), questions)
    assert [[r.text for r in row] for row in replies] == [[str(i * 10)] * 2 for i in range(6)]
    assert 1 < server.most_at_once <= 4
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_load_model_takes_a_url(server: Server) -> None:
    vlm = load_model(f"{server.url}#other", key="")
    assert vlm.info.name == "other"
    vlm.ask(pictures(1), [make_question("caption")])
    assert server.seen[0]["model"] == "other" and server.keys == [None]


def test_jpeg_is_sent_when_asked(server: Server) -> None:
    open_remote(server, image_format="jpeg").ask(pictures(1), [make_question("caption")])
    url = server.seen[0]["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_faults_are_retried(server: Server, status: int) -> None:
    server.faults = [(status, b"busy", {"Retry-After": "0"})] * 2
    [[reply]] = open_remote(server).ask(pictures(1), [make_question("caption")])
    assert reply.text == "0" and len(server.seen) == 3


def test_lasting_faults_are_told(server: Server) -> None:
    server.faults = [(503, b"<html>overloaded</html>", {})] * 3
    with pytest.raises(EndpointError, match=r"after 3 tries \(HTTP 503 .*overloaded.*URL ends"):
        open_remote(server).ask(pictures(1), [make_question("caption")])


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, f"bad key {KEY}".encode(), "set RSVLM_API_KEY"),
        (404, b"no such model", "often /v1"),
        (200, b"<html><body>Welcome to nginx</body></html>", "no JSON"),
        (200, b"[1]", "no JSON object"),
        (200, b'{"choices": []}', "no choices"),
        (200, b'{"choices": [{"message": {"content": 3}}]}', "no text"),
        (422, b"nonsense", "refuses the request"),
    ],
)
def test_nonsense_is_an_error_at_once(
    server: Server, status: int, body: bytes, message: str
) -> None:
    server.faults = [(status, body, {})]
    with pytest.raises(EndpointError, match=message) as caught:
        open_remote(server).ask(pictures(1), [make_question("caption")])
    assert KEY not in str(caught.value)
    assert len(server.seen) == 1


def test_the_key_is_not_shown(server: Server) -> None:
    vlm = open_remote(server)
    assert KEY not in repr(vlm.endpoint) and KEY not in repr(vlm.info)
    with pytest.raises(EndpointError, match="RSVLM_API_KEY"):
        RemoteVlm(server.url.replace("//", f"//user:{KEY}@"))


def test_closed_sets_use_logprobs_where_offered(server: Server) -> None:
    server.reply = "Well, yes"
    server.tops = [("Well", -0.1), ("No", -1.0), (" yes", -2.0), ("no", -2.0)]
    question = make_question("presence", target="ship")
    [[reply]] = open_remote(server).ask(pictures(1), [question])
    assert reply.text == "no" and reply.candidates is None
    assert server.seen[0]["top_logprobs"] == 20


def test_closed_sets_without_logprobs(server: Server) -> None:
    server.takes_logprobs = False
    server.reply = "Yes."
    vlm = open_remote(server, concurrency=1)
    question = make_question("presence", target="ship")
    replies = vlm.ask(pictures(2), [question])
    assert [row[0].text for row in replies] == ["Yes.", "Yes."]
    assert [("logprobs" in body) for body in server.seen] == [True, False, False]


def test_boxes_are_read(server: Server) -> None:
    server.reply = "[[0, 0, 500, 1000]]"
    vlm = open_remote(server, answers="vhm", image_size=16)
    [[reply]] = vlm.ask(pictures(1), [make_question("locate", target="ship")])
    assert reply.boxes is not None and reply.boxes.tolist() == [[0, 0, 8, 16]]
    assert reply.labels == ("ship",)
    assert server.seen[0]["messages"][0]["content"][1]["text"] == "{VG} ship"
    server.reply = "somewhere on the left"
    [[reply]] = vlm.ask(pictures(1), [make_question("locate", target="ship")])
    assert reply.boxes is None and reply.text == "somewhere on the left"


def test_what_it_cannot_be_asked(server: Server) -> None:
    with pytest.raises(TaskError, match="locate"):
        open_remote(server).ask(pictures(1), [make_question("locate", target="ship")])


def test_several_models_need_a_name(server: Server) -> None:
    server.models = ["a", "b"]
    with pytest.raises(EndpointError, match=r"serves a, b; name one: .*#a"):
        open_remote(server)


def test_silence(server: Server) -> None:
    server.close()
    with pytest.raises(EndpointError, match=r"ConnectionRefused.*check that the server runs"):
        open_remote(server)
    server.__init__()  # type: ignore[misc]


@pytest.mark.parametrize("url", ["http://", "ftp://x/v1", "https:///v1"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(EndpointError, match="is no endpoint"):
        RemoteVlm(url)
