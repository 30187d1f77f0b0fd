"""The kinds of columns, constraints and indexes that the tables are made of."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
)

metadata: Final = MetaData()


def sid() -> Column[Any]:
    return Column("sid", Text, primary_key=True)


def workspace_sid() -> Column[Any]:
    return Column(
        "workspace_sid", Text, ForeignKey("workspaces.sid", ondelete="CASCADE"), nullable=False
    )


def text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def text_or_null(name: str) -> Column[Any]:
    return Column(name, Text)


def integer(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def boolean(name: str) -> Column[Any]:
    return Column(name, Boolean(create_constraint=False), nullable=False)


def instant(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def instant_or_null(name: str) -> Column[Any]:
    return Column(name, BigInteger)


def one_of(name: str, column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def where(condition: ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def present(name: str, column: Column[Any], *more: Column[Any]) -> None:
    """An index on the rows in which the column has a value: the due ones, the referring ones."""
    Index(name, column, *more, **where(column.is_not(None)))
