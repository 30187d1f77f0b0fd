"""A server that has just started is asked many things at once."""

import subprocess
import sys
import threading
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace

from flask import Request
from werkzeug.exceptions import HTTPException

from routing.api.door import EVERY_OPERATION, rest_door
from routing.api.operations import RestSettings
from routing.api.parameters import read_parameters
from routing.clock import SystemClock
from routing.errors import RoutingError

THREADS = 12


def ask_everything_at_once() -> None:
    """Reads each operation's first request in many threads, which take turns all the time."""
    rest_door(
        SimpleNamespace(clock=SystemClock()),  # type: ignore[arg-type]  # nothing else is asked of it
        RestSettings(account_sid="AC" + "0" * 32, auth_tokens=(), public_url="http://here"),
    )
    sys.setswitchinterval(1e-7)
    for operation in EVERY_OPERATION:
        together = threading.Barrier(THREADS)

        def read(kind=operation.takes, together=together) -> None:
            environ = {
                "REQUEST_METHOD": "POST",
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "CONTENT_LENGTH": "31",
                "wsgi.input": BytesIO(b"FriendlyName=Support&Priority=1"),
            }
            together.wait()
            with suppress(RoutingError, HTTPException):
                read_parameters(Request(environ), kind)

        threads = [threading.Thread(target=read) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_the_first_requests_may_come_at_once() -> None:
    program = "from tests.api.test_first_requests import ask_everything_at_once as ask; ask()"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
