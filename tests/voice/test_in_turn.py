"""News of one Task: in turn, together where several have come, each with an end of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from routing.clock import Clock
from routing.engine import Engine
from routing.errors import NotFound, Unavailable
from routing.ports import Store, Work
from tests.routing.scratch import scratch_centre
from voice.in_turn import AT_ONCE, InTurn

#: Calls without a Task stand for themselves.
CALL, OTHER = "CA" + "1" * 32, "CA" + "2" * 32
PATIENCE_SECONDS = 20


class Counting(Engine):
    """An engine that counts its transactions, and keeps the first one, or all, until it is told."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self.begun = self.open = self.most = 0
        self._counting = threading.Lock()
        self.keeps_all = False
        self.is_at_it, self.may_go_on = threading.Event(), threading.Event()

    def perform(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._counting:
            self.begun += 1
            self.open += 1
            self.most = max(self.most, self.open)
            is_kept = self.begun == 1 or self.keeps_all
        self.is_at_it.set()
        assert not is_kept or self.may_go_on.wait(PATIENCE_SECONDS)
        try:
            return super().perform(verb, *args, **kwargs)
        finally:
            with self._counting:
                self.open -= 1


class Crowd:
    """Somebody is at a Task; others come."""

    def __init__(self, engine: Counting, pool: ThreadPoolExecutor) -> None:
        self.engine = engine
        self.in_turn = InTurn(engine)
        self._pool = pool
        self.first = pool.submit(self.in_turn.of_call, CALL, lambda _: "first")
        assert engine.is_at_it.wait(PATIENCE_SECONDS)

    def comes(self, verb: Callable[[Work], str]) -> "Future[str]":
        """In the order of the calls."""
        before = self.in_turn.waiting(CALL)
        future = self._pool.submit(self.in_turn.of_call, CALL, verb)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.in_turn.waiting(CALL) == before:
            assert time.monotonic() < deadline
        return future

    def others_come(self, number: int) -> "list[Future[str]]":
        """As many, each for a Task of its own."""
        self.engine.keeps_all = True
        calls = [f"CA{one:032d}" for one in range(number)]
        return [self._pool.submit(self.in_turn.of_call, call, lambda _: "done") for call in calls]

    def go_on(self) -> None:
        self.engine.may_go_on.set()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with scratch_centre() as centre, ThreadPoolExecutor(2 * AT_ONCE) as pool:
        yield Crowd(Counting(centre.store, centre.clock), pool)


def test_those_who_have_come_meanwhile_share_a_transaction_in_their_order(crowd: Crowd) -> None:
    order: list[int] = []

    def verb(number: int) -> Callable[[Work], str]:
        def taken_in(_work: Work) -> str:
            order.append(number)
            return f"news {number}"

        return taken_in

    news = [crowd.comes(verb(number)) for number in range(5)]
    assert crowd.in_turn.of_call(OTHER, lambda _: "at once") == "at once"
    crowd.go_on()
    assert [one.result(PATIENCE_SECONDS) for one in news] == [f"news {one}" for one in range(5)]
    assert crowd.first.result(PATIENCE_SECONDS) == "first"
    assert order == [0, 1, 2, 3, 4]
    assert crowd.engine.begun == 3, "the first's, the other Task's, and one for all five"
    assert crowd.in_turn.waiting(CALL) == 0


def test_one_that_is_refused_takes_no_other_with_it(crowd: Crowd) -> None:
    def refused(_work: Work) -> str:
        raise NotFound("/Workspaces/nowhere")

    good, bad, last = (crowd.comes(one) for one in (lambda _: "good", refused, lambda _: "last"))
    crowd.go_on()
    assert (good.result(PATIENCE_SECONDS), last.result(PATIENCE_SECONDS)) == ("good", "last")
    with pytest.raises(NotFound):
        bad.result(PATIENCE_SECONDS)


def test_where_nobody_knows_whether_it_happened_nothing_is_done_again(crowd: Crowd) -> None:
    done: list[str] = []

    def added(_work: Work) -> str:
        done.append("once")
        return "done"

    def away(_work: Work) -> str:
        raise Unavailable

    news = [crowd.comes(added), crowd.comes(away)]
    crowd.go_on()
    for one in news:
        with pytest.raises(Unavailable):
            one.result(PATIENCE_SECONDS)
    assert done == ["once"]


def test_many_tasks_are_seen_to_a_few_at_once(crowd: Crowd) -> None:
    news = crowd.others_come(AT_ONCE + 3)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while crowd.engine.begun < AT_ONCE:
        assert time.monotonic() < deadline
    crowd.go_on()
    assert {one.result(PATIENCE_SECONDS) for one in news} == {"done"}
    assert crowd.engine.most == AT_ONCE
