"""How long an idle system takes from an agent's acceptance to the REST call that dials the agent.

Twilio's place is taken by a server of our own that only notes when it is asked.
"""

import argparse
import json
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import psycopg
import requests

from bench import servers, webhook
from bench.figures import Figure, quantile
from bench.latency import provide
from routing.clock import SystemClock
from routing.store import open_store
from tests import postgres

#: Between two samples, so that each meets an idle system.
_PAUSE_SECONDS = 0.01
#: Seconds after which a call that did not come will not come any more.
_PATIENCE = 10

_OFFER = (
    "SELECT reservations.task_sid, reservations.sid FROM reservations"
    " JOIN calls ON calls.task_sid = reservations.task_sid WHERE calls.sid = "
)


def measure(options: argparse.Namespace) -> list[Figure]:
    """From before the request that accepts until Twilio is asked to dial; both databases."""
    figures = []
    with servers.databases(options.database) as urls:
        for name, url in urls.items():
            samples = _samples(url, options.samples)
            figures += [
                Figure(
                    name=f"acceptance to the call that dials ({name}), {label}",
                    value=quantile(samples, share),
                    unit="ms",
                    at_most=bound,
                    beside=f"{len(samples)} samples, fastest {min(samples):.2f} ms",
                )
                for label, share, bound in (("p50", 0.5, 15), ("p99", 0.99, 80))
            ]
    return figures


def _samples(database_url: str, number: int) -> list[float]:
    ports = servers.free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        settings = servers.environment(database_url, ports, Path(folder))
        store = open_store(database_url, SystemClock())
        store.migrate()
        workspace_sid = provide(store)
        store.close()
        network = _Network(ports[2])
        with network, servers.house(settings) as base:
            offer_of = _looker(database_url)
            tasks = f"{base}/v1/Workspaces/{workspace_sid}/Tasks"
            calls = webhook.calls(base, number)
            return [_sample(call, ports[0], tasks, offer_of, network) for call in calls]


Offer = tuple[str, str]


def _sample(
    call: bytes,
    port: int,
    tasks_url: str,
    offer_of: Callable[[str], Offer | None],
    network: "_Network",
) -> float:
    """Somebody calls, an agent is offered it and accepts; milliseconds until Twilio is asked."""
    time.sleep(_PAUSE_SECONDS)
    _send(call, port)
    call_sid = parse_qs(call.rpartition(b"\r\n\r\n")[2].decode())["CallSid"][0]
    deadline = time.monotonic() + _PATIENCE
    while (offer := offer_of(call_sid)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("nobody was offered the call")
        time.sleep(0.002)
    time.sleep(_PAUSE_SECONDS)
    task_sid, reservation_sid = offer
    begin = time.perf_counter()
    answer = network.session.post(
        f"{tasks_url}/{task_sid}/Reservations/{reservation_sid}",
        data={"ReservationStatus": "accepted"},
        timeout=10,
    )
    answer.raise_for_status()
    return (network.asked_at(reservation_sid) - begin) * 1000


def _send(request: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        if b" 200 " not in connection.recv(65_536):
            raise RuntimeError("the call was not answered")


def _looker(database_url: str) -> Callable[[str], Offer | None]:
    """Asks the database itself, so that nothing of the server's own is in the way."""
    if database_url.startswith("sqlite"):
        file = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        return lambda sid: file.execute(_OFFER + "?", (sid,)).fetchone()
    server = psycopg.connect(postgres.libpq_url(database_url), autocommit=True)
    return lambda sid: server.execute(_OFFER + "%s", (sid,)).fetchone()


class _Network:
    """Answers every request to call somebody at once, and notes when it came."""

    def __init__(self, port: int) -> None:
        self.session = requests.Session()
        self.session.auth = (servers.ACCOUNT_SID, servers.AUTH_TOKEN)
        self._asked: dict[str, float] = {}
        self._news = threading.Condition()
        network = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                came_at = time.perf_counter()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                label = parse_qs(body.decode()).get("Label", [""])[0]
                network.note(label, came_at)
                said = json.dumps({"call_sid": "CA" + "0" * 32, "label": label}).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answer)

    def note(self, label: str, came_at: float) -> None:
        with self._news:
            self._asked.setdefault(label, came_at)
            self._news.notify_all()

    def asked_at(self, label: str) -> float:
        with self._news:
            if not self._news.wait_for(lambda: label in self._asked, _PATIENCE):
                raise TimeoutError("nobody was called")
            return self._asked[label]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
