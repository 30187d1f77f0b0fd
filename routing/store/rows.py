"""One table as records: the hot path of every verb, so it does as little as it can."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from routing.records import changed
from routing.store.statements import SqlDialect, Statement, TableStatements, filled
from routing.store.tables import DEADLINES, TABLES

if TYPE_CHECKING:
    from routing.store.unit_of_work import UnitOfWork

Record = TypeVar("Record")


#: Of a table of which nothing is locked.
_NONE: Final[Mapping[str, object]] = {}


class SqlRows(Generic[Record]):
    """Fulfils routing.ports.Rows within one unit of work."""

    __slots__ = ("_unit", "statements")

    def __init__(self, unit: "UnitOfWork", dialect: SqlDialect, record: type[Record]) -> None:
        self._unit = unit
        self.statements: TableStatements[Record] = dialect.of(record, TABLES[record])

    def get(self, sid: str, *, lock: bool = False) -> Record | None:
        """The row of that SID; with `lock`, nobody else changes it before this unit ends."""
        sql, unit = self.statements, self._unit
        found = sql.get_locked if unit.locks(wanted=lock) else sql.get
        known = unit.locked.get(sql, _NONE).get(sid)
        if known is not None:
            return cast("Record", known)
        foreseen = unit.foreseen(sql, (sid, lock))
        if foreseen is not None:
            return self._one(foreseen, lock=lock)
        if unit.brings_workspace and sql.with_version is not None and not lock:
            return self._with_version(sql.with_version, sid)
        rows = found.rows(unit.select(sql, found.text, (sid,)).fetchall())
        return self._one(rows, lock=lock)

    def _one(self, rows: Sequence[Sequence[Any]], *, lock: bool) -> Record | None:
        if not rows:
            return None
        record = self.statements.record(rows[0])
        self._hold([record], lock=lock)
        return record

    def _hold(self, found: list[Record], *, lock: bool) -> list[Record]:
        """Remembers what is locked."""
        unit = self._unit
        if lock and unit.writes and found:
            held = unit.locked.setdefault(self.statements, {})
            for record in found:
                held[record.sid] = record  # type: ignore[attr-defined]  # whatever is locked has one
        return found

    def foresee(self, sid: str, *, lock: bool = False) -> None:
        """A `get` of the same will follow: where that saves a trip, it is asked for already."""
        sql, unit = self.statements, self._unit
        if unit.foresight.is_possible and sid not in unit.locked.get(sql, _NONE):
            found = sql.get_locked if unit.locks(wanted=lock) else sql.get
            unit.foresee(sql, (sid, lock), found.text, (sid,))

    def _with_version(self, text: str, sid: str) -> Record | None:
        """The row, and which configuration its Workspace has: one trip to the database for both."""
        sql, unit = self.statements, self._unit
        unit.brings_workspace = False
        row = unit.select(sql, text, (sid,)).fetchone()
        if row is None:
            return None
        record = sql.record(row[:-1])
        unit.bring(record.workspace_sid, row[-1])  # type: ignore[attr-defined] # it has one
        return record

    def find(
        self,
        *,
        order_by: str = "created_at",
        limit: int | None = None,
        lock: bool = False,
        **equal: object,
    ) -> list[Record]:
        """Rows in which each named column equals the value, or is in it where it is a set.

        `order_by` names a column, with a minus before it for the greatest first.
        """
        if _is_of_none(equal):
            return []
        sql, unit = self.statements, self._unit
        if unit.foresight.is_possible:
            foreseen = unit.foreseen(sql, _what(equal, order_by, limit, lock=lock))
            if foreseen is not None:
                return self._hold([sql.record(row) for row in foreseen], lock=lock)
        found, values = sql.find(equal, order_by, limit, lock=unit.locks(wanted=lock))
        return self._hold(self._records(found, values), lock=lock)

    def foresee_all(
        self,
        *,
        order_by: str = "created_at",
        limit: int | None = None,
        lock: bool = False,
        **equal: object,
    ) -> None:
        """The same for a `find`. What is locked is locked in the order in which it is foreseen."""
        sql, unit = self.statements, self._unit
        if unit.foresight.is_possible and not _is_of_none(equal):
            found, values = sql.find(equal, order_by, limit, lock=unit.locks(wanted=lock))
            unit.foresee(sql, _what(equal, order_by, limit, lock=lock), found.text, values)

    def add(self, record: Record) -> None:
        """Makes the unit raise Conflict, at its end or before, where a unique name is taken or a
        row that it refers to is missing.
        """
        self._unit.add(self.statements, record)

    def change(self, sid: str, **columns: object) -> int:
        """Sets columns of one row; how many rows there were (0 or 1)."""
        sql, unit = self.statements, self._unit
        change = sql.change(tuple(columns))
        if change.is_of_deadline and _is_due(columns):
            unit.topics.add(sql.topic)
        held, values = unit.locked.get(sql, {}), (*columns.values(), sid)
        known = held.pop(sid, None)
        if known is None:
            number = unit.write(change.text, values, sql)
        else:
            number = 1  # nobody else can have removed it
            unit.write_unheard(change.text, values, sql)
            held[sid] = changed(known, **columns)
        if held:
            unit.locked[sql] = held
        return number

    def change_all(self, changes: Mapping[str, Mapping[str, object]]) -> None:
        """Sets the same columns of many rows, by SID, each to its own values.

        They are rows that this unit has locked; the writing may wait until its end.
        """
        if not changes:
            return
        many = self.statements.many_changes(tuple(next(iter(changes.values()))))
        if many.is_of_deadline and any(map(_is_due, changes.values())):
            self._unit.topics.add(self.statements.topic)
        records = [{**columns, "sid": sid} for sid, columns in changes.items()]
        self._unit.change_all(many, records)

    def set_all(self, sids: AbstractSet[str], **columns: object) -> int:
        """Sets the same columns of many rows; how many there were."""
        if not sids:
            return 0
        change = self.statements.set_all(tuple(columns), len(sids))
        if change.is_of_deadline and _is_due(columns):
            self._unit.topics.add(self.statements.topic)
        return self._unit.write(change.text, (*columns.values(), *filled(sids)))

    def remove(self, sid: str) -> int:
        return self._unit.write(self.statements.delete, (sid,))

    def due(self, due: Statement, values: tuple[object, ...]) -> list[Record]:
        """The records of a compiled SELECT of all columns of this table alone."""
        return self._records(due, values)

    def _records(self, found: Statement, values: tuple[object, ...]) -> list[Record]:
        sql = self.statements
        record: Callable[[Sequence[Any]], Record] = sql.record
        rows = found.rows(self._unit.select(sql, found.text, values).fetchall())
        return [record(row) for row in rows]


def _is_of_none(equal: Mapping[str, object]) -> bool:
    return any(not value for value in equal.values() if isinstance(value, frozenset | set))


def _what(
    equal: Mapping[str, object], order_by: str, limit: int | None, *, lock: bool
) -> tuple[object, ...]:
    """What is found, as something that a later one can be compared with."""
    conditions = frozenset(
        (name, frozenset(value) if isinstance(value, set) else value)
        for name, value in equal.items()
    )
    return (conditions, order_by, limit, lock)


def _is_due(columns: Mapping[str, object]) -> bool:
    """May a row with these columns have become due, now or sooner than it was?

    A deadline that is taken away wakes nobody, and neither does a lease that is taken.
    """
    return any(columns.get(name) is not None for name in DEADLINES) or (
        columns.get("leased_until", 0) is None and "due_at" not in columns
    )
