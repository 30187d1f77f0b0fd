"""A connection to PostgreSQL as a cursor whose statements travel together.

Each trip to the server has its price, for the thread that waits and for the processor. What nobody
waits for yet therefore waits for a statement that somebody does: BEGIN goes with the first one of
its transaction, COMMIT with the last, in libpq's pipeline mode. After a statement that fails the
server skips the rest of the trip, so a COMMIT behind it does not happen.

psycopg's own pipeline() keeps books that cost as much of the processor as the trips it saves: for
BEGIN, SELECT, UPDATE, COMMIT 0.28 ms in four trips, 0.30 in its pipeline, 0.09 as it is done here.
Values are adapted by psycopg in both directions.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

#: From which use of a text on the server keeps it parsed, and how many of them; as in psycopg.
_PREPARED_FROM: Final = 5
_MAX_PREPARED: Final = 100
#: Texts of which the uses are counted.
_MAX_COUNTED: Final = 500
_COMMITTED: Final = b"COMMIT"
_ROLLBACK: Final = b"ROLLBACK"

_OPEN: Final = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})

#: A text, and the types of its values.
_Key = tuple[str, tuple[int, ...]]


class _Packed(NamedTuple):
    """A statement that nothing but the server can refuse any more."""

    key: _Key
    values: Sequence[Any] | None = None
    formats: Sequence[Format] | None = None


_COMMIT: Final = _Packed(("COMMIT", ()))


class Said:
    """What is said ahead of the next statement, and what the server has answered to it."""

    __slots__ = ("answer", "packed")

    def __init__(self, packed: _Packed) -> None:
        self.packed = packed
        self.answer: PGresult | None = None


class Trips:
    """Fulfils routing.store.statements.Cursor; its connection belongs to it alone from then on."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.rowcount = -1
        #: The last trip has carried a COMMIT and nobody knows what became of it, or it happened.
        self.has_sent_commit = False
        self._connection = connection
        self._server: PGconn = connection.pgconn
        self._server.enter_pipeline_mode()
        self._adapt = Transformer(connection)
        self._prepared = _Prepared()
        #: What begins the transaction, as long as it has not travelled; what goes after it.
        self._begin: str | None = None
        self._before: list[Said] = []
        #: What of it is in this trip, behind nothing or a BEGIN.
        self._carried: Sequence[Said | None] = ()
        self._commits_next = False
        #: What this trip has sent: statements, for which None stands, and texts to be prepared.
        self._sent: list[_Key | None] = []
        #: Trips whose answers nobody has waited for.
        self._unread = 0
        self._answer: PGresult | None = None
        self._place = 0

    def look(self) -> None:
        """Raises psycopg.OperationalError where the connection was cut meanwhile, which is better
        known before something is sent of which nobody could tell whether it happened.
        """
        try:
            self._server.consume_input()
            self._server.consume_input()  # the first may have taken in the server's last words
        except psycopg.OperationalError:
            self._connection.close()
            raise

    def begin(self, text: str) -> None:
        """A transaction begins; the text goes with the next statement."""
        self._begin = text

    def ahead(self, text: str, values: Sequence[object], /) -> Said:
        """Goes to the server with the next statement, or with `rows_of` or `arrive`."""
        said = Said(self._pack(text, values))
        self._before.append(said)
        return said

    def rows_of(self, said: Said, /) -> list[tuple[Any, ...]]:
        """What was answered to it; raises what the server refuses of all that goes with it."""
        if said.answer is None:
            self.arrive()
        assert said.answer is not None  # noqa: S101 - it has travelled
        self._take((said.answer,))
        return self.fetchall()

    def arrive(self) -> None:
        """Lets go what waits for a statement to go with."""
        if self._before:
            self._send_before()
            self._travel()

    def forget(self) -> None:
        """What still waits is not to be said."""
        self._before = []

    def commit_with_next(self) -> None:
        """The next statement is the transaction's last: COMMIT goes with it."""
        self._commits_next = True

    def commit_by_next(self) -> None:
        """The next statement is all that is written, and commits itself."""
        self.has_sent_commit = True

    def commit(self) -> None:
        """Commits, unless that went with the last statement, or there has been none."""
        if self._before or self._server.transaction_status in _OPEN:
            self._travel_with_commit(None)

    def leave(self) -> None:
        """The transaction is over: what is not committed is rolled back. Never raises.

        Nobody waits for the answer; the next trip finds it.
        """
        self._begin = None
        self._before = []
        self._commits_next = self.has_sent_commit = False
        self._answer = None
        last = self._prepared.surplus
        if self._server.transaction_status in _OPEN:
            last.insert(0, _ROLLBACK)
        if last:
            self._prepared.surplus = []
            self._send_unread(last)

    def _send_unread(self, texts: Sequence[bytes]) -> None:
        try:
            for text in texts:
                self._server.send_query_params(text, None)
            self._server.pipeline_sync()
            self._unread += 1
        except psycopg.Error:
            self._connection.close()

    # As a cursor.

    def execute(self, text: str, values: Sequence[object] = (), /) -> "Trips":
        packed = self._pack(text, values)
        if self._commits_next:
            self._commits_next = False
            self._take(self._travel_with_commit(packed)[-2:-1])
        else:
            self._send_before()
            self._send(packed)
            self._take(self._travel()[-1:])
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        answer = self._answer
        if answer is None or self._place >= answer.ntuples:
            return None
        self._place += 1
        return self._adapt.load_row(self._place - 1, tuple)

    def fetchall(self) -> list[tuple[Any, ...]]:
        answer = self._answer
        if answer is None:
            return []
        place, self._place = self._place, answer.ntuples
        return self._adapt.load_rows(place, answer.ntuples, tuple)

    def close(self) -> None:
        self._connection.close()

    def _take(self, answers: Sequence[PGresult]) -> None:
        """The last of them is read by `fetchone` and `fetchall`."""
        self.rowcount = sum(answer.command_tuples or 0 for answer in answers)
        if answers:
            self._answer = answers[-1]
            self._place = 0
            self._adapt.set_pgresult(self._answer)

    # Trips.

    def _pack(self, text: str, values: Sequence[object]) -> _Packed:
        """Raises what psycopg raises for values that PostgreSQL has no place for."""
        self._answer = None
        if not values:
            return _Packed((text, ()))
        adapt = self._adapt
        dumped = adapt.dump_sequence(values, [PyFormat.AUTO] * len(values))
        return _Packed((text, adapt.types or ()), dumped, adapt.formats)

    def _travel_with_commit(self, last: _Packed | None) -> list[PGresult]:
        self.look()
        self._send_before()
        if last is not None:
            self._send(last)
        number = len(self._sent)
        self._send(_COMMIT)
        self.has_sent_commit = True
        answers = self._travel(certain=number)
        if answers[-1].command_status != _COMMITTED:
            self.has_sent_commit = False
            raise psycopg.InternalError("The transaction had failed before it was committed.")
        return answers

    def _send_before(self) -> None:
        self._sent = []
        begin, self._begin = self._begin, None
        before, self._before = self._before, []
        if begin is not None:
            self._send(_Packed((begin, ())))
        for said in before:
            self._send(said.packed)
        self._carried = before if begin is None else (None, *before)

    def _send(self, packed: _Packed) -> None:
        server, key = self._server, packed.key
        name = self._prepared.name(key)
        if name is None and self._prepared.is_due(key):
            name = self._prepared.add(key)
            server.send_prepare(name, key[0].encode(), key[1])
            self._sent.append(key)
        if name is None:
            server.send_query_params(key[0].encode(), packed.values, key[1], packed.formats)
        else:
            server.send_query_prepared(name, packed.values, packed.formats)
        self._sent.append(None)

    def _travel(self, certain: int = 0) -> list[PGresult]:
        """The answers to the statements of this trip, one each.

        Raises what the server says of the first that failed. Is that one of the first `certain`
        ones, no COMMIT behind it has happened.
        """
        sent, unread = self._sent, self._unread
        try:
            self._server.pipeline_sync()
            self._unread += 1
            answers = self._connection.wait(_answers(self._server, unread))
        except BaseException:
            # Nobody knows what the server will still say to what it was asked.
            self._connection.close()
            raise
        self._unread = 0
        for place, answer in enumerate(answers):
            if answer.status == ExecStatus.FATAL_ERROR:
                raise self._refusal(answer, place, certain)
        told = [answer for key, answer in zip(sent, answers, strict=True) if key is None]
        for said, answer in zip(self._carried, told, strict=False):
            if said is not None:
                said.answer = answer
        return told

    def _refusal(self, answer: PGresult, place: int, certain: int) -> psycopg.Error:
        error = error_from_result(answer, self._adapt.encoding)
        if place < certain and error.sqlstate is not None:
            self.has_sent_commit = False
        for key in self._sent[place:]:
            if key is not None:
                self._prepared.forget(key)
        return error


