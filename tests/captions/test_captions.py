"""Captions: facts survive, nothing is invented, every image and every text is accounted for."""

from __future__ import annotations

import csv
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rsvlm_geo.annotated import AnnotatedImage, Box
from rsvlm_geo.captions import dedup
from rsvlm_geo.captions.backends import BudgetReached, Endpoint, Limits, LocalWriter
from rsvlm_geo.captions.build import build, caption_image, read_records
from rsvlm_geo.captions.check import check_caption
from rsvlm_geo.captions.cli import captions as command
from rsvlm_geo.captions.facts import facts_of, truth_of
from rsvlm_geo.captions.filters import why_rejected
from rsvlm_geo.captions.lexicon import SCENES, SYNONYMS
from rsvlm_geo.captions.rules import fuse_by_rule
from rsvlm_geo.errors import DataError, EndpointError, ResumeError
from rsvlm_geo.metrics.benchmarks import load_benchmark
from rsvlm_geo.vlm import ModelInfo, Question, Reply

OBJECTS = ("airplane", "storage_tank", "tennis_court", "baseball_diamond", "car", "tree", "ship")

boxes = st.lists(
    st.builds(
        lambda label, x, y, w, h: Box(label, (x, y, min(x + w, 256), min(y + h, 256))),
        st.sampled_from(OBJECTS), st.integers(0, 240), st.integers(0, 240), st.integers(4, 60),
        st.integers(4, 60),
    ), max_size=14,
)  # fmt: skip
images = st.builds(
    lambda n, b, scene, labels, gsd, part, grey: AnnotatedImage(
        f"im{n}", Path("x.png"), (256, 256), "made", "", "CC0", tuple(b),
        frozenset(OBJECTS[:5] if part else OBJECTS), scene, labels, gsd, None,
        "panchromatic" if grey else "color",
    ),
    st.integers(0, 999), boxes, st.sampled_from([None, *SCENES]),
    st.none() | st.frozensets(st.sampled_from(["trees", "grass", "pavement", "water", "tanks"])),
    st.sampled_from([None, 0.1, 0.3, 2.0, 10.0]), st.booleans(), st.booleans(),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(images)
def test_by_rule_every_fact_survives_and_nothing_is_invented(image: AnnotatedImage) -> None:
    record, checks = caption_image(image)
    assert len(record.captions) == 6
    fused = checks[-1]
    assert record.captions[-1].kind == "fused"
    assert fused.lost == (), record.captions[-1].text
    for caption, check in zip(record.captions, checks, strict=True):
        assert check.invented == (), caption.text
        assert caption.text[0].isupper() or not caption.text[0].isalpha()
        assert caption.text.endswith(".")


def one(**more: Any) -> AnnotatedImage:
    made = AnnotatedImage(
        "a", Path("a.png"), (300, 300), "s", "train", "CC0",
        (Box("airplane", (10, 10, 60, 60)), Box("airplane", (20, 80, 70, 99)),
         Box("storage_tank", (230, 230, 260, 260))),
        frozenset(("airplane", "storage_tank", "ship")), "airplane", None, 0.3,
    )  # fmt: skip
    return replace(made, **more)


def test_facts_by_hand() -> None:
    phrases = [(f.kind, f.subject, f.phrase) for f in facts_of(one())]
    assert ("count", "airplane", "two airplanes") in phrases
    assert ("place", "airplane", "at the top left") in phrases
    assert ("place", "storage_tank", "at the bottom right") in phrases
    assert ("relation", "airplane/storage_tank", "top left") in phrases
    assert ("extent", "storage_tank", "about 9 m") in phrases
    assert ("gsd", "", "0.3 m") in phrases


def test_a_class_that_another_goes_by_is_not_invented() -> None:
    """``minibus`` is a word for ``bus``: what is boxed as one may be called by its own name."""
    boxes = (Box("minibus", (10, 10, 60, 60)), Box("minibus", (20, 80, 70, 99)))
    truth = truth_of(one(boxes=boxes, complete=frozenset(("minibus",)), scene=None))
    assert not check_caption("Two minibuses.", (), truth).invented
    assert check_caption("Two minibuses and a ship.", (), truth).invented == ("ship",)


def test_what_is_lost_or_invented_is_found() -> None:
    image = one()
    facts, truth = facts_of(image), truth_of(image)
    check = check_caption("Two airplanes on the right beside three ships.", facts, truth)
    assert check.invented == ("ship",)
    assert any(x.startswith("place airplane") for x in check.lost)
    assert not any(x.startswith("count airplane") for x in check.lost)
    check = check_caption("Three airplanes and two storage tanks. Top left: nothing.", facts, truth)
    assert any(x.startswith("count airplane") for x in check.lost)
    # counts are not borrowed from the neighbour
    assert any(x.startswith("count storage_tank") for x in check.lost)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("<html><body>502</body></html>", "markup"),
     ("plane plane plane plane plane plane plane plane", "loop"),
     ("Sorry, I cannot tell what is here.", "refusal"),
     ("Seen are:\n- two airplanes\n- one storage tank\n- an apron of concrete", "list"),
     ("Two airplanes.", "too short"), ("word " * 3 + "and so on it goes " * 60, "too long"),
     ("A beautiful apron with two airplanes and one storage tank.", "aesthetics"),
     ("There are seven airplanes standing on the apron.", "contradicts a count"),
     ("Two airplanes stand beside a small boat on the apron.", "invents an object"),
     ("Two airplanes stand on an apron, with one storage tank.", None)],
)  # fmt: skip
def test_filters(text: str, why: str | None) -> None:
    image = one()
    found = why_rejected(text, facts_of(image), truth_of(image))
    assert found == why or (why == "too long" and found == "loop")


