"""Rows and the smaller promises of a unit of work, on both databases."""

import dataclasses
from functools import partial
from typing import Any

import pytest

from routing.errors import Conflict, InvalidParameter, NotFound
from routing.events import Event
from routing.store import BrokenInvariant, SqlStore, StoreError, UnitOfWork
from routing.store.tables import TABLES, events
from tests.store import records
from tests.store.records import ManualClock, Office, furnish, take_capacity


@pytest.fixture
def office(store: SqlStore) -> Office:
    return furnish(store)


@pytest.mark.parametrize("record", TABLES, ids=lambda record: record.__name__)
def test_a_table_has_exactly_the_columns_of_its_record(record: Any) -> None:
    fields = [field.name for field in dataclasses.fields(record)]
    assert [column.name for column in TABLES[record].columns] == fields


def test_the_log_has_exactly_the_columns_of_an_event() -> None:
    fields = {field.name for field in dataclasses.fields(Event)}
    assert {column.name for column in events.columns} == fields


def test_every_kind_of_record_comes_back_as_it_was_stored(store: SqlStore, office: Office) -> None:
    more: dict[str, Any] = {
        "reservations": records.reservation(office.task, office.worker_channel, due_at=1),
        "calls": records.call(office.task, parameters='{"ü": "☎"}'),
        "instructions": records.instruction(office.task, leased_until=7),
        "deliveries": records.delivery(office.workspace.sid, last_status=503),
    }

    def store_more(work: UnitOfWork) -> None:
        for name, record in more.items():
            getattr(work, name).add(record)

    store.perform(store_more)
    kept = more | {
        "workspaces": office.workspace,
        "activities": office.activity,
        "task_channels": office.channel,
        "task_queues": office.queue,
        "workflows": office.workflow,
        "workers": office.worker,
        "worker_channels": office.worker_channel,
        "tasks": office.task,
    }
    for name, record in kept.items():

        def found(
            work: UnitOfWork, *, lock: bool, name: str = name, sid: str = record.sid
        ) -> object:
            return getattr(work, name).get(sid, lock=lock)

        assert store.read(partial(found, lock=False)) == record
        assert store.perform(partial(found, lock=True)) == record


def test_find_filters_by_value_by_set_and_by_nothing(store: SqlStore, office: Office) -> None:
    late = records.task(office.channel, created_at=records.NEW_YEAR + 5, priority=3)
    queued = records.task(
        office.channel, created_at=records.NEW_YEAR + 9, task_queue_sid=office.queue.sid
    )
    records.store_all(store, "tasks", [late, queued])

    def found(**filters: Any) -> list[str]:
        return [task.sid for task in store.read(lambda work: work.tasks.find(**filters))]

    first = office.task.sid
    assert found() == [first, late.sid, queued.sid]
    assert found(order_by="-created_at") == [queued.sid, late.sid, first]
    assert found(limit=2) == [first, late.sid]
    assert found(priority=3) == [late.sid]
    assert found(task_queue_sid=None) == [first, late.sid]
    assert found(sid={first, queued.sid}, workspace_sid=office.workspace.sid) == [first, queued.sid]
    assert found(assignment_status=frozenset({"reserved", "assigned"})) == []
    assert found(sid=set()) == []


def test_change_and_remove_tell_how_many_rows_there_were(store: SqlStore, office: Office) -> None:
    sid = office.task.sid
    assert store.perform(lambda work: work.tasks.change(sid, reason="late", priority=9)) == 1
    changed = store.read(lambda work: work.tasks.get(sid))
    assert changed == dataclasses.replace(office.task, reason="late", priority=9)
    assert store.perform(lambda work: work.tasks.change("WTnobody", reason="late")) == 0
    assert store.perform(lambda work: work.tasks.remove(sid)) == 1
    assert store.perform(lambda work: work.tasks.remove(sid)) == 0


def test_a_taken_unique_name_is_a_conflict_that_says_so(store: SqlStore, office: Office) -> None:
    upper = records.worker(office.activity, friendly_name="ANNA")
    lower = records.worker(office.activity, friendly_name="anna")
    store.perform(lambda work: work.workers.add(upper))
    with pytest.raises(Conflict, match="Worker with this FriendlyName"):
        store.perform(lambda work: work.workers.add(lower))
    with pytest.raises(Conflict, match="TaskChannel with this UniqueName"):
        store.perform(
            lambda work: work.task_channels.add(records.task_channel(office.workspace.sid))
        )
    with pytest.raises(Conflict, match="same key"):
        store.perform(lambda work: work.tasks.add(office.task))
    with pytest.raises(Conflict, match="already has this WorkerChannel"):
        store.perform(
            lambda work: work.worker_channels.add(
                records.worker_channel(office.worker, office.channel)
            )
        )


def test_a_task_is_offered_to_a_worker_once_at_a_time(store: SqlStore, office: Office) -> None:
    first = records.reservation(office.task, office.worker_channel)
    again = records.reservation(office.task, office.worker_channel)
    store.perform(lambda work: work.reservations.add(first))
    with pytest.raises(Conflict, match="already offered to this Worker"):
        store.perform(lambda work: work.reservations.add(again))
    store.perform(lambda work: work.reservations.change(first.sid, reservation_status="rejected"))
    store.perform(lambda work: work.reservations.add(again))


