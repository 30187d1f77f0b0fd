"""The processes of `serve`: forked, so that they begin with all that is imported by then.

To import everything takes longer than all else that happens from a start, or a restart after a
crash, to the first answer; and what is imported before a fork is in memory once.
"""

import contextlib
import ctypes
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LOOK_SECONDS: Final = 0.02


class Process(Protocol):
    """What of subprocess.Popen a supervisor needs."""

    def poll(self) -> int | None:
        """The exit status, once it has ended; that of a signal is negative."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The same, waited for; raises subprocess.TimeoutExpired."""
        ...

    def terminate(self) -> None: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Child:
    name: str
    process: Process


class Become(BaseException):
    """Raised in a forked child, on its way out of all that the supervisor was doing.

    Whoever started the supervisor catches it and runs the part, whose end is the process's.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__()
        self.run = run


def program(name: str, command: list[str], environment: Mapping[str, str]) -> Child:
    """Starts another program."""
    process = subprocess.Popen(  # noqa: S603 - our own programs
        command,
        env=dict(os.environ) | dict(environment),
        # Not the terminal's group: Ctrl-C reaches the supervisor alone, which stops all in order.
        start_new_session=True,
        preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - no threads run yet
    )
    return Child(name, process)


def part(name: str, run: Callable[[], None], environment: Mapping[str, str]) -> Child:
    """Starts a part of our own; raises Become in its process."""
    if threading.active_count() > 1:
        raise RuntimeError("a process with threads cannot be forked safely")
    die = die_with_parent(os.getpid())
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(name, _Forked(pid))
    os.setsid()
    die()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(environment)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what it logs is to be seen at once
    raise Become(run)


class _Forked:
    """Fulfils Process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        begun_at = time.monotonic()
        while (status := self.poll()) is None:
            if timeout is not None and time.monotonic() - begun_at > timeout:
                raise subprocess.TimeoutExpired(f"process {self._pid}", timeout)
            time.sleep(_LOOK_SECONDS)
        return status

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self._pid, number)


def die_with_parent(parent: int) -> Callable[[], None]:
    """Asks the kernel to end the child when the supervisor dies, however it dies (Linux only)."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
