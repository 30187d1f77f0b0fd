"""Lets clients in one after the other while there is much to do.

After a restart all agents come back within a second. The SDK asks for four things as soon as it has
been let in, and gives up for good where one of them is refused or takes more than 15 seconds; but
it waits patiently to be let in, so long as there are signs of life. So only some at a time are
between the first frame and the last of these answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

#: Clients that have been let in and read what they need, at the same time.
ROOM: Final = 200
#: Seconds in which a client begins to read, unless it never does.
BEGINS_SECONDS: Final = 0.5
#: Seconds between two signs of life for who waits.
SIGN_SECONDS: Final = 10.0


class Turnstile:
    def __init__(self, is_busy: Callable[[], bool], *, room: int = ROOM) -> None:
        """`is_busy` says whether there is more to do than can be done at once."""
        self._is_busy = is_busy
        self._room = room
        self._door = asyncio.Lock()  # whose waiters are served in their order
        self._is_calm = asyncio.Event()

    def look(self) -> None:
        """To be called when there may be less to do."""
        if self._room <= 0 or self._is_busy():
            self._is_calm.clear()
        else:
            self._is_calm.set()

    async def passed(self, sign: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Returns when it is the caller's turn; what is returned is called when its client has
        read, or is gone, once or more often. `sign` gives the client a sign of life meanwhile and
        may raise, when the client has gone.
        """
        turn = asyncio.create_task(self._turn())
        try:
            while not turn.done():
                await asyncio.wait({turn}, timeout=SIGN_SECONDS)
                if not turn.done():
                    await sign()
        except BaseException:
            if turn.done():
                self._leaving()()
            turn.cancel()
            raise
        return self._leaving()

    async def _turn(self) -> None:
        async with self._door:
            self.look()
            await self._is_calm.wait()
            self._room -= 1

    def _leaving(self) -> Callable[[], None]:
        is_inside = True

        def leave() -> None:
            nonlocal is_inside
            if is_inside:
                is_inside = False
                self._room += 1
                self.look()

        return leave
