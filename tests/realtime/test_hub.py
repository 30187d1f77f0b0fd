"""The hub of open sockets, with sockets that are none."""

import asyncio

import pytest

from routing.api.tokens import Bearer
from routing.realtime import hub as hubs
from routing.realtime.hub import MAX_BACKLOG_BYTES, Hub, Parcel, Session, token_lifetime
from tests.fakes import MONDAY_MORNING, ManualClock

BEARER = Bearer(
    account_sid="AC",
    workspace_sid="WS",
    channel="WK",
    worker_sid="WK",
    role="worker",
    policies=None,
    expires_at=1 << 60,
    digest="",
)


class Line:
    """What a socket does with what it is sent: nothing, unless somebody reads."""

    def __init__(self, expected: int = 1) -> None:
        self.backlog = 0
        self.texts: list[str] = []
        self.is_aborted = False
        self._expected = expected
        self.has_all = asyncio.Event()

    def send(self, text: str) -> None:
        self.texts.append(text)
        self.backlog += len(text)
        if len(self.texts) == self._expected:
            self.has_all.set()

    def close(self, code: int, reason: str) -> None:
        raise AssertionError(code, reason)

    def abort(self) -> None:
        self.is_aborted = True


def joined(hub: Hub, line: Line, *, low: int = 0, seen: frozenset[int] = frozenset()) -> None:
    hub.join(
        Session(
            line=line,
            bearer=BEARER,
            channel="WK",
            is_legacy=False,
            expires_at=1 << 60,
            came_at=0,
            low=low,
            seen=seen,
        )
    )


def parcel(position: int, text: str = "", *, lag: float = 0.0) -> Parcel:
    text = text or str(position)
    return Parcel(channel="WK", position=position, current=text, legacy=None, lag=lag)


def test_a_client_that_takes_nothing_is_dropped_and_nobody_waits_for_it() -> None:
    async def scene() -> None:
        hub = Hub(ManualClock())
        stuck, well = Line(), Line()
        joined(hub, stuck)
        joined(hub, well)
        for position in range(1, 2000):
            well.backlog = 0
            hub.deliver([parcel(position, "x" * 1000)])
        assert (stuck.is_aborted, well.is_aborted) == (True, False)
        assert stuck.backlog <= MAX_BACKLOG_BYTES + 1000
        assert len(well.texts) == 1999
        assert len(hub) == 1

    asyncio.run(scene())


def test_what_waits_for_an_answer_keeps_its_place_before_what_does_not() -> None:
    async def scene() -> None:
        hub = Hub(ManualClock())
        line = Line(expected=4)
        joined(hub, line)
        hub.deliver([parcel(1), parcel(2, lag=0.01), parcel(3), parcel(4)])
        assert line.texts == ["1"]
        await line.has_all.wait()
        assert line.texts == ["1", "2", "3", "4"]

    asyncio.run(scene())


def test_a_socket_is_told_nothing_that_was_there_before_it() -> None:
    async def scene() -> None:
        hub = Hub(ManualClock())
        line = Line()
        # 8 was committed before the socket came, 7 was on its way.
        joined(hub, line, low=5, seen=frozenset({6, 8}))
        hub.deliver([parcel(position) for position in range(4, 10)])
        assert line.texts == ["7", "9"]

    asyncio.run(scene())


def test_signs_of_life_are_what_the_sdk_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "_TICK_SECONDS", 0.0)

    async def scene() -> None:
        hub = Hub(ManualClock())
        lines = [Line(expected=2) for _ in range(hubs.HEARTBEAT_SECONDS)]
        for line in lines:
            joined(hub, line)
        ticking = asyncio.create_task(hub.tick())
        for line in lines:
            await line.has_all.wait()
        ticking.cancel()
        assert {text for line in lines for text in line.texts} == {" "}

    asyncio.run(scene())


def test_the_life_of_a_token_fits_a_timer_of_javascript() -> None:
    assert token_lifetime(BEARER, MONDAY_MORNING) == (1 << 31) - 1
