"""Lists page by key: whatever the order, no row comes twice and none is left out."""

import itertools
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.events import Event
from routing.store import SqlStore
from routing.store.pages import ASCENDING, DESCENDING, Between, Order, Page, page
from routing.task import Task
from tests.store import records
from tests.store.records import Office, furnish


@pytest.fixture
def office(store: SqlStore) -> Office:
    """With thirty tasks, of which several share each value."""
    office = furnish(store)
    store.perform(lambda work: work.tasks.remove(office.task.sid))
    tasks = [
        records.task(
            office.channel,
            priority=number % 3,
            created_at=records.NEW_YEAR + number // 4,
            assignment_status=("pending", "canceled")[number % 2],
        )
        for number in range(30)
    ]
    records.store_all(store, "tasks", tasks)
    return office


def walked(store: SqlStore, order: Order, limit: int, **filters: object) -> list[Task]:
    found: list[Task] = []
    key = None
    while True:
        turn = partial(page, record=Task, filters=filters, order=order, after=key, limit=limit)
        one: Page[Task] = store.read(turn)
        found.extend(one.records)
        if not one.has_more:
            return found
        key = one.last


DIRECTIONS = [ASCENDING, DESCENDING]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(DIRECTIONS, DIRECTIONS)))
def test_pages_put_together_are_the_whole_list_in_order(
    store: SqlStore, office: Office, first: str, second: str
) -> None:
    order = (("priority", first), ("created_at", second))
    found = walked(store, order, 7, workspace_sid=office.workspace.sid)
    assert len({task.sid for task in found}) == 30
    signs = {ASCENDING: 1, DESCENDING: -1}
    keys = [(task.priority * signs[first], task.created_at * signs[second]) for task in found]
    assert keys == sorted(keys)


def test_the_page_before_is_the_one_that_was_left(store: SqlStore, office: Office) -> None:
    filters = {"workspace_sid": office.workspace.sid}

    def turn(after: object = None, before: object = None) -> Page[Task]:
        return store.read(
            lambda work: page(work, Task, filters=filters, after=after, before=before, limit=12)  # type: ignore[arg-type]  # a key
        )

    first = turn()
    second = turn(after=first.last)
    assert second.records
    assert turn(before=second.first).records == first.records
    assert not turn(before=second.first).has_more
    assert turn(before=turn(after=second.last).first).records == second.records
    assert turn(before=turn(after=second.last).first).has_more


@pytest.mark.usefixtures("office")
def test_filters_narrow_a_list(store: SqlStore) -> None:
    order = (("created_at", ASCENDING),)
    pending = walked(store, order, 4, assignment_status="pending")
    assert len(pending) == 15
    assert {task.assignment_status for task in pending} == {"pending"}
    both = frozenset({"pending", "canceled"})
    assert len(walked(store, order, 4, assignment_status=both, task_queue_sid=None)) == 30
    middle = Between(at_least=records.NEW_YEAR + 1, below=records.NEW_YEAR + 3)
    assert len(walked(store, order, 3, created_at=middle)) == 8
    assert walked(store, order, 3, assignment_status=frozenset()) == []
    assert walked(store, order, 3, workspace_sid="WSnothing") == []


def test_events_are_listed_newest_first_with_their_filters(store: SqlStore, office: Office) -> None:
    sid = office.workspace.sid
    told = [
        records.event(sid, occurred_at=records.NEW_YEAR + number // 2, task_sid=f"WT{number % 2}")
        for number in range(10)
    ]
    records.emit_all(store, told)
    order = (("occurred_at", DESCENDING),)
    filters = {
        "workspace_sid": sid,
        "task_sid": "WT1",
        "occurred_at": Between(below=records.NEW_YEAR + 4),
    }
    found: Page[Event] = store.read(
        lambda work: page(work, Event, filters=filters, order=order, limit=3)
    )
    assert [event.sid for event in found.records] == [told[7].sid, told[5].sid, told[3].sid]
    assert found.has_more
    assert found.records[0].carried == told[7].carried


@pytest.mark.usefixtures("office")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    limit=st.integers(1, 31),
    order=st.lists(
        st.tuples(
            st.sampled_from(["priority", "created_at", "assignment_status"]),
            st.sampled_from(DIRECTIONS),
        ),
        min_size=1,
        unique_by=lambda pair: pair[0],
    ),
)
def test_no_task_is_left_out_or_repeated(
    store: SqlStore, limit: int, order: list[tuple[str, str]]
) -> None:
    found = walked(store, tuple(order), limit)
    assert len(found) == len({task.sid for task in found}) == 30
