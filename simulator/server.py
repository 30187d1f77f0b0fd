"""The simulator as a server: the network, its two doors, its page, the threads that serve them.

with Simulator(Settings(account_sid=..., auth_token=..., voice_url=...)) as simulator:
    requests.post(f"{simulator.url}/simulator/calls", json={"from": ..., "to": ...})
"""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from simulator import control, origins, page
from simulator.clock import Clock, RealClock
from simulator.exchange import Exchange
from simulator.rest import door
from simulator.rest.account import Account
from simulator.rest.applications import Applications
from simulator.rest.calls import Calls
from simulator.rest.conferences import Conferences
from simulator.rest.queues import Queues
from simulator.rest.recordings import Recordings
from simulator.settings import Settings

LARGEST_BODY = 256 * 1024  # bytes; the largest honest request carries 4000 characters of TwiML

#: How often the accepting thread looks whether it should stop; it never delays a request.
STOP_LOOK_SECONDS = 0.1


class PortInUse(Exception):
    """Somebody else listens there."""


class _QuietRequests(WSGIRequestHandler):
    """The log of the network says more than a line per request would."""

    #: Answers are small and complete: send them at once.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        logging.getLogger(__name__).debug(format, *args)


class _Server(ThreadedWSGIServer):
    """A fixed crew answers requests; further connections wait in the kernel's and the crew's line.

    Every answer closes its connection (HTTP/1.0), so an idle client never keeps one of the crew.
    """

    request_queue_size = 1024

    def __init__(self, host: str, port: int, app: Flask, workers: int) -> None:
        super().__init__(host, port, app, handler=_QuietRequests)
        self._crew = ThreadPoolExecutor(workers, thread_name_prefix="simulator-door")

    def process_request(self, request: Any, client_address: Any) -> None:
        self._crew.submit(self.process_request_thread, request, client_address)

    def server_close(self) -> None:
        super().server_close()
        self._crew.shutdown(wait=False, cancel_futures=True)


def create_app(exchange: Exchange) -> Flask:
    app = Flask("simulator")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    rest = door.Door(exchange)
    for resource in (Calls, Conferences, Queues, Recordings, Account, Applications):
        app.register_blueprint(resource(rest).routes())
    app.register_blueprint(control.Control(exchange).routes())
    app.register_blueprint(page.routes())
    door.on_error(app)
    door.guard_unknown(app, rest)
    control.on_error(app)
    settings = exchange.network.settings
    origins.guard(app, settings.host, settings.allowed_origins)
    return app


class Simulator:
    """Start it, use `url`, stop it. `settings.port` 0 takes a free port."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.exchange = Exchange(settings, clock or RealClock())
        self.app = create_app(self.exchange)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            message = "the simulator has not been started"
            raise RuntimeError(message)
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        """Raises PortInUse."""
        settings = self.settings
        _check_port(settings.host, settings.port)
        self._server = _Server(settings.host, settings.port, self.app, settings.request_workers)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": STOP_LOOK_SECONDS},
            name="simulator-server",
            daemon=True,
        )
        self.exchange.network.agenda.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Safe to repeat. Calls in progress vanish without a further webhook."""
        network = self.exchange.network
        network.post.stop()
        network.log.close()
        network.news.close()
        network.agenda.stop()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._thread = None

    def settle(self) -> None:
        """Wait until no webhook is on its way."""
        self.exchange.network.agenda.settle()

    def advance(self, seconds: float) -> None:
        """Move a manual clock."""
        self.exchange.network.agenda.advance(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _check_port(host: str, port: int) -> None:
    """Werkzeug would end the whole process where the port is taken."""
    if not port:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"cannot listen on {host}:{port}: {error.strerror}"
            raise PortInUse(message) from error
