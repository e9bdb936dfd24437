"""The plugin's client of the engine, without Qt: against the fake engine and the real one."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rsvlm_geo_qgis import cli_job, engine_env, setup_steps
from rsvlm_geo_qgis.client import (
    EngineCancelled,
    EngineClient,
    EngineDied,
    EngineError,
    EngineMissing,
    EngineTooOld,
)

FAKE = str(Path(__file__).resolve().parent / "fake_engine.py")
Made = list[EngineClient]


@pytest.fixture
def made() -> Iterator[Made]:
    clients: Made = []
    yield clients
    for client in clients:
        client.close()


def fake(made: Made, tricks: str = "", **options: Any) -> EngineClient:
    client = EngineClient(
        [sys.executable, "-u", FAKE], environ={**os.environ, "FAKE_ENGINE": tricks}, **options
    )
    made.append(client)
    return client


def run(client: EngineClient, **more: Any) -> dict[str, Any]:
    return client.call("run", {"task": "ask", "question": "?", "source": FAKE}, **more)


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_events_come_in_order_and_end_with_done(made: Made) -> None:
    events: list[dict[str, Any]] = []
    done = run(fake(made), on_event=events.append)
    assert done["type"] == "done" and done["tiles"] == 25
    assert [e["type"] for e in events[:2]] == ["started", "answer"]
    assert sum(e["type"] == "answer" for e in events) == 25


def test_one_engine_serves_many_calls(made: Made) -> None:
    client = fake(made)
    client.hello()
    pid = client.pid
    run(client)
    run(client)
    assert client.pid == pid


def test_cancel_is_heard_and_the_engine_stays(made: Made) -> None:
    client = fake(made, "slow=30,tiles=1000")
    began = time.monotonic()
    with pytest.raises(EngineCancelled):
        run(client, cancelled=lambda: time.monotonic() - began > 0.3)
    pid = client.pid
    assert pid is not None
    assert client.call("estimate", {"task": "ask", "source": FAKE})["tiles"] == 25
    assert client.pid == pid


def test_an_engine_that_does_not_react_is_killed_and_started_anew(made: Made) -> None:
    client = fake(made, "stuck,child", grace_s=0.2)
    client.hello()
    pid = client.pid
    assert pid is not None
    with pytest.raises(EngineCancelled):
        run(client, cancelled=lambda: True)
    assert gone(pid)
    assert client.call("estimate", {"task": "ask", "source": FAKE})["tiles"] == 25
    assert client.pid not in (None, pid)


def test_an_engine_that_dies_says_its_last_words(made: Made) -> None:
    client = fake(made, "die=3")
    with pytest.raises(EngineDied, match="dying on purpose") as caught:
        run(client)
    assert "code 9" in str(caught.value)
    assert client.call("info")["protocol"] == 1


def test_a_killed_engine_is_noticed(made: Made) -> None:
    client = fake(made, "slow=50,tiles=1000")
    client.hello()
    pid = client.pid
    assert pid is not None
    threading.Timer(0.3, lambda: os.kill(pid, 9)).start()
    with pytest.raises(EngineDied, match="signal 9"):
        run(client)


def test_errors_keep_class_and_next_step(made: Made) -> None:
    with pytest.raises(EngineError, match="made on purpose") as caught:
        run(fake(made, "error=OutputError"))
    assert caught.value.kind == "OutputError"
    assert caught.value.next_step == "try something else"


def test_two_runs_at_once_wait_for_each_other(made: Made) -> None:
    client = fake(made, "slow=10")
    seen: list[str] = []
    first = threading.Thread(target=lambda: run(client))
    first.start()
    time.sleep(0.1)
    done = run(client, on_event=lambda event: seen.append(event["type"]))
    first.join()
    assert done["type"] == "done"
    assert seen[0] == "queued"


@pytest.mark.parametrize(
    ("tricks", "error", "words"),
    [
        ("old", EngineTooOld, "protocol 0"),
        ("crash", EngineMissing, "No module named 'rsvlm_geo'"),
        ("mute", EngineMissing, "did not say hello"),
    ],
)
def test_engines_that_cannot_be_used(
    made: Made, tricks: str, error: type[Exception], words: str
) -> None:
    client = fake(made, tricks, start_timeout_s=0.6 if tricks == "mute" else 60)
    with pytest.raises(error, match=words):
        client.hello()
    assert client.pid is None


def test_a_path_that_is_no_program(made: Made) -> None:
    client = EngineClient(["/nowhere/python"])
    made.append(client)
    with pytest.raises(EngineMissing, match="/nowhere/python"):
        client.hello()


def test_stray_prints_do_not_break_the_protocol(made: Made) -> None:
    lines: list[str] = []
    client = fake(made, "noise", log=lines.append)
    assert run(client)["type"] == "done"
    assert any("stray" in line for line in lines)


def test_closing_leaves_no_process(made: Made) -> None:
    client = fake(made, "child,slow=50,tiles=1000")
    client.hello()
    pid = client.pid
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    client.close()
    assert gone(pid) and all(gone(int(child)) for child in children)
    with pytest.raises(EngineMissing, match="closed"):
        client.hello()


def test_the_child_gets_none_of_qgis_own_settings() -> None:
    dirty = {
        "PYTHONHOME": "/usr", "PYTHONPATH": "/x", "PROJ_LIB": "/p", "PROJ_DATA": "/p",
        "GDAL_DATA": "/g", "GDAL_DRIVER_PATH": "/g", "LD_LIBRARY_PATH": "/l", "QT_PLUGIN_PATH": "/q",  # noqa: E501
        "VIRTUAL_ENV": "/v", "HOME": "/home/me", "PATH": "/bin",
    }  # fmt: skip
    cleaned = engine_env.clean_environment(dirty, {"HTTPS_PROXY": "http://p"})
    assert cleaned == {"HOME": "/home/me", "PATH": "/bin", "HTTPS_PROXY": "http://p"}


def test_setup_commands_are_shown_as_they_run(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    choice = setup_steps.SetupChoice("/usr/bin/python3", str(tmp_path / "e"), proxy="http://p:1")
    first, second = setup_steps.steps(choice)
    assert first == ["/usr/bin/python3", "-m", "venv", str(tmp_path / "e")]
    assert second[-3:] == ["--proxy", "http://p:1", "rsvlm-geo[cpu]"]
    offline = setup_steps.steps(
        setup_steps.SetupChoice("/p", "/e", wheels=str(tmp_path / "wheels"), proxy="http://p:1")
    )[1]
    assert "--no-index" in offline and "--proxy" not in offline
    assert "'rsvlm-geo[cpu]'" in setup_steps.as_text([second])
    with pytest.raises(ValueError, match="folder"):
        setup_steps.steps(setup_steps.SetupChoice("/p", "/e", wheels="/nowhere"))


def test_setup_runs_only_its_commands_and_can_be_cancelled() -> None:
    lines: list[str] = []
    python = sys.executable
    good = setup_steps.run_steps(
        [[python, "-c", "print('made')"]], os.environ, on_line=lines.append
    )
    assert good is None and "made" in lines
    bad = setup_steps.run_steps(
        [[python, "-c", "import sys; sys.exit(4)"]], os.environ, on_line=lines.append
    )
    assert bad is not None and "code 4" in bad
    stopped = setup_steps.run_steps(
        [[python, "-c", "import time; time.sleep(600)"]], os.environ, on_line=lines.append,
        cancelled=lambda: True,
    )  # fmt: skip
    assert stopped == "cancelled"


def test_messages_of_both_sides_follow_the_schema(made: Made, monkeypatch: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rsvlm_geo.protocol import decode_request, load_schema

    schema = load_schema()

    def valid(message: dict[str, Any], side: str) -> None:
        name = f"{side}_{message['type']}"
        jsonschema.validate(message, {"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})

    sent: list[dict[str, Any]] = []
    client = fake(made, "slow=1")
    valid(client.hello(), "event")
    process = client._process
    assert process is not None
    real = process.send
    monkeypatch.setattr(
        process, "send", lambda message: (sent.append(dict(message)), real(message))
    )
    events: list[dict[str, Any]] = []
    request = {
        "task": "count", "target": "car", "source": FAKE, "bbox": [0.0, 0.0, 1.0, 1.0],
        "crs": "EPSG:4326", "options": {"inline": True, "provider": "auto"},
    }  # fmt: skip
    events.append(client.call("run", request, on_event=events.append))
    events.append(client.call("info"))
    estimate = {"task": "ask", "source": FAKE, "question": "?"}
    events.append(client.call("estimate", estimate))
    for event in events:
        valid(event, "event")
    for message in sent:
        valid(message, "request")
        assert decode_request(json.dumps(message)).type == message["type"]
    assert {m["type"] for m in sent} == {"run", "info", "estimate"}


def test_the_real_engine_introduces_itself(made: Made) -> None:
    pytest.importorskip("rsvlm_geo.serve")
    client = EngineClient(engine_env.engine_command(sys.executable))
    made.append(client)
    assert client.hello()["protocol"] == 1
    with pytest.raises(EngineError) as caught:
        client.call("run", {"task": "caption", "source": "/nowhere/scene.tif"})
    assert caught.value.kind == "SceneNotFoundError"
    assert "/nowhere/scene.tif" in str(caught.value)


def test_a_command_of_the_engine_is_followed_to_its_end() -> None:
    pytest.importorskip("rsvlm_geo.cli")
    lines: list[str] = []
    environ = engine_env.clean_environment(os.environ)
    code = cli_job.follow(
        sys.executable, ["--help"], environ, on_event=lambda event: None, on_line=lines.append
    )
    assert code == 0 and any("describe" in line for line in lines)
    with pytest.raises(cli_job.CommandFailed, match="No such command"):
        cli_job.follow(sys.executable, ["nonsense"], environ, on_event=lambda event: None)
