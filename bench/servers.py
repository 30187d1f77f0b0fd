"""Real servers for a benchmark: Tandem as `make run` serves it, and a trivial view beside it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests import postgres

ACCOUNT_SID = "AC" + "b" * 32
AUTH_TOKEN = "benchmark"  # noqa: S105 - of a server that lives for a minute


def free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def names(which: str) -> list[str]:
    """The databases that are meant: one of them, or both."""
    return ["sqlite", "postgresql"] if which == "both" else [which]


@contextlib.contextmanager
def databases(which: str) -> Iterator[dict[str, str]]:
    """{name: URL} of fresh databases: sqlite, postgresql or both."""
    with contextlib.ExitStack() as stack:
        found = {}
        if which in {"sqlite", "both"}:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-"))
            found["sqlite"] = f"sqlite:///{folder}/bench.db"
        if which in {"postgresql", "both"}:
            found["postgresql"] = stack.enter_context(postgres.server()).create_database()
        yield found


def environment(database_url: str, ports: list[int], folder: Path) -> dict[str, str]:
    return dict(os.environ) | {
        "PORT": str(ports[0]),
        "REALTIME_PORT": str(ports[1]),
        "SIMULATOR_PORT": str(ports[2]),
        "PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
        "TWILIO_API_URL": f"http://127.0.0.1:{ports[2]}",
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(folder),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "SIMULATOR": "off",
        "LOG_LEVEL": "ERROR",
    }


@contextlib.contextmanager
def house(settings: Mapping[str, str]) -> Iterator[str]:
    """Tandem as `make run` starts it; its URL, once it is ready."""
    with _running([sys.executable, "-m", "flask", "--app", "app", "serve"], settings, "/readyz"):
        yield _url(settings)


@contextlib.contextmanager
def gunicorn(target: str, settings: Mapping[str, str], path: str) -> Iterator[str]:
    """A gunicorn with the house's own settings, serving `target`; its URL, once `path` answers."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:commands.gunicorn_settings"]
    with _running([*command, target], settings, path):
        yield _url(settings)


def _url(settings: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{settings['PORT']}"


@contextlib.contextmanager
def _running(command: list[str], settings: Mapping[str, str], path: str) -> Iterator[None]:
    process = subprocess.Popen(command, env=dict(settings), stdout=subprocess.DEVNULL)
    try:
        wait_until_ok(_url(settings) + path, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_until_ok(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(url, timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer within {seconds:.0f} s")
