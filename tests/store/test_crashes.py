"""kill -9 at any moment: what was acknowledged is there, with its events, and nothing is half."""

import subprocess
import sys
from pathlib import Path

from routing.events import Event
from routing.store import SqlStore
from tests.store import records
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


def write() -> None:
    while True:
        task = records.task(channel)

        def verb(work):
            work.tasks.add(task)
            work.emit(records.event(channel.workspace_sid, task.sid))

        store.perform(verb)
        os.write(1, task.sid.encode() + b"\\n")


for _ in range(int(sys.argv[2])):
    threading.Thread(target=write).start()
"""


def test_what_was_acknowledged_survives_kill_9(store: SqlStore, database_url: str) -> None:
    office = furnish(store)
    store.perform(lambda work: work.tasks.remove(office.task.sid))
    acknowledged: set[str] = set()
    for number in range(KILLS):
        acknowledged |= written_until_killed(database_url, after=5 + number * 7)
    tasks = {task.sid for task in store.read(lambda work: work.tasks.find())}
    assert len(acknowledged) >= KILLS * 5
    assert acknowledged <= tasks
    told = everything(store)
    assert sorted(event.resource_sid for event in told) == sorted(tasks)


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
    log = store.event_log("auditor")
    found: list[Event] = []
    while events := log.read(100):
        found.extend(events)
        log.advance(events)
    return found
