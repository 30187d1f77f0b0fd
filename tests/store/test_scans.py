"""Long lists: whatever the filters, pages put together are what looking at every row finds."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.events import Event
from routing.store import SqlStore, priorities, scans, searching
from routing.store.pages import ASCENDING, DESCENDING, Between, Order
from routing.task import Task
from tests.store import records
from tests.store.records import Office, furnish

STATUSES = ("pending", "canceled", "completed", "assigned")


@pytest.fixture
def office(store: SqlStore) -> Office:
    """With sixty Tasks, of which several share each value."""
    office = furnish(store)
    store.perform(lambda work: work.tasks.remove(office.task.sid))
    made = [
        records.task(
            office.channel,
            priority=number % 3,
            created_at=records.NEW_YEAR + number // 4,
            virtual_start_at=records.NEW_YEAR - number % 7,
            assignment_status=STATUSES[number % 4],
            task_queue_sid=office.queue.sid if number % 2 else None,
            workflow_sid=office.workflow.sid if number % 5 else None,
            routing_target=office.worker.sid if number % 6 == 0 else None,
        )
        for number in range(60)
    ]
    records.store_all(store, "tasks", made)
    return office


@pytest.fixture
def _short_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """So short that pages have to end for lack of patience."""
    monkeypatch.setattr(searching, "MOST", 6)
    monkeypatch.setattr(searching, "FIRST", 1)
    monkeypatch.setattr(priorities, "MAX_GROUPS", 1)


def walked(store: SqlStore, record: type, order: Order, limit: int, filters: Any) -> list[Any]:
    found: list[Any] = []
    key = None
    for _ in range(1000):
        one: searching.Found[Any] = store.read(
            lambda work, key=key: scans.find(  # type: ignore[misc]
                work, record, filters=filters, order=order, after=key, limit=limit
            )
        )
        found.extend(one.records)
        assert len(one.records) <= limit
        if one.stopped_at is not None:
            assert key is None or one.stopped_at != key
            key = one.stopped_at
        elif len(one.records) < limit:
            return found
        else:
            key = tuple(getattr(one.records[-1], name) for name, _ in order)
    raise AssertionError("it never ends")


ORDERS = [
    (("created_at", ASCENDING), ("sid", ASCENDING)),
    (("created_at", DESCENDING), ("sid", DESCENDING)),
    (("virtual_start_at", ASCENDING), ("sid", ASCENDING)),
    *(
        ((one, first), (other, second), ("sid", second))
        for instant in ("created_at", "virtual_start_at")
        for one, other in (("priority", instant), (instant, "priority"))
        for first in (ASCENDING, DESCENDING)
        for second in (ASCENDING, DESCENDING)
    ),
]
FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "priority": st.integers(0, 3),
    "assignment_status": st.frozensets(st.sampled_from(STATUSES), max_size=4),
    "task_queue_sid": st.sampled_from(["queue", "unknown", None]),
    "workflow_sid": st.sampled_from(["workflow", None]),
    "routing_target": st.sampled_from(["worker", "unknown"]),
}


@pytest.mark.usefixtures("_short_scans")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.data())
def test_pages_put_together_are_what_a_look_at_every_row_finds(
    store: SqlStore, office: Office, drawn: st.DataObject
) -> None:
    chosen = drawn.draw(st.fixed_dictionaries({}, optional=FILTERS), label="filters")
    order = drawn.draw(st.sampled_from(ORDERS), label="order")
    limit = drawn.draw(st.integers(1, 20), label="limit")
    names = {
        "queue": office.queue.sid,
        "workflow": office.workflow.sid,
        "worker": office.worker.sid,
    }
    filters = {"workspace_sid": office.workspace.sid} | {
        name: names.get(value, value) if isinstance(value, str) else value
        for name, value in chosen.items()
    }
    every = store.read(lambda work: work.tasks.find(workspace_sid=office.workspace.sid))
    expected = [task for task in every if all(_meets(task, *each) for each in filters.items())]
    for name, direction in reversed(order):
        expected.sort(key=lambda task: getattr(task, name), reverse=direction == DESCENDING)
    found = walked(store, Task, order, limit, filters)
    assert [task.sid for task in found] == [task.sid for task in expected]


def _meets(task: Task, name: str, value: object) -> bool:
    own = getattr(task, name)
    return own in value if isinstance(value, frozenset) else bool(own == value)


@pytest.mark.usefixtures("_short_scans")
def test_a_page_stops_looking_and_says_where(store: SqlStore, office: Office) -> None:
    order = ORDERS[0]
    one: searching.Found[Task] = store.read(
        lambda work: scans.find(
            work,
            Task,
            filters={"workspace_sid": office.workspace.sid, "task_channel_sid": "none"},
            order=order,
            after=None,
            limit=3,
        )
    )
    assert one.records == []
    assert one.stopped_at is not None


@pytest.mark.usefixtures("_short_scans")
def test_events_are_found_the_newest_first(store: SqlStore, office: Office) -> None:
    made = [
        records.event(
            office.workspace.sid,
            str(number),
            occurred_at=records.NEW_YEAR + number // 2,
            workflow_sid=office.workflow.sid if number % 3 == 0 else None,
        )
        for number in range(40)
    ]
    records.emit_all(store, made)
    order = (("occurred_at", DESCENDING), ("position", DESCENDING))
    filters = {
        "workspace_sid": office.workspace.sid,
        "occurred_at": Between(at_least=records.NEW_YEAR + 2, below=records.NEW_YEAR + 19),
        "workflow_sid": office.workflow.sid,
    }
    found = walked(store, Event, order, 3, filters)
    assert [int(event.resource_sid) for event in found] == list(range(36, 5, -3))
