"""The network's lock, under many threads."""

import threading
from collections.abc import Callable

import pytest

from simulator.lock import Lock


def _all_at_once(number: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_one_at_a_time_holds_it_however_often() -> None:
    lock, count = Lock(), 0

    def add(_: int) -> None:
        nonlocal count
        for _ in range(2000):
            with lock, lock:
                seen = count
                count = seen + 1

    _all_at_once(12, add)

    assert count == 12 * 2000


def test_it_serves_a_condition() -> None:
    lock, turn = Lock(), 0
    changed = threading.Condition(lock)  # type: ignore[arg-type]

    def take_turns(mine: int) -> None:
        nonlocal turn

        def is_mine() -> bool:
            return turn % 4 == mine

        for _ in range(300):
            with lock, changed:
                assert changed.wait_for(is_mine, 30)
                turn += 1
                changed.notify_all()

    _all_at_once(4, take_turns)

    assert turn == 4 * 300


def test_nobody_lets_go_of_what_somebody_else_holds() -> None:
    lock = Lock()
    lock.acquire()
    refused: list[RuntimeError] = []

    def let_go(_: int) -> None:
        with pytest.raises(RuntimeError) as refusal:
            lock.release()
        refused.append(refusal.value)

    _all_at_once(1, let_go)

    assert len(refused) == 1
    lock.release()
