"""kill -9 at any moment: what was acknowledged is there, with its events, and nothing is half."""

import subprocess
import sys
from pathlib import Path

from routing.events import Event
from routing.sids import new_sid
from routing.store import SqlStore
from tests.store.records import furnish

KILLS = 10
WRITERS = 4

#: Several threads write one task and one event per verb, and report each as soon as it is answered.
PROGRAM = """
import os
import sys
import threading

from routing.clock import SystemClock
from routing.store import open_store
from tests.store import records

store = open_store(sys.argv[1], SystemClock())
channel = store.read(lambda work: work.task_channels.find())[0]


def write(only_adds: bool) -> None:
    while True:
        task = records.task(channel)

        def verb(work):
            work.tasks.add(task)
            work.emit(records.event(channel.workspace_sid, task.sid))

        store.perform(verb, only_adds=only_adds)
        os.write(1, task.sid.encode() + b"\\n")


for number in range(int(sys.argv[2])):
    threading.Thread(target=write, args=(number % 2 == 0,)).start()
"""


def test_what_was_acknowledged_survives_kill_9(store: SqlStore, database_url: str) -> None:
    office = furnish(store)
    store.perform(lambda work: work.tasks.remove(office.task.sid))
    acknowledged: set[str] = set()
    for number in range(KILLS):
        acknowledged |= written_until_killed(database_url, after=5 + number * 7)
    # A server may still be committing what a dead client had asked for, hence twice.
    told = everything(store)
    tasks = {task.sid for task in store.read(lambda work: work.tasks.find())}
    told_by_now = everything(store)
    assert len(acknowledged) >= KILLS * 5
    assert acknowledged <= {event.resource_sid for event in told}
    assert {event.resource_sid for event in told} <= tasks
    assert tasks <= {event.resource_sid for event in told_by_now}
    assert len(told_by_now) == len({event.sid for event in told_by_now})


def written_until_killed(url: str, *, after: int) -> set[str]:
    """SIDs that a process reported before it was killed, soon after so many reports."""
    writer = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(WRITERS)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    with writer:
        lines = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        # What had been reported by then and not been read yet.
        lines += writer.stdout.readlines()
    # The last line may have been cut by the kill.
    return {line.decode().strip() for line in lines if line.endswith(b"\n")}


def everything(store: SqlStore) -> list[Event]:
    log = store.event_log(new_sid("follower"))
    found: list[Event] = []
    while True:
        events = log.read(100)
        found.extend(events)
        log.advance(events)
        # A server may take a moment to see that a client is dead.
        if not events and not log.is_held_up:
            return found