class Follows:
    """A writer that does as told, or not."""

    sees = follows = True
    name = "echo 1"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer = answer
        self.calls = 0

    def write(self, prompt: str, image: Path | None = None) -> str:
        self.calls += 1
        return self.answer(prompt)


def test_relay_perspectives_and_merge() -> None:
    image = one()
    fused = fuse_by_rule(image, facts_of(image))
    good = Follows(lambda p: "Two airplanes stand on an apron near one storage tank.")
    record, _ = caption_image(image, good, Follows(lambda p: fused))
    assert [c.kind for c in record.captions] == [
        "relay", "attributes", "objects", "layout", "scene", "fused",
    ]  # fmt: skip
    assert {c.by for c in record.captions} == {"echo 1"}
    assert good.calls == 5
    # a merger that forgets facts is replaced by the rules, and it is said why
    record, checks = caption_image(image, good, Follows(lambda p: "An apron with two airplanes."))
    assert (record.captions[-1].by, record.captions[-1].instead_of) == ("rule", "loses facts")
    assert checks[-1].lost == ()
    bad = Follows(lambda p: "A lovely harbor with seven ships.")
    record, checks = caption_image(image, bad)
    assert len(record.captions) == 6
    assert all(c.by == "rule" and c.instead_of for c in record.captions[:5])
    assert all(not c.invented for c in checks)


class Captioner:
    """A model that captions, and refuses dark images."""

    info = ModelInfo("tiny", 16, frozenset({"caption"}))

    def ask(self, tiles: Any, questions: list[Question]) -> list[list[Reply]]:
        return [
            [Reply("Two airplanes on an apron of concrete.") if t.mean() > 40
             else Reply("", p_unanswerable=0.9)] for t in tiles
        ]  # fmt: skip


def painted(folder: Path, n: int = 4, value: int = 200) -> list[AnnotatedImage]:
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for i in range(n):
        path = folder / f"p{i}.png"
        rng = np.random.default_rng(i)
        Image.fromarray(rng.integers(0, value, (30, 40, 3), dtype=np.uint8)).save(path)
        out.append(one(id=f"p{i}", path=path, size=(300, 300)))
    return out


