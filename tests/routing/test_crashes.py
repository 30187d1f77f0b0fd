"""An engine that is killed at any moment loses nothing that it has answered, and goes on."""

import contextlib
import random
import subprocess
import sys

from routing.background.router import Router
from routing.clock import SystemClock
from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.house import tree
from tests.routing import invariants
from tests.routing.centre import Centre

KILLS = 3


def _live_and_die(url: str, workspace_sid: str, seed: int, words: int) -> list[tuple[str, str]]:
    """Lets an engine work until it has said so many words, kills it: everything it has said."""
    command = [sys.executable, "-m", "tests.routing.doomed", url, workspace_sid, str(seed)]
    with subprocess.Popen(command, cwd=tree.ROOT, stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        said = [doomed.stdout.readline() for _ in range(words)]
        doomed.kill()
        said += doomed.stdout.readlines()
    assert said[0], "it died by itself"
    pairs = [line.split() for line in said if line.endswith("\n")]
    return [(word, sid) for word, sid in pairs]


def _check_kept(tables: invariants.Tables, answered: list[tuple[str, str]]) -> None:
    """What was answered is in the tables, or has lawfully gone on from there."""
    offers = {each.sid: each.reservation_status for each in tables.reservations}
    for word, sid in answered:
        if word == "created":
            assert sid in tables.tasks
        elif word in {"completed", "canceled"}:
            assert tables.tasks[sid].assignment_status == word
        elif word == "accepted":
            assert offers[sid] in {"accepted", "completed"}
        else:
            assert offers[sid] == word


def test_whatever_was_answered_survives_a_kill(database_url: str) -> None:
    clock = ManualClock()
    store = open_store(database_url, clock)
    with contextlib.closing(store):
        store.migrate()
        centre = Centre(store, Engine(store, clock), clock)
        centre.change_workspace(timeout_activity_sid=centre.activity("Available"))
        centre.change_workflow(centre.workflow_sid, task_reservation_timeout=1)
        for number in range(4):
            centre.add_worker(f"worker {number}", capacity=number)
        answered: list[tuple[str, str]] = []
        draw = random.Random(2)  # noqa: S311 - where it is killed
        for life in range(KILLS):
            words = draw.randint(1, 150)
            answered += _live_and_die(database_url, centre.workspace_sid, life, words)
            _check_kept(invariants.check_store(store), answered)
        assert {word for word, _sid in answered} >= {"created", "accepted", "completed"}
    _go_on(database_url)


def _go_on(url: str) -> None:
    """A router that begins where the last one stopped leaves nobody waiting in vain."""
    store = open_store(url, SystemClock())
    with contextlib.closing(store):
        router = Router(Engine(store, SystemClock()))
        router.start()
        step = router.step(store)
        while step():
            pass
        invariants.check_nobody_waits_in_vain(store)