def test_a_reference_to_nothing_is_a_conflict(store: SqlStore, office: Office) -> None:
    stray = records.task(office.channel, workflow_sid="WWnothing")
    with pytest.raises(Conflict, match="does not exist any more"):
        store.perform(lambda work: work.tasks.add(stray))
    with pytest.raises(Conflict, match="still refers to it"):
        store.perform(lambda work: work.activities.remove(office.activity.sid))


def test_a_conflict_spoils_the_unit_even_when_the_verb_catches_it(
    store: SqlStore, office: Office
) -> None:
    def stubborn(work: UnitOfWork) -> str:
        work.tasks.change(office.task.sid, reason="half")
        try:
            work.tasks.add(office.task)
        except Conflict:
            return "carried on"
        return "no conflict"

    with pytest.raises(Conflict):
        store.perform(stubborn)
    assert store.read(lambda work: work.tasks.get(office.task.sid)) == office.task


def test_what_no_column_can_hold_is_an_invalid_parameter(store: SqlStore, office: Office) -> None:
    def change(work: UnitOfWork, **columns: object) -> int:
        return work.tasks.change(office.task.sid, **columns)

    with pytest.raises(InvalidParameter, match=r"U\+0000"):
        store.perform(partial(change, reason="\ud800"))
    with pytest.raises(InvalidParameter, match=r"U\+0000"):
        store.perform(partial(change, priority=2**70))


def test_a_state_outside_the_table_of_moves_is_refused_by_the_database(
    store: SqlStore, office: Office
) -> None:
    with pytest.raises(BrokenInvariant):
        store.perform(lambda work: work.tasks.change(office.task.sid, assignment_status="lost"))
    with pytest.raises(BrokenInvariant):
        store.perform(
            lambda work: work.worker_channels.change(office.worker_channel.sid, assigned_tasks=-1)
        )


def test_deleting_a_workspace_takes_everything_in_it_along(store: SqlStore, office: Office) -> None:
    store.perform(
        lambda work: work.reservations.add(records.reservation(office.task, office.worker_channel))
    )
    store.perform(lambda work: work.workspaces.remove(office.workspace.sid))

    def left(work: UnitOfWork) -> list[list[Any]]:
        return [
            work.activities.find(),
            work.task_channels.find(),
            work.task_queues.find(),
            work.workflows.find(),
            work.workers.find(),
            work.worker_channels.find(),
            work.tasks.find(),
            work.reservations.find(),
        ]

    assert store.read(left) == [[]] * 8


def test_an_ended_task_lets_go_of_a_deleted_queue_and_workflow(
    store: SqlStore, office: Office
) -> None:
    ended = records.task(
        office.channel,
        assignment_status="completed",
        task_queue_sid=office.queue.sid,
        workflow_sid=office.workflow.sid,
    )
    store.perform(lambda work: work.tasks.add(ended))
    store.perform(lambda work: work.task_queues.remove(office.queue.sid))
    store.perform(lambda work: work.workflows.remove(office.workflow.sid))
    found = store.read(lambda work: work.tasks.get(ended.sid))
    assert found == dataclasses.replace(ended, task_queue_sid=None, workflow_sid=None)


def test_capacity_is_taken_while_there_is_some(store: SqlStore) -> None:
    office = furnish(store, capacity=2)
    sid = office.worker_channel.sid

    def take(*, regardless: bool = False) -> bool:
        return take_capacity(store, office.worker_channel, regardless=regardless)

    assert [take(), take(), take()] == [True, True, False]
    assert take(regardless=True)
    assert assigned_tasks(store, office) == 3
    for _ in range(3):
        store.perform(lambda work: work.free_capacity(sid))
    with pytest.raises(BrokenInvariant, match=sid):
        store.perform(lambda work: work.free_capacity(sid))
    assert assigned_tasks(store, office) == 0


def test_a_channel_that_is_switched_off_gives_no_capacity(store: SqlStore, office: Office) -> None:
    sid = office.worker_channel.sid
    store.perform(lambda work: work.worker_channels.change(sid, available=False))
    assert not take_capacity(store, office.worker_channel)
    nobody = dataclasses.replace(office.worker_channel, worker_sid="WKnobody")
    assert not take_capacity(store, nobody, regardless=True)


def test_of_more_than_there_is_the_first_get_what_there_is(store: SqlStore) -> None:
    office = furnish(store, capacity=3)
    own = records.capacity_claim(office.worker_channel)
    ignoring = records.capacity_claim(office.worker_channel, regardless=True)
    stranger = dataclasses.replace(own, worker_sid="WKnobody")
    wanted = [own, stranger, own, own, own, ignoring, own, stranger]
    sid = office.worker_channel.sid
    taken = store.perform(lambda work: work.take_capacity(wanted))
    assert taken == [sid, None, sid, sid, None, sid, None, None]
    assert assigned_tasks(store, office) == 4
    assert store.perform(lambda work: work.take_capacity([])) == []


