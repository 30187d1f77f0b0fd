"""One command, one process tree: this supervisor, gunicorn, the followers, the realtime server and
the simulator.

On SQLite, which has one writer, the followers live in gunicorn's; on PostgreSQL they have one of
their own, so that neither waits for the other's turn at the interpreter. The supervisor looks
before it leaps (ports, database), starts the others, says what to do next, and takes all of them
down together. It does no work of its own.
"""

import contextlib
import errno
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click

from commands import follow, realtime, web
from commands.children import Become, Child, part, program
from commands.provision import provision
from routing.clock import SystemClock
from routing.store import StoreError, open_store
from settings import ALL, FOLLOWERS, REALTIME, WEB, Settings, load
from voice.call_flow import CallFlowError, load_call_flow

#: Seconds for a clean stop before a child is killed; gunicorn itself allows requests ten.
STOP_SECONDS = 12.0
READY_SECONDS = 60.0


class CannotServe(Exception):
    """It cannot start; the message says what is in the way and what to do."""


def serve(settings: Settings) -> int:
    """Runs until Ctrl-C or SIGTERM; the exit status: 0 for a clean stop, 1 when a part died.

    Raises CannotServe before anything was started, and Become in the process of each part.
    """
    _check_ports(settings)
    workspace_sid = _prepare(settings)
    stop = _Stop()
    children: list[Child] = []
    try:
        if settings.simulates:
            children.append(program("simulator", simulator_command(settings), _derived(settings)))
        children.extend(_servers(settings))
        if settings.role in {FOLLOWERS, REALTIME}:
            click.echo("It runs. Ctrl-C stops it.")
        elif _wait_until_ready(settings, children, stop):
            click.echo(_welcome(settings, workspace_sid))
        return _watch(children, stop)
    except Become:
        children = []  # they are the supervisor's, and this is one of them
        raise
    finally:
        _stop_all(children)


def _servers(settings: Settings) -> Iterator[Child]:
    """Starts the web server and the followers, as far as this machine is to have them."""

    def started(name: str, run: Callable[[], None], role: str) -> Child:
        return part(name, run, _derived(settings) | {"ROLE": role})

    if settings.role in {ALL, REALTIME}:
        yield started("realtime server", lambda: realtime.run(load()), REALTIME)
    if settings.role == ALL and settings.database_url.startswith("sqlite"):
        yield started("server", web.run, ALL)
        return
    if settings.role in {ALL, FOLLOWERS}:
        yield started("followers", follow.run, FOLLOWERS)
    if settings.role in {ALL, WEB}:
        yield started("server", web.run, WEB)


class _Stop:
    """Set by the first SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _check_ports(settings: Settings) -> None:
    ports = {
        name: port
        for name, port, roles in (
            ("PORT", settings.port, {ALL, WEB}),
            ("REALTIME_PORT", settings.realtime_port, {ALL, REALTIME}),
        )
        if settings.role in roles
    }
    if settings.simulates:
        ports["SIMULATOR_PORT"] = settings.simulator_port
    taken = [_why_not(settings.host, name, port) for name, port in ports.items()]
    if any(taken):
        raise CannotServe("\n".join(filter(None, taken)))


def _why_not(host: str, name: str, port: int) -> str:
    """What keeps us from listening there; empty where nothing does. Raises CannotServe for HOST."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE and not isinstance(error, PermissionError):
                raise CannotServe(
                    f"HOST: expected an address of this machine, got {host!r} ({error.strerror})"
                ) from None
            return (
                f"{name}: cannot listen on {host}:{port} ({error.strerror}). "
                f"Stop what uses it, or choose another port: {name}={port + 10} make run"
            )
    return ""


def _prepare(settings: Settings) -> str:
    """Reads the call flow and brings the database up to date, so that mistakes show at once.

    The SID of the workspace that there is then.
    """
    try:
        load_call_flow(Path(settings.call_flow))
        store = open_store(settings.database_url, SystemClock())
        try:
            store.migrate()
            return store.perform(provision).sid
        finally:
            store.close()
    except (StoreError, CallFlowError) as error:
        raise CannotServe(str(error)) from None


def simulator_command(settings: Settings) -> list[str]:
    """The simulator as its own program; every number leads to our voice door."""
    return [
        sys.executable, "-m", "simulator",
        "--host", settings.host,
        "--port", str(settings.simulator_port),
        "--voice-url", f"{settings.public_url}/voice/incoming",
        "--status-callback-url", f"{settings.public_url}/voice/call-status",
        *(word for origin in _origins(settings) for word in ("--allow-origin", origin)),
    ]  # fmt: skip


def _origins(settings: Settings) -> list[str]:
    """Where our own pages are, which drive the simulator from the browser."""
    public = urlsplit(settings.public_url)
    known = (
        f"http://127.0.0.1:{settings.port}",
        f"http://localhost:{settings.port}",
        f"{public.scheme}://{public.netloc}",
    )
    return list(dict.fromkeys(known))