def test_local_model_and_refusals(tmp_path: Path) -> None:
    light, dark = painted(tmp_path, 1)[0], painted(tmp_path / "d", 1, 20)[0]
    writer = LocalWriter(Captioner())
    record, _ = caption_image(light, writer)
    assert (record.captions[0].kind, record.captions[0].by) == ("model", "tiny 0")
    record, _ = caption_image(dark, writer)
    assert (record.captions[0].by, record.captions[0].instead_of) == ("rule", "empty")
    record, _ = caption_image(dark, writer, style="versad")
    assert record.captions == ()
    with pytest.raises(DataError, match="need a model"):
        caption_image(light, style="versad")


Handler = Callable[[int, dict[str, Any]], tuple[int, bytes, dict[str, str]]]


@pytest.fixture
def server() -> Iterator[Callable[[Handler], str]]:
    running: list[ThreadingHTTPServer] = []

    def start(handle: Handler) -> str:
        seen: list[int] = []

        class Serve(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                seen.append(1)
                code, data, headers = handle(len(seen), body)
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Serve)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        running.append(http)
        return f"http://127.0.0.1:{http.server_port}/v1#tiny"

    yield start
    for http in running:
        http.shutdown()
        http.server_close()


def said(text: str) -> bytes:
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()


def test_endpoint_retries_and_counts(
    server: Callable[[Handler], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsvlm_geo.captions.backends.time.sleep", lambda s: None)
    bodies: list[dict[str, Any]] = []

    def handle(n: int, body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        bodies.append(body)
        if n == 1:
            return 429, b"{}", {"Retry-After": "0.01"}
        if n == 2:
            return 200, b"<html>busy</html>", {}
        if n == 3:
            return 503, b"", {}
        return 200, said("An apron."), {}

    end = Endpoint(server(handle), Limits(price_in=10, price_out=100), key="")
    image = painted(tmp_path, 1)[0].path
    assert end.write("Say.", image) == "An apron."
    assert bodies[0]["model"] == "tiny"
    assert bodies[0]["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/jpeg")
    assert end.counts() == {
        "requests": 4, "retries": 3, "tokens_in": 100, "tokens_out": 10, "cost": 0.002,
    }  # fmt: skip


def test_endpoint_gives_up_and_keeps_to_its_budget(
    server: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsvlm_geo.captions.backends.time.sleep", lambda s: None)
    html = Endpoint(server(lambda n, b: (200, b"<html>", {})), Limits(retries=1))
    with pytest.raises(EndpointError, match="2 tries; the last: not a chat completion"):
        html.write("Say.")
    denied = Endpoint(server(lambda n, b: (401, b"", {})), key="secret")
    with pytest.raises(EndpointError, match="HTTP 401") as caught:
        denied.write("Say.")
    assert "secret" not in str(caught.value)
    assert denied.requests == 1
    poor = Endpoint(server(lambda n, b: (200, said("ok"), {})), Limits(max_cost=0.001, price_in=10))
    poor.write("Say.")
    with pytest.raises(BudgetReached, match="cost"):
        poor.write("Say.")
    down = Endpoint("http://127.0.0.1:9/v1#x", Limits(retries=0, timeout_s=1))
    with pytest.raises(EndpointError, match="no answer in 1 tries"):
        down.write("Say.")
    with pytest.raises(EndpointError, match="host/v1#model"):
        Endpoint("http://host/v1")


def test_rate_limit_waits(
    server: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("rsvlm_geo.captions.backends.time.sleep", slept.append)
    end = Endpoint(server(lambda n, b: (200, said("ok"), {})), Limits(per_minute=60))
    for _ in range(3):
        end.write("Say.")
    assert len(slept) == 2
    assert slept[-1] == pytest.approx(2.0, abs=0.5)


def test_building_resumes_and_accounts_for_everything(tmp_path: Path) -> None:
    rows = painted(tmp_path, 9)
    out = tmp_path / "out"
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        if len(asked) > 12:
            raise KeyboardInterrupt
        return "Two airplanes stand on an apron near one storage tank."

    writer = Follows(answer)
    accounts, _ = build(rows, out, writer=writer)
    assert (accounts.done, accounts.pending, accounts.stopped) == (2, 7, "interrupted")
    file = out / "captions.jsonl"
    file.write_text(file.read_text() + '{"id": "cut o')
    writer.answer = lambda p: "Two airplanes stand on an apron near one storage tank."
    accounts, report = build(rows, out, writer=writer)
    assert (accounts.done, accounts.resumed, accounts.pending) == (7, 2, 0)
    records = list(read_records(out))
    assert [r.id for r in records] == [r.id for r in rows]
    assert all(len(r.captions) == 6 for r in records)
    assert report.measures()["fused"]["kept_facts"].value == 1.0
    # those from before are in the report and in the counts as well
    assert report.measures()["fused"]["kept_facts"].n == 9
    assert accounts.captions["fused by rule"] == 9
    told = json.loads((out / "accounts.json").read_text())
    assert told["asked"] == told["done"] + told["resumed"] + told["pending"]
    bare = replace(rows[0], id="bare", boxes=(), scene=None)
    accounts, _ = build([bare, rows[0]], tmp_path / "bare")
    assert (accounts.done, accounts.pending) == (1, 0)
    assert accounts.skipped == [("s/bare", "nothing is known of it")]
    with pytest.raises(ResumeError, match="another style"):
        build(rows, out)


def test_what_runs_spent_adds_up_and_empty_images_are_told(tmp_path: Path) -> None:
    rows = [replace(r, boxes=(), scene=None, complete=frozenset()) for r in painted(tmp_path, 4)]
    out = tmp_path / "out"

    class Counts(Follows):
        asked = 0

        def write(self, prompt: str, image: Path | None = None) -> str:
            type(self).asked += 1
            return super().write(prompt, image)

        def counts(self) -> dict[str, float]:
            return {"requests": self.asked, "cost": 0.5 * self.asked}

    def answer(prompt: str) -> str:
        return "A road with many cars in the rain." if Counts.asked > 1 else "Sorry, I cannot."

    accounts, report = build(rows[:3], out, writer=Counts(answer), style="versad")
    assert (accounts.done, accounts.bare, accounts.rejected) == (3, 1, {"refusal": 1})
    assert "1 of them without a caption" in str(accounts)
    # nothing is known of these images: nothing said of them can be called invented
    assert report.measures()["caption"]["captions_inventing"].value == 0.0
    build(rows, out, writer=Counts(answer), style="versad")
    told = json.loads((out / "accounts.json").read_text())
    assert told["bare"] == 1
    assert told["resumed"] == 3
    assert told["writer"]["requests"] == 3 + 4


def test_silent_endpoint_stops_after_five_and_keeps_the_rest(tmp_path: Path) -> None:
    rows = painted(tmp_path, 9)

    def silent(prompt: str) -> str:
        raise EndpointError("down")

    flaky = Follows(lambda p: "Two airplanes stand on an apron near one storage tank.")
    build(rows[:2], tmp_path / "out", writer=flaky)
    flaky.answer = silent
    with pytest.raises(EndpointError, match="down"):
        build(rows, tmp_path / "out", writer=flaky)
    told = json.loads((tmp_path / "out" / "accounts.json").read_text())
    assert (told["resumed"], len(told["failed"]), told["pending"]) == (2, 5, 2)
    assert len(list(read_records(tmp_path / "out"))) == 2


def test_mixed_licences_and_double_names_are_refused(tmp_path: Path) -> None:
    rows = painted(tmp_path, 2)
    other = replace(rows[1], licence="CC-BY-NC 4.0")
    with pytest.raises(DataError, match="2 licences"):
        build([rows[0], other], tmp_path / "o")
    accounts, _ = build([rows[0], other], tmp_path / "o", mixed_licences=True)
    assert accounts.done == 2
    with pytest.raises(DataError, match="occur twice"):
        build([rows[0], rows[0]], tmp_path / "p")


def test_formats(tmp_path: Path) -> None:
    rows = painted(tmp_path / "images", 3)
    source = tmp_path / "set.jsonl"
    source.write_text("\n".join(json.dumps({
        "file": r.path.name, "size": r.size, "class": r.scene, "gsd_m": r.gsd_m,
        "split": "test",
        "boxes": [{"label": b.label, "bbox": b.bbox} for b in r.boxes],
    }) for r in rows))  # fmt: skip
    out = tmp_path / "out"
    args = ["mpgi", str(source), "--images", str(tmp_path / "images"), "--out", str(out),
            "--licence", "CC0", "--name", "made"]  # fmt: skip
    for kind in ("open_clip", "webdataset", "llava", "rsicd", "croissant"):
        args += ["--format", kind]
    run = CliRunner().invoke(command, args)
    assert run.exit_code == 0, run.output
    assert "3 captioned" in run.output
    assert "100.00 %" in run.output
    with (out / "made.csv").open() as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    assert len(table) == 18
    assert all(Path(r["filepath"]).is_file() and r["licence"] == "CC0" for r in table)
    with tarfile.open(out / "made-00000.tar") as tar:
        names = tar.getnames()
        assert names[:3] == ["00000000.png", "00000000.txt", "00000000.json"]
    llava = json.loads((out / "made_llava.json").read_text())
    assert llava[0]["conversations"][0]["value"].startswith("<image>\n")
    again = CliRunner().invoke(command, args)
    assert "3 from before" in again.output
    items = load_benchmark("rsicd", _with_images(tmp_path, out))
    assert len(items) == 3
    assert len(items[0].references) == 6
    croissant = json.loads((out / "croissant.json").read_text())
    assert croissant["license"] == "CC0"
    assert len(croissant["distribution"][0]["sha256"]) == 64


def _with_images(tmp_path: Path, out: Path) -> Path:
    root = tmp_path / "bench"
    root.mkdir()
    (root / "dataset_made.json").write_text((out / "dataset_made.json").read_text())
    (tmp_path / "images").rename(root / "images")
    return root


def test_duplicates_and_leaks(tmp_path: Path) -> None:
    rows = painted(tmp_path, 4)
    smooth = []
    for i in range(4):
        path = tmp_path / f"s{i}.png"
        base = np.random.default_rng(50 + i).uniform(0, 255, (6, 6, 3)).astype(np.uint8)
        Image.fromarray(base).resize((120, 120), Image.Resampling.BICUBIC).save(path)
        smooth.append(path)
    copy = tmp_path / "copy.jpg"
    Image.open(smooth[1]).resize((100, 100)).save(copy, quality=60)
    vectors = dedup.embed_thumbnails([*smooth, copy])
    found = dedup.find_duplicates(vectors, block=2)
    assert [(d.first, d.second) for d in found] == [(1, 4)]
    leaks = dedup.find_leaks(dedup.embed_thumbnails([copy, smooth[0]]), vectors[1:2])
    assert [(d.first, d.second) for d in leaks] == [(0, 0)]
    build(rows, tmp_path / "set")
    run = CliRunner().invoke(command, ["dedup", str(tmp_path / "set"), "--against", str(tmp_path)])
    assert "0 near-duplicates, 4 leaks" in run.output


def test_the_vocabulary_knows_what_its_own_phrases_claim() -> None:
    from rsvlm_geo.captions.lexicon import VOCABULARY

    for name, (phrase, use, claims) in SCENES.items():
        assert VOCABULARY.find(f"{phrase}. {use}") <= set(claims), name
    assert VOCABULARY.find("no cars, two aircraft and an oil tank") == {"airplane", "storage_tank"}
    assert set(SYNONYMS) >= set(OBJECTS)


def test_presence_questions_are_labels(tmp_path: Path) -> None:
    from PIL import Image

    from rsvlm_geo.annotated import read_annotated

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    qa = [
        {"q": "Is there a water area in the image?", "a": "yes"},
        {"q": "Is a road present?", "a": "yes"}, {"q": "Is there a road?", "a": "yes"},
        {"q": "Is a building present?", "a": "no"}, {"q": "How many roads are there?", "a": "3"},
        {"q": "Is a small building present?", "a": "yes"},
    ]  # fmt: skip
    file = tmp_path / "a.jsonl"
    file.write_text(
        json.dumps({"file": "a.png", "qa": qa}) + "\n" + json.dumps({"file": "a.png", "qa": qa[4:]})
    )
    first, second = read_annotated(file, tmp_path)
    assert first.labels == {"water", "pavement"}
    assert second.labels is None
