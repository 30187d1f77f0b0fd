"""The document that says what a number does: read once, every mistake named with its place."""

import json
from pathlib import Path

import pytest

from voice.call_flow import CallFlowError, check_call_flow, load_call_flow

SMALLEST: dict[str, object] = {
    "language": "en-US",
    "farewell": {"unavailable": "Sorry.", "canceled": "Goodbye."},
}


def test_the_example_is_right() -> None:
    flow = load_call_flow()
    assert flow.greeting
    assert flow.bridge == "on_accept"


def test_what_is_left_out_has_a_default() -> None:
    flow = check_call_flow(SMALLEST, source="flow")
    assert (flow.greeting, flow.task_channel, flow.priority) == ("", "voice", 0)
    assert (flow.workspace, flow.workflow, flow.music_url) == (None, None, None)


def test_all_mistakes_are_named_at_once_with_their_places() -> None:
    document = {
        "language": 3,
        "greeting": "x" * 1001,
        "greeting_url": "/hello.mp3",
        "colour": "red",
        "agent": {"bridge": "sometimes", "ring_seconds": 4, "mood": 1},
        "task": "now",
        "waiting": {"announcement": "{place}", "interval_seconds": True, "queue": " "},
        "farewell": {"canceled": "\x07"},
    }
    with pytest.raises(CallFlowError) as caught:
        check_call_flow(document, source="flow.toml")
    places = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(places) == sorted(
        [
            "language",
            "greeting",
            "greeting_url",
            "colour",
            "agent.bridge",
            "agent.ring_seconds",
            "agent.mood",
            "task",
            "waiting.announcement",
            "waiting.interval_seconds",
            "waiting.queue",
            "farewell.canceled",
            "farewell.unavailable",
        ]
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff", "UTF-8"), (b"language = ", "not TOML"), (b"[[", "not TOML")],
)
def test_a_file_that_is_no_document_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "flow.toml"
    path.write_bytes(content)
    with pytest.raises(CallFlowError, match=words) as caught:
        load_call_flow(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CallFlowError, match=r"none\.toml: cannot be read"):
        load_call_flow(tmp_path / "none.toml")


def test_a_document_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    farewell = {"unavailable": "Sorry.", "canceled": "Nobody came."}
    path.write_text(json.dumps({"language": "de-DE", "farewell": farewell}))
    assert load_call_flow(path).unavailable == "Sorry."
    for text in ("{", "[]", "[" * 100_000, '{"a": 1, "a": 2}', '{"a": NaN}'):
        path.write_text(text)
        with pytest.raises(CallFlowError, match=r"flow.json: not a JSON object: "):
            load_call_flow(path)
