"""A statement that is compiled once: each of its values is given, or it says which one is not."""

from typing import Any

import pytest
from sqlalchemy import ColumnElement, bindparam, literal, select

from routing.store.statements import POSTGRESQL, SQLITE, SqlDialect

DIALECTS = pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])


@DIALECTS
def test_a_value_that_is_not_given_is_an_error_that_names_it(dialect: SqlDialect) -> None:
    statement = dialect.compile(select(bindparam("given"), bindparam("forgotten")))
    with pytest.raises(KeyError, match="forgotten"):
        statement.values(given=1)


@DIALECTS
def test_a_value_that_is_given_as_null_is_null(dialect: SqlDialect) -> None:
    statement = dialect.compile(select(bindparam("given")))
    assert statement.values(given=None) == (None,)


@DIALECTS
def test_values_of_the_expression_itself_need_not_be_given(dialect: SqlDialect) -> None:
    columns: list[ColumnElement[Any]] = [
        literal("own"),
        bindparam("nothing", None),
        bindparam("given"),
    ]
    statement = dialect.compile(select(*columns))
    assert statement.values(given=7) == ("own", None, 7)