def _derived(settings: Settings) -> dict[str, str]:
    """What the children must not work out differently."""
    return {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_API_URL": settings.twilio_api_url,
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SIMULATOR": settings.simulator,
        "PYTHONUNBUFFERED": "1",
    }


def _wait_until_ready(settings: Settings, children: list[Child], stop: _Stop) -> bool:
    """True as soon as all are; False when asked to stop, or a child has died, before that."""
    deadline = time.monotonic() + READY_SECONDS
    waiting = [f"{_reachable(settings, port)}/readyz" for port in _ports(settings)]
    if settings.simulates:
        waiting.append(f"{_reachable(settings, settings.simulator_port)}/healthz")
    while not stop.asked and time.monotonic() < deadline:
        if any(child.process.poll() is not None for child in children):
            return False
        waiting = [url for url in waiting if not _answers(url)]
        if not waiting:
            return True
        time.sleep(0.02)
    return False


def _ports(settings: Settings) -> list[int]:
    """Those that answer here."""
    ports = {WEB: [settings.port], REALTIME: [settings.realtime_port], FOLLOWERS: []}
    return ports.get(settings.role, [settings.port, settings.realtime_port])


def _answers(url: str) -> bool:
    with (
        contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
        urllib.request.urlopen(url, timeout=2) as answer,  # noqa: S310 - our own URL
    ):
        return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    return False


def _reachable(settings: Settings, port: int) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _watch(children: list[Child], stop: _Stop) -> int:
    """Waits for a signal or for the first child that ends by itself."""
    while not stop.asked:
        for child in children:
            status = child.process.poll()
            if status is not None:
                click.echo(f"The {child.name} has ended (exit status {status}).", err=True)
                return status if status > 0 else 1
        time.sleep(0.1)
    click.echo("Stopping ...", err=True)
    return 0


def _stop_all(children: list[Child]) -> None:
    """The server first, so that it can still reach the simulator while it finishes."""
    deadline = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        if child.process.poll() is None:
            child.process.terminate()
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def _welcome(settings: Settings, workspace_sid: str) -> str:
    base = _reachable(settings, settings.port)
    realtime = _reachable(settings, settings.realtime_port)
    lines = [
        "",
        f"Tandem is ready. Open {base}/ in a browser.",
        "",
        f"  Desk        {base}/desk   (agents; the supervisor's wall: {base}/wall)",
        f"  REST API    {base}/v1/Workspaces   (health: {base}/readyz)",
        f"  Realtime    {realtime}/v1/wschannels   (ebServer; wsServer: the same with ws)",
        f"  Webhooks    {settings.public_url}/voice/incoming",
        f"  Database    {_without_password(settings.database_url)}",
    ]
    if settings.simulates:
        lines += _simulator_lines(settings, f"{base}/v1/Workspaces/{workspace_sid}")
    lines += ["", "Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def _simulator_lines(settings: Settings, workspace: str) -> list[str]:
    phone = settings.twilio_api_url
    # Only a token of our own making is shown; who has set one knows it.
    token = settings.twilio_auth_token if settings.has_made_up_credentials else "$TWILIO_AUTH_TOKEN"
    made_up = [f"  Auth token  {token}"] if settings.has_made_up_credentials else []
    credentials = f"{settings.twilio_account_sid}:{token}"
    return [
        f"  Simulator   {phone}/   (a telephone in the browser: open it and dial)",
        f"  Account     {settings.twilio_account_sid}",
        *made_up,
        "",
        "A simulated phone network stands in for Twilio: dial and answer in the browser, or try:",
        "",
        "  make demo     # one whole call, told as it happens",
        "",
        "  # somebody dials; Alice or Bob is offered the call:",
        f"  curl -X POST {phone}/simulator/calls -H 'Content-Type: application/json' \\",
        """       -d '{"from": "+15550123456", "to": "+15550100000"}'""",
        "",
        "  # the task, and who is asked (put its SID in place of WT...):",
        f"  curl -u {credentials} {workspace}/Tasks",
        f"  curl -u {credentials} {workspace}/Tasks/WT.../Reservations",
        "",
        "  # the agent accepts, and both are bridged; the simulator's state shows the conference:",
        f"  curl -u {credentials} -d ReservationStatus=accepted \\",
        f"       {workspace}/Tasks/WT.../Reservations/WR...",
        f"  curl {phone}/simulator/state",
    ]


def _without_password(url: str) -> str:
    if "@" not in url:
        return url
    scheme, _, rest = url.partition("://")
    user = rest.partition("@")[0].partition(":")[0]
    return f"{scheme}://{user}:***@{rest.partition('@')[2]}"
