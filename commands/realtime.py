"""The realtime server as a process of its own: `flask --app app realtime`, and a part of `serve`.

Its own process, so that a thousand browsers never share an interpreter with a webhook. Here is how
it is put together, as app.py does it for the web server; it imports nothing of voice, and so keeps
small.
"""

import asyncio
import resource
import signal
import sys

import flask

from commands.logs import set_up_logs
from routing.api.operations import RestSettings
from routing.background.health import health_door
from routing.background.loops import Loop
from routing.clock import SystemClock
from routing.engine import Engine
from routing.realtime.bridge import Bridge, bridge_door
from routing.realtime.server import RealtimeServer
from routing.store import SqlStore, open_store
from routing.store.signing_keys import StoredSigningKeys
from settings import Settings, load


def rest_settings(settings: Settings) -> RestSettings:
    """What the doors are told of the account."""
    tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
    return RestSettings(
        account_sid=settings.twilio_account_sid,
        auth_tokens=tuple(token for token in tokens if token),
        public_url=settings.public_url,
    )


def create_realtime(
    settings: Settings, store: SqlStore
) -> tuple[RealtimeServer, flask.Flask, list[Loop]]:
    """The server, what answers plain HTTP on its port, and the threads whose health that tells."""
    clock = SystemClock()
    keys = StoredSigningKeys(store, settings.tandem_secret_key, clock)
    bridge = Bridge(Engine(store, clock), rest_settings(settings), keys)
    application = flask.Flask("tandem-realtime", static_folder=None)
    loops: list[Loop] = []
    application.register_blueprint(bridge_door(bridge, at_root=True))
    application.register_blueprint(
        health_door(store, lambda: {loop.name: loop.is_well for loop in loops})
    )
    return RealtimeServer(bridge, store, application.wsgi_app), application, loops


def run(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM."""
    set_up_logs(settings.log_level)
    _allow_many_sockets()
    store = open_store(settings.database_url, SystemClock())
    try:
        store.migrate()
        store.listen()
        asyncio.run(_serve(settings, store))
    finally:
        store.close()


async def _serve(settings: Settings, store: SqlStore) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server, _, loops = create_realtime(settings, store)
    await server.run(
        settings.host,
        settings.realtime_port,
        stop,
        ready=lambda _port, loop: loops.append(loop),
    )


def _allow_many_sockets() -> None:
    """As many as the system lets us have without being asked."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    run(load())
    sys.exit(0)
