"""Webhooks share connections for a moment, as far as the application keeps them open."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from simulator.clock import ManualClock
from simulator.server import Simulator
from simulator.settings import Settings
from tests.simulator.application import TOKEN
from tests.simulator.town import ACCOUNT, CALLER, LINE


class _Keeping(BaseHTTPRequestHandler):
    """Sends who asks from one address to another, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        _Keeping.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_first = self.path == "/voice"
        self.send_response(307 if is_first else 200)
        if is_first:
            self.send_header("Location", "/next")
        body = b"" if is_first else b"<Response><Hangup/></Response>"
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("kept_seconds", "connections"), [(60.0, 1), (-1.0, 2)])
def test_a_connection_is_used_again_while_the_application_keeps_it_for_certain(
    kept_seconds: float, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.post.KEPT_SECONDS", kept_seconds)
    _Keeping.connections = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), _Keeping) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/voice"
        simulator = Simulator(
            Settings(account_sid=ACCOUNT, auth_token=TOKEN, voice_urls={LINE: url}), ManualClock()
        )
        with simulator:
            order = {"from": CALLER, "to": LINE}
            requests.post(f"{simulator.url}/simulator/calls", json=order, timeout=20)
            simulator.settle()
            [call] = simulator.exchange.network.calls.values()
            assert call.status == "completed"
        server.shutdown()
    assert _Keeping.connections == connections