def assigned_tasks(store: SqlStore, office: Office) -> int:
    channel = store.read(lambda work: work.worker_channels.get(office.worker_channel.sid))
    assert channel is not None
    return channel.assigned_tasks


def test_many_rows_are_changed_each_in_its_own_way(store: SqlStore, office: Office) -> None:
    first, second, third = (records.task(office.channel, priority=1) for _ in range(3))
    records.store_all(store, "tasks", [first, second, third])

    def change(work: UnitOfWork) -> list[int]:
        work.tasks.change_all(
            {first.sid: {"priority": 2, "reason": "a"}, second.sid: {"priority": 3, "reason": None}}
        )
        # A second change of a row, and a question about it, find the first one done.
        work.tasks.change_all({second.sid: {"priority": 4}})
        work.tasks.change_all({})
        return [each.priority for each in work.tasks.find(sid={first.sid, second.sid, third.sid})]

    assert sorted(store.perform(change)) == [1, 2, 4]
    found = store.read(lambda work: work.tasks.get(first.sid))
    assert found == dataclasses.replace(first, priority=2, reason="a")
    assert store.read(lambda work: work.tasks.get(third.sid)) == third


def test_what_is_due_comes_most_overdue_first(
    store: SqlStore, office: Office, clock: ManualClock
) -> None:
    now = clock.now()
    tasks = [
        records.task(office.channel, expires_at=now - 1, step_due_at=now - 8),
        records.task(office.channel, expires_at=now - 2, step_due_at=now - 7),
        records.task(office.channel, expires_at=now + 1, step_due_at=now + 1),
    ]
    offered = records.reservation(office.task, office.worker_channel, due_at=now)

    def fill(work: UnitOfWork) -> None:
        for task in tasks:
            work.tasks.add(task)
        work.reservations.add(offered)

    assert store.read(lambda work: work.next_deadline()) is None
    store.perform(fill)
    sids = [task.sid for task in tasks]
    assert store.read(lambda work: work.expired_tasks(now, 9)) == [sids[1], sids[0]]
    assert store.read(lambda work: work.due_task_steps(now, 9)) == [sids[0], sids[1]]
    assert store.read(lambda work: work.due_task_steps(now, 1)) == [sids[0]]
    assert store.read(lambda work: work.due_reservations(now, 9)) == [offered.sid]
    assert store.read(lambda work: work.due_reservations(now - 1, 9)) == []
    assert store.read(lambda work: work.next_deadline()) == now - 8


def test_leased_rows_are_not_due_before_their_lease_ends(
    store: SqlStore, office: Office, clock: ManualClock
) -> None:
    now = clock.now()
    free = records.instruction(office.task, due_at=now - 1)
    leased = records.instruction(office.task, due_at=now - 5, leased_until=now + 10)
    owed = records.delivery(office.workspace.sid, due_at=now - 1, leased_until=now + 20)
    ringing = records.call(office.task, due_at=now + 30)

    def fill(work: UnitOfWork) -> None:
        work.instructions.add(free)
        work.instructions.add(leased)
        work.deliveries.add(owed)
        work.calls.add(ringing)

    store.perform(fill)
    assert store.perform(lambda work: work.due_instructions(now, 9)) == [free]
    assert store.read(lambda work: work.due_instructions(now + 10, 9)) == [leased, free]
    to = owed.receiver
    assert store.read(lambda work: work.due_deliveries(to, now, 9)) == []
    assert store.perform(lambda work: work.due_deliveries(to, now + 20, 9)) == [owed]
    assert store.read(lambda work: work.due_deliveries("somebody else", now + 20, 9)) == []
    assert store.read(lambda work: work.due_calls(now, 9)) == []
    assert store.perform(lambda work: work.due_calls(now + 30, 9)) == [ringing]
    assert store.read(lambda work: work.next_voice_deadline()) == now - 1


def test_a_workflow_keeps_the_configurations_that_its_tasks_began_with(
    store: SqlStore, office: Office
) -> None:
    second = dataclasses.replace(office.workflow, configuration='{"a": 1}', configuration_version=2)

    def keep(work: UnitOfWork) -> None:
        work.keep_workflow_configuration(office.workflow)
        work.keep_workflow_configuration(second)
        work.keep_workflow_configuration(second)

    store.perform(keep)
    sid = second.sid
    assert store.read(lambda work: work.workflow_configuration(sid, 1)) == "{}"
    assert store.read(lambda work: work.workflow_configuration(sid, 2)) == '{"a": 1}'
    with pytest.raises(NotFound):
        store.read(lambda work: work.workflow_configuration(sid, 3))


def test_nothing_is_written_by_a_reading_query(store: SqlStore, office: Office) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        store.read(lambda work: work.tasks.remove(office.task.sid))
    assert store.read(lambda work: work.tasks.get(office.task.sid, lock=True)) == office.task


def test_a_unit_of_work_that_is_over_cannot_be_used(store: SqlStore, office: Office) -> None:
    escaped = store.perform(lambda work: work)
    with pytest.raises(StoreError, match="over"):
        escaped.tasks.get(office.task.sid)
