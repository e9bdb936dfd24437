"""The contract of the engine: the schema, its examples, and the reader agree."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from rsvlm_geo.errors import SceneNotFoundError, TaskError
from rsvlm_geo.protocol import (
    REQUESTS,
    ProtocolError,
    RunOptions,
    decode_request,
    encode_event,
    error_event,
    load_examples,
    load_schema,
    split_message,
)

SCHEMA = load_schema()


def check(kind: str, message: dict[str, Any]) -> None:
    """Validate one message against the part of the schema of its own type."""
    part = {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{kind}_{message['type']}"}
    jsonschema.Draft202012Validator(part).validate(message)


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("kind", ["request", "event"])
def test_examples_keep_to_the_schema_and_show_every_message(kind: str) -> None:
    examples = load_examples()[f"{kind}s"]
    for message in examples:
        check(kind, message)
    named = {name.split("_", 1)[1] for name in SCHEMA["$defs"] if name.startswith(f"{kind}_")}
    assert {message["type"] for message in examples} == named


def test_every_example_request_reads() -> None:
    for message in load_examples()["requests"]:
        request = decode_request(json.dumps(message))
        assert request.type == message["type"] and request.id == message.get("id")


def test_options_and_their_schema_name_the_same_fields() -> None:
    assert set(SCHEMA["$defs"]["options"]["properties"]) == set(RunOptions.__slots__)
    named = {n.split("_", 1)[1] for n in SCHEMA["$defs"] if n.startswith("request_")}
    assert named == set(REQUESTS)


RUN = {"type": "run", "id": "a", "task": "count", "source": "x.tif", "target": "car"}


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[1]",
        '"run"',
        "{}",
        '{"type": "dance", "id": "a"}',
        '{"type": "cancel"}',
        json.dumps({**RUN, "id": 7}),
        json.dumps({**RUN, "source": ""}),
        json.dumps({**RUN, "bbox": [1, 2, 3]}),
        json.dumps({**RUN, "bbox": [1, 2, 3, True]}),
        json.dumps({**RUN, "polygon": "POLYGON"}),
        json.dumps({**RUN, "target": 3}),
        json.dumps({**RUN, "candidates": "yes"}),
        json.dumps({**RUN, "options": []}),
        json.dumps({**RUN, "options": {"colour": "red"}}),
        json.dumps({**RUN, "options": {"gsd": "0.3"}}),
        json.dumps({**RUN, "options": {"gsd": True}}),
        json.dumps({**RUN, "options": {"nodata": True}}),
        json.dumps({**RUN, "options": {"nodata": "none"}}),
        json.dumps({**RUN, "options": {"bands": ["red"]}}),
        json.dumps({**RUN, "options": {"stretch": [1, 2]}}),
        json.dumps({**RUN, "options": {"out": [1]}}),
    ],
)
def test_a_line_that_is_no_request_says_what_to_send(line: str) -> None:
    with pytest.raises(ProtocolError):
        decode_request(line)


def test_an_unknown_task_is_a_task_error() -> None:
    with pytest.raises(TaskError, match="take one of describe"):
        decode_request(json.dumps({**RUN, "task": "paint"}))


def test_error_event_keeps_the_next_step_apart() -> None:
    event = error_event("a", SceneNotFoundError("no such file: /x; y.tif; check the path"))
    check("event", event)
    assert event["message"] == "no such file: /x; y.tif"
    assert event["next_step"] == "check the path"
    bug = error_event(None, ZeroDivisionError("division\nby zero"))
    check("event", bug)
    assert bug["class"] == "InternalError" and "\n" not in bug["message"]
    assert split_message("no advice") == ("no advice", None)


def test_an_event_is_one_line_and_never_nan() -> None:
    line = encode_event({"type": "warning", "message": "a\nb\u2028é"})
    assert line.count(b"\n") == 1 and json.loads(line)["message"] == "a\nb\u2028é"
    with pytest.raises(ValueError):
        encode_event({"value": float("nan")})
