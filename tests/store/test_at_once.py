"""What a batch adds on SQLite travels in one statement: nothing is lost or bent on the way."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.errors import InvalidParameter
from routing.events import Event
from routing.store import SqlStore, UnitOfWork
from routing.task import Task
from tests.store import records
from tests.store.records import furnish
from tests.store.test_combining import adding, stored, together, told_by

#: Whatever a column may be asked to hold. U+0000 and what reads like it are of interest: JSON in
#: SQLite ends there.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["\x00", "a\x00b", "\\u0000", "\\\x00", '"', "\\", "'", "\u2028", "\ufeff", "é😀", "null", "1"]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, st.none() | TEXTS, NUMBERS), min_size=1, max_size=4))
def test_rows_come_back_as_they_were_added(
    store: SqlStore, rows: list[tuple[str, str | None, int]]
) -> None:
    if store._database.dialect.name == "postgresql":
        pytest.skip("it refuses U+0000, and has tests of its own")
    office = furnish(store)
    tasks = [
        records.task(office.channel, attributes=text, reason=reason, priority=number)
        for text, reason, number in rows
    ]
    told = [
        dataclasses.replace(
            records.event(office.workspace.sid, task.sid), carried={"text": task.attributes}
        )
        for task in tasks
    ]
    before = len(told_by(store))

    def add_all(work: UnitOfWork) -> None:
        for task, event in zip(tasks, told, strict=True):
            adding(task, event)(work)

    store.perform(add_all, only_adds=True)

    def kept(work: UnitOfWork) -> list[Task | None]:
        return [work.tasks.get(task.sid) for task in tasks]

    assert store.read(kept) == tasks
    read: list[Event] = told_by(store)[before:]
    assert [records.without_position(event) for event in read] == told


def test_any_number_of_rows_is_added(store: SqlStore) -> None:
    office = furnish(store)
    for number in (1, 60, 200):
        tasks = [records.task(office.channel) for _ in range(number)]
        told = [records.event(office.workspace.sid, task.sid) for task in tasks]
        before = len(told_by(store))

        def add_all(work: UnitOfWork, tasks: list[Task] = tasks, told: list[Event] = told) -> None:
            assert work.configuration(office.workspace.sid).workspace == office.workspace
            for task, event in zip(tasks, told, strict=True):
                adding(task, event)(work)

        store.perform(add_all, only_adds=True)
        assert {task.sid for task in tasks} <= stored(store)
        assert [records.without_position(each) for each in told_by(store)[before:]] == told


def test_half_a_character_is_refused_and_nothing_is_kept(store: SqlStore) -> None:
    office = furnish(store)
    good, bad = (records.task(office.channel, reason=text) for text in ("fine", "\ud800"))
    outcomes = together(store, adding(good), adding(bad))
    assert outcomes[0].exception() is None
    assert isinstance(outcomes[1].exception(), InvalidParameter)
    assert stored(store) == {office.task.sid, good.sid}
