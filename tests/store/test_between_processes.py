"""Processes on one database hear of one another's commits, and what they say, at once."""

import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from routing.clock import SystemClock
from routing.sids import new_sid
from routing.store import SqlStore, open_store
from tests.store.records import emit_all, event

#: Seconds for anything to happen; the tests end as soon as it has.
PATIENCE = 30.0

NEIGHBOUR = """
import sys
from routing.clock import SystemClock
from routing.store import open_store
store = open_store(sys.argv[1], SystemClock())
store.listen()
heard = []
store.hear(heard.append)
print("listening", flush=True)
sys.stdin.readline()
store.tell("hello from the neighbour")
sys.stdin.readline()
store.close()
"""


def test_a_commit_of_one_process_wakes_the_others(
    store: SqlStore, open_another: Callable[[], SqlStore]
) -> None:
    other = open_another()
    for each in (store, other):
        each.listen()
    seen = other.signal.seen()
    # PostgreSQL's listener may connect later than this; then that wakes everybody.
    emit_all(store, [event(new_sid("WS"))])
    assert other.signal.wait(seen, PATIENCE) > seen


def test_what_one_process_says_is_heard_by_the_others_alone(
    store: SqlStore, database_url: str
) -> None:
    heard: queue.Queue[str] = queue.Queue()
    store.hear(heard.put)
    store.listen()
    neighbour = subprocess.Popen(
        [sys.executable, "-c", NEIGHBOUR, database_url],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with neighbour:
        assert neighbour.stdin is not None
        assert neighbour.stdout is not None
        assert neighbour.stdout.readline() == "listening\n"
        store.tell("not for me")
        neighbour.stdin.write("\n")
        neighbour.stdin.flush()
        assert heard.get(timeout=PATIENCE) == "hello from the neighbour"
        neighbour.stdin.write("\n")
        neighbour.stdin.flush()
    assert heard.empty()


def test_a_killed_neighbour_is_forgotten(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url, SystemClock())
    store.migrate()
    with subprocess.Popen(
        [sys.executable, "-c", NEIGHBOUR, sqlite_url],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as neighbour:
        assert neighbour.stdout is not None
        neighbour.stdout.readline()
        neighbour.kill()
    [folder] = [path for path in tmp_path.iterdir() if path.name.endswith(".sockets")]
    assert len(list(folder.iterdir())) == 1
    store.listen()
    store.tell("is anybody there?")
    store.close()
    assert list(folder.iterdir()) == []
