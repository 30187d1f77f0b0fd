"""Who waits to be let in, and how."""

import asyncio

import pytest

from routing.realtime import turnstile
from routing.realtime.turnstile import Turnstile


def test_clients_are_let_in_in_their_order_and_kept_alive_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turnstile, "SIGN_SECONDS", 0.0)

    async def scene() -> None:
        busy, signs = [True], set[int]()
        alive = asyncio.Event()
        entrance = Turnstile(lambda: busy[0])
        passed: list[int] = []

        async def client(number: int) -> None:
            async def sign() -> None:
                signs.add(number)
                if len(signs) == 4:
                    alive.set()

            await entrance.passed(sign)
            passed.append(number)

        async def gone() -> None:
            raise ConnectionError

        clients = [asyncio.create_task(client(number)) for number in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await entrance.passed(gone)
        await alive.wait()
        assert passed == []
        entrance.look()
        busy[0] = False
        entrance.look()
        await asyncio.gather(*clients)
        assert passed == [0, 1, 2, 3]

    asyncio.run(scene())


def test_only_so_many_are_inside_at_once() -> None:
    async def scene() -> None:
        entrance = Turnstile(lambda: False, room=2)

        async def sign() -> None:
            raise AssertionError

        leaves = [await entrance.passed(sign) for _ in range(2)]
        third = asyncio.create_task(entrance.passed(sign))
        gone = asyncio.create_task(entrance.passed(sign))
        await asyncio.sleep(0)
        gone.cancel()
        assert not third.done()
        for _ in range(2):
            leaves[0]()  # more often than once changes nothing
        leaves.append(await third)
        fourth = asyncio.create_task(entrance.passed(sign))
        await asyncio.sleep(0)
        assert not fourth.done()
        leaves[1]()
        await fourth

    asyncio.run(scene())