def _answers(server: PGconn, unread: int) -> PQGen[list[PGresult]]:
    """The answers to all that was sent in the last trip; those of `unread` ones are passed over."""
    while server.flush():
        if (yield Wait.RW) & Ready.R:
            server.consume_input()
    answers: list[PGresult] = []
    while True:
        answer = yield from _next_answer(server)
        if answer is None:
            continue
        if answer.status != ExecStatus.PIPELINE_SYNC:
            answers.append(answer)
        elif unread:
            unread -= 1
            answers = []
        else:
            return answers


def _next_answer(server: PGconn) -> PQGen[PGresult | None]:
    """None stands behind the answer to each statement."""
    while server.is_busy():
        while not (yield Wait.R):
            pass
        server.consume_input()
    answer = server.get_result()
    if answer is None and server.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection was lost")
    return answer


class _Prepared:
    """Which texts the server keeps parsed for this connection, and under which names."""

    def __init__(self) -> None:
        self._uses: dict[_Key, int] = {}
        self._names: OrderedDict[_Key, bytes] = OrderedDict()
        self._number = 0
        #: What takes those away that are not used any more.
        self.surplus: list[bytes] = []

    def name(self, key: _Key) -> bytes | None:
        known = self._names.get(key)
        if known is not None:
            self._names.move_to_end(key)
        return known

    def is_due(self, key: _Key) -> bool:
        """It is used once more: often enough for the server to keep it?"""
        if len(self._uses) >= _MAX_COUNTED:
            self._uses.clear()
        uses = self._uses[key] = self._uses.get(key, 0) + 1
        return uses >= _PREPARED_FROM

    def add(self, key: _Key) -> bytes:
        """Its name from now on."""
        self._uses.pop(key, None)
        self._number += 1
        name = self._names[key] = f"tandem_{self._number}".encode()
        if len(self._names) > _MAX_PREPARED:
            oldest = self._names.popitem(last=False)[1]
            self.surplus.append(b"DEALLOCATE " + oldest)
        return name

    def forget(self, key: _Key) -> None:
        """It may never have come to the server."""
        self._names.pop(key, None)
