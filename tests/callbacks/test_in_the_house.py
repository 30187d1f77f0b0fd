"""The whole house with its own processes, and a receiver beside it: killed and started again."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from commands.provision import provision
from routing.clock import SystemClock
from routing.engine import Engine, tasks, workspaces
from routing.store import open_store
from tests.callbacks.receiver import Receiver, Reply, json_reply
from tests.journeys.house import ACCOUNT, PATIENCE, TOKEN, House


def test_callbacks_of_a_house_that_is_killed(
    sqlite_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBACK_ALLOW_PRIVATE", "loopback")
    receiver.answers("/assign", json_reply({"instruction": "accept"}))
    with House(sqlite_url, tmp_path) as house:
        workflow = house.get(f"{house.base}/Workflows")["workflows"][0]
        house.post(
            f"{house.base}/Workflows/{workflow['sid']}",
            AssignmentCallbackUrl=receiver.url("/assign"),
        )
        house.post(house.base, EventCallbackUrl=receiver.url(), EventsFilter="task.created")
        sids = [_open_task(house) for _ in range(4)]
        house.kill()  # at whatever moment this is
        house.start()
        sids += [_open_task(house)]
        # Two agents, one call each: the others wait, and are told of all the same.
        house.until(lambda: _assigned(house) == 2, "both agents to have a Task")
        house.until(lambda: {*sids} <= _told(receiver), "every Task to be told of")
        _check_stream(house, len(sids))
        assert house.stop() == 0
    events = [each for each in receiver.received if each.path == "/events"]
    assert all(each.is_signed_with(TOKEN) for each in events)
    # What came twice did so under one event SID and one token.
    assert len({each.fields["Sid"] for each in events}) == len({each.token for each in events})


def test_an_application_that_answers_with_a_conference_puts_the_caller_through(
    sqlite_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is none, the fallback's is followed: agent and caller talk."""
    monkeypatch.setenv("CALLBACK_ALLOW_PRIVATE", "loopback")
    receiver.answers("/assign", Reply(status=503))
    receiver.answers("/fallback", json_reply({"instruction": "conference", "timeout": 20}))
    with House(sqlite_url, tmp_path) as house:
        workflow = house.get(f"{house.base}/Workflows")["workflows"][0]
        house.post(
            f"{house.base}/Workflows/{workflow['sid']}",
            AssignmentCallbackUrl=receiver.url("/assign"),
            FallbackAssignmentCallbackUrl=receiver.url("/fallback"),
        )
        caller = house.dial()
        assert caller in house.until_together()
        task = house.until_task_is("assigned")
        assert "conference" in task["attributes"]
        (delivery,) = house.get(f"{house.base}/Deliveries")["deliveries"]
        assert (delivery["kind"], delivery["state"]) == ("assignment", "delivered")


def _open_task(house: House) -> str:
    task = house.post(f"{house.base}/Tasks", TaskChannel="voice", Attributes="{}")
    return str(task["sid"])


def _assigned(house: House) -> int:
    answer = house.get(f"{house.base}/Tasks", AssignmentStatus="assigned")
    return len(answer["tasks"])


def _told(receiver: Receiver) -> set[str]:
    return {each.fields["TaskSid"] for each in receiver.received if each.path == "/events"}


def _check_stream(house: House, wanted: int) -> None:
    """The log from its beginning, as a client of server-sent events sees it."""
    url = f"{house.web}/v1{house.base}/EventStream"
    query = {"LastEventId": "0", "EventType": "task.created"}
    with requests.get(url, params=query, auth=(ACCOUNT, TOKEN), stream=True, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        told = []
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: "))["resource_sid"])
            if len(told) == wanted:
                break
    assert len(set(told)) == wanted


def test_callbacks_go_on_in_another_process_when_the_one_that_sends_them_is_killed(
    postgres_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    """Two machines that may send them: one does, and the other one takes over."""
    store = open_store(postgres_url, SystemClock())
    store.migrate()
    store.listen()
    leads = store.leadership()
    engine = Engine(store, SystemClock())
    workspace = store.perform(provision)
    engine.perform(
        workspaces.update,
        workspace_sid=workspace.sid,
        event_callback_url=receiver.url(),
        events_filter="task.created,task.updated",
    )
    told: dict[str, list[str]] = {}

    def make(number: int) -> None:
        for _ in range(number):
            task = engine.perform(tasks.create, workspace_sid=workspace.sid)
            engine.perform(tasks.update, workspace_sid=workspace.sid, task_sid=task.sid, priority=7)
            told[task.sid] = ["task.created", "task.updated"]

    def heard() -> dict[str, list[str]]:
        found: dict[str, dict[str, str]] = {}
        for each in tuple(receiver.received):
            found.setdefault(each.fields["TaskSid"], {})[each.fields["Sid"]] = each.event
        return {sid: list(events.values()) for sid, events in found.items()}

    with _followers(postgres_url, tmp_path / "one") as one:
        _wait_for(leads.is_taken)
        with _followers(postgres_url, tmp_path / "two"):
            make(10)
            _wait_for(lambda: len(receiver.received) > 3)
            one.kill()
            make(10)
            _wait_for(lambda: heard() == told)
    leads.give_up()
    store.close()


@contextlib.contextmanager
def _followers(database_url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    environment = dict(os.environ) | {
        "ROLE": "followers",
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(folder),
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "CALLBACK_ALLOW_PRIVATE": "loopback",
        "TANDEM_SECRET_KEY": "of these tests alone",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "follow"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(condition: Callable[[], bool]) -> None:
    tick, end = threading.Event(), time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        tick.wait(0.02)
