"""Statements are written out or made by SQLAlchemy; what somebody sent is only ever bound to them.

No SQL is put together from texts. ruff (S608) sees the plain cases where it is not told to look
away; this sees every f-string, `+`, `%` and `.format`, and what is handed to SQLAlchemy as SQL.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house import tree

ROOMS = {"app.py", "commands", "desk", "routing", "voice"}
#: Words of SQL as it is written here, with what makes them a statement.
_SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|PRAGMA\s|LISTEN\s|NOTIFY\s"
    r"|(CREATE|DROP|ALTER|TRUNCATE)\s+[A-Z]|\sFROM\s|\sWHERE\s|ORDER\s+BY|GROUP\s+BY|VALUES\s*\()"
)
#: Whatever these are given is SQL, word for word.
_TAKE_SQL = {"exec_driver_sql", "execute", "executemany", "executescript", "literal_column", "text"}
#: {file: the pieces that may stand in it}, each made of our own words alone: constants that no
#: driver can bind, since they are names, switches of SQLite or parts of an index's condition.
ALLOWED = {
    "routing/store/sqlite.py": {
        """f"PRAGMA foreign_keys = {'OFF' if for_schema else 'ON'}\"""",
        """f"PRAGMA query_only = {'ON' if query_only else 'OFF'}\"""",
    },
    "routing/store/at_once.py": {
        """f"'$[{place}]'\"""",
        'f"CREATE TEMP VIEW IF NOT EXISTS {view} AS {row}"',
        'f"CREATE TEMP TRIGGER {trigger}"',
    },
    "routing/store/postgresql_notices.py": {'f"LISTEN {CHANNEL}"'},
    "routing/store/inserts.py": {"""f"'$.{key}'\""""},
    "routing/store/statistics_statements.py": {"""f"'{value}'\""""},
    "routing/store/migrations/versions/0003_api_keys_and_lists.py": {'f"{key} IS NOT NULL"'},
}


def put_together(source: str) -> set[str]:
    """The pieces of SQL in a file that are not written out."""
    return {ast.get_source_segment(source, node) or "" for node in _pieces(ast.parse(source))}


def _pieces(module: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        if isinstance(node, ast.expr) and _is_put_together(node) and _SQL.search(_words(node)):
            yield node
        elif isinstance(node, ast.Call) and _takes_sql(node.func):
            yield from (one for one in node.args[:1] if _is_put_together(one))


def _takes_sql(function: ast.expr) -> bool:
    return _name(function) in _TAKE_SQL and ast.unparse(function) != "columns.text"


def _is_put_together(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and bool(_words(node))
    return (
        isinstance(node, ast.Call) and _name(node.func) in {"format", "join"} and bool(_words(node))
    )


def _words(node: ast.expr) -> str:
    """The texts that are written in it."""
    return " ".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def test_no_statement_is_put_together_from_texts() -> None:
    found = {
        path.as_posix(): put_together(tree.read(path))
        for path in tree.files("*.py")
        if path.parts[0] in ROOMS
    }
    assert {path: pieces for path, pieces in found.items() if pieces} == ALLOWED


def test_nobody_tells_ruff_to_look_away_from_statements() -> None:
    told = [
        path.as_posix()
        for path in tree.files("*.py")
        if path.parts[0] in ROOMS and re.search(r"noqa.*S608", tree.read(path))
    ]
    assert told == []


@pytest.mark.parametrize(
    "source",
    [
        "work.execute(f'SELECT * FROM tasks WHERE sid = {sid}')",
        "query = 'SELECT * FROM tasks WHERE sid = ' + sid",
        "query = 'DELETE FROM tasks WHERE sid = %s' % sid",
        "query = 'UPDATE tasks SET reason = {}'.format(reason)",
        "expression.order_by(text(f'{column} {direction}'))",
        "literal_column(name + ' DESC')",
        "connection.exec_driver_sql(''.join(['PRAGMA ', name]))",
    ],
)
def test_a_statement_that_is_put_together_is_seen(source: str) -> None:
    assert put_together(source) != set()


@pytest.mark.parametrize(
    "source",
    [
        "work.execute('SELECT * FROM tasks WHERE sid = ?', (sid,))",
        "work.execute(known.text, known.values(sid=sid))",
        "raise InvalidParameter('Ordering', f'expected {names}, not a {word} from elsewhere')",
    ],
)
def test_what_is_bound_may_be_anything(source: str) -> None:
    assert put_together(source) == set()
