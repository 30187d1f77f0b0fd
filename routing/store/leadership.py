"""Who leads: the process that holds a lock which dies with it.

PostgreSQL's advisory locks belong to a connection, so a leader that is killed loses it at once, and
one that is cut off loses it when the server gives its connection up. SQLite has one process.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg

#: The lock's number within a database: "Tandem" in ASCII.
_LOCK: Final = 0x54616E64656D
_HALVES: Final = (_LOCK >> 32, _LOCK & 0xFFFFFFFF)


class SoleProcess:
    """Fulfils routing.ports.Leadership where there can be no other process."""

    def take(self) -> bool:
        return True

    def is_held(self) -> bool:
        return True

    def is_taken(self) -> bool:
        return True

    def give_up(self) -> None:
        pass


class AdvisoryLock:
    """Fulfils routing.ports.Leadership among the processes that share a PostgreSQL database."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._is_ours = False
        self._door = threading.Lock()

    def take(self) -> bool:
        self._is_ours = self._asked("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        return self._is_ours

    def is_held(self) -> bool:
        # The lock lives exactly as long as the connection.
        self._is_ours = self._is_ours and self._asked("SELECT true", ())
        return self._is_ours

    def is_taken(self) -> bool:
        return self._asked(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s AND objid = %s AND objsubid = 1)",
            _HALVES,
        )

    def give_up(self) -> None:
        with self._door:
            connection, self._connection = self._connection, None
        self._is_ours = False
        if connection is not None:
            with suppress(psycopg.Error):
                # The server would only notice the closed connection a moment later.
                connection.execute("SELECT pg_advisory_unlock_all()")
            connection.close()

    def _asked(self, question: str, values: tuple[int, ...]) -> bool:
        """What the server says; False where it does not answer."""
        try:
            with self._door:
                if self._connection is None or self._connection.closed:
                    self._connection = self._connect()
                row = self._connection.execute(question, values).fetchone()
        except psycopg.Error:
            self.give_up()
            return False
        return row is not None and row[0] is True
