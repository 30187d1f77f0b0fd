"""Every state with every move: what the tables allow happens, everything else changes nothing."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from routing import reservation as reservations_module
from routing import task as tasks_module
from routing.engine import reservations, tasks
from routing.errors import Gone, IllegalMove
from routing.ports import Work
from routing.reservation import RESERVATION_MOVES, Reservation, next_reservation_state
from routing.task import TASK_MOVES, Task, next_task_state
from tests.fakes import MONDAY_MORNING
from tests.routing.centre import Centre
from tests.routing.scratch import scratch_centre

TASK_VERBS = sorted({move for moves in TASK_MOVES.values() for move in moves})
RESERVATION_VERBS = sorted({move for moves in RESERVATION_MOVES.values() for move in moves})


def test_the_tables_end_where_twilio_says_they_end() -> None:
    assert {"completed", "canceled"} == tasks_module.TERMINAL
    assert {"pending", "accepted", "wrapping"} == reservations_module.LIVE


@pytest.mark.parametrize("move", TASK_VERBS)
@pytest.mark.parametrize("state", TASK_MOVES)
def test_a_task_moves_as_its_table_says_or_not_at_all(state: str, move: str) -> None:
    task = _task(state)
    if move in TASK_MOVES[state]:
        assert next_task_state(task, move) == TASK_MOVES[state][move]
        assert TASK_MOVES[state][move] in TASK_MOVES
    else:
        with pytest.raises(IllegalMove, match=task.sid):
            next_task_state(task, move)


@pytest.mark.parametrize("move", RESERVATION_VERBS)
@pytest.mark.parametrize("state", RESERVATION_MOVES)
def test_a_reservation_moves_as_its_table_says_or_not_at_all(state: str, move: str) -> None:
    reservation = _reservation(state)
    if move in RESERVATION_MOVES[state]:
        assert next_reservation_state(reservation, move) == RESERVATION_MOVES[state][move]
        assert RESERVATION_MOVES[state][move] in RESERVATION_MOVES
    else:
        late = (state, move) == ("rescinded", "accept")
        with pytest.raises(Gone if late else IllegalMove, match=reservation.sid):
            next_reservation_state(reservation, move)


# ---- the same through the engine -----------------------------------------------------------------


@pytest.fixture
def two_at_once() -> Iterator[Centre]:
    """Alice and Bob are there, and each task is offered to both."""
    with scratch_centre() as centre:
        centre.change_queue(max_reserved_workers=2)
        for name in ("alice", "bob"):
            centre.add_worker(name)
        yield centre


def _bring_reservation(centre: Centre, state: str) -> str:
    """A reservation that has come into this state, by the verbs alone."""
    task = centre.add_task()
    first, second = centre.reservations(task)
    if state in {"accepted", "wrapping", "completed"}:
        centre.answer("accept", first.sid)
    ways: dict[str, Callable[[], None]] = {
        "wrapping": lambda: centre.wrap_up(task),
        "completed": lambda: centre.complete(task),
        "rejected": lambda: centre.answer("reject", first.sid),
        "timeout": lambda: centre.pass_time(30),
        "canceled": lambda: centre.cancel(task),
        "rescinded": lambda: centre.answer("accept", second.sid),
    }
    if state in ways:
        ways[state]()
    assert centre.reservation(first.sid).reservation_status == state
    return first.sid


def _reservation_verb(move: str) -> Callable[..., object]:
    if move == "cancel":
        return lambda work, *, reservation_sid: reservations.cancel(
            work, reservation_sid=reservation_sid, reason="no answer"
        )
    verb: Callable[..., object] = getattr(reservations, move)
    return verb


@pytest.mark.parametrize("move", [move for move in RESERVATION_VERBS if move != "rescind"])
@pytest.mark.parametrize("state", RESERVATION_MOVES)
def test_the_verbs_move_a_reservation_as_the_table_says(
    two_at_once: Centre, state: str, move: str
) -> None:
    centre = two_at_once
    sid = _bring_reservation(centre, state)
    if move == "time_out":
        centre.clock.advance(30)
    before = centre.picture()
    expected = RESERVATION_MOVES[state].get(move)
    perform = centre.engine.perform
    if expected is not None:
        perform(_reservation_verb(move), reservation_sid=sid)
        assert centre.reservation(sid).reservation_status == expected
        return
    if move in {"cancel", "time_out"}:  # said by nobody who could be told: it just does nothing
        assert perform(_reservation_verb(move), reservation_sid=sid) is False
    else:
        late = (state, move) == ("rescinded", "accept")
        with pytest.raises(Gone if late else IllegalMove):
            perform(_reservation_verb(move), reservation_sid=sid)
    assert centre.picture() == before


def _bring_task(centre: Centre, state: str) -> str:
    """A task that has come into this state, by the verbs alone."""
    if state == "pending":
        for worker in centre.all_workers():
            centre.move(worker.sid, "Offline")
        task = centre.add_task()
    else:
        task = centre.add_task()
        first = centre.reservations(task)[0].sid
        if state in {"assigned", "wrapping", "completed"}:
            centre.answer("accept", first)
        ways: dict[str, Callable[[str], object]] = {
            "canceled": centre.cancel,
            "wrapping": centre.wrap_up,
            "completed": centre.complete,
        }
        if state in ways:
            ways[state](task)
    assert centre.task(task).assignment_status == state
    return task


@pytest.mark.parametrize("move", ["cancel", "wrap_up", "complete"])
@pytest.mark.parametrize("state", TASK_MOVES)
def test_the_verbs_move_a_task_as_the_table_says(
    two_at_once: Centre, state: str, move: str
) -> None:
    centre = two_at_once
    sid = _bring_task(centre, state)
    before = centre.picture()
    expected = TASK_MOVES[state].get(move)

    def perform() -> None:
        verb = getattr(tasks, move)
        centre.engine.perform(verb, workspace_sid=centre.workspace_sid, task_sid=sid)

    if expected is not None:
        perform()
        assert centre.task(sid).assignment_status == expected
        return
    with pytest.raises(IllegalMove):
        perform()
    assert centre.picture() == before


@pytest.mark.parametrize("state", TASK_MOVES)
def test_a_task_is_only_offered_while_it_waits(two_at_once: Centre, state: str) -> None:
    centre = two_at_once
    sid = _bring_task(centre, state)
    centre.change_queue(max_reserved_workers=3)
    carol = centre.add_worker("carol")
    before = centre.picture()

    def reserve(work: Work) -> Reservation | None:
        return reservations.reserve(work, task_sid=sid, worker_sid=carol)

    offer = centre.engine.perform(reserve)
    if "reserve" in TASK_MOVES[state]:
        assert offer is not None
        assert offer.reservation_status == "pending"
        assert centre.task(sid).assignment_status == "reserved"
    else:
        assert offer is None
        assert centre.picture() == before


def test_a_reservation_is_never_rescinded_by_itself(two_at_once: Centre) -> None:
    first, second = two_at_once.reservations(two_at_once.add_task())
    two_at_once.answer("accept", second.sid)
    assert two_at_once.reservation(first.sid).reservation_status == "rescinded"
    with pytest.raises(IllegalMove):
        two_at_once.answer("reject", first.sid)
    with pytest.raises(Gone):
        two_at_once.answer("accept", first.sid)


def _task(state: str) -> Task:
    fields = {field.name: None for field in dataclasses.fields(Task)}
    return Task(**{**fields, "sid": "WT" + "0" * 32, "assignment_status": state})  # type: ignore[arg-type]


def _reservation(state: str) -> Reservation:
    return Reservation(
        sid="WR" + "0" * 32,
        workspace_sid="WS" + "0" * 32,
        task_sid="WT" + "0" * 32,
        worker_sid="WK" + "0" * 32,
        worker_channel_sid="WC" + "0" * 32,
        task_queue_sid="WQ" + "0" * 32,
        workflow_sid=None,
        reservation_status=state,
        reason=None,
        due_at=None,
        version=0,
        created_at=MONDAY_MORNING,
        updated_at=MONDAY_MORNING,
    )
