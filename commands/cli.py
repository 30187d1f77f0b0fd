"""The commands, as `flask --app app --help` lists them."""

import contextlib
import sys
from collections.abc import Iterator

import click
import flask

from commands.connect import connect, disconnect
from commands.fixtures import fixtures
from commands.giving_up import give_up
from commands.giving_up import right_settings as _settings
from routing.delivery import STATES
from routing.engine import Engine
from routing.events import CATALOGUE
from routing.store import SqlStore, StoreError
from routing.user import AGENT, ROLES
from voice.call_flow import CallFlowError


def command_line() -> flask.Flask:
    """A Flask app that serves nothing: the place where `flask --app app` finds our commands."""
    app = flask.Flask("tandem", static_folder=None)
    app.cli.add_command(serve)
    app.cli.add_command(follow)
    app.cli.add_command(demo)
    app.cli.add_command(provision)
    app.cli.add_command(keys)
    app.cli.add_command(users)
    app.cli.add_command(deliveries)
    app.cli.add_command(events)
    app.cli.add_command(realtime)
    app.cli.add_command(connect)
    app.cli.add_command(disconnect)
    app.cli.add_command(fixtures)
    return app


@click.command()
def serve() -> None:
    """Start Tandem, and the phone-network simulator while no account is set. Ctrl-C stops it."""
    from commands.children import Become  # noqa: PLC0415
    from commands.serve import CannotServe  # noqa: PLC0415
    from commands.serve import serve as run  # noqa: PLC0415 - so that --help answers at once

    try:
        sys.exit(run(_settings()))
    except CannotServe as error:
        give_up(str(error))
    except Become as part:
        become = part.run
    try:
        become()
    except (StoreError, CallFlowError, OSError) as error:
        give_up(str(error))


@click.command()
def follow() -> None:
    """Run the followers alone: router, timers, telephone. `serve` starts this where it is needed.

    Any number of machines may: one of them leads, and another takes over when it is gone.
    """
    from commands.follow import run  # noqa: PLC0415 - so that --help answers at once

    _settings()  # names all that are wrong
    try:
        run()
    except (StoreError, CallFlowError) as error:
        give_up(str(error))


@click.command()
@click.argument(
    "variant", default="answered", type=click.Choice(["answered", "hangup", "no-answer"])
)
def demo(variant: str) -> None:
    """Show one whole call, as it happens, on a temporary database.

    \b
    answered   the agent accepts, both talk, hang up, the task is completed (default)
    hangup     the caller hangs up while waiting
    no-answer  the first agent's phone rings in vain, and the next one takes the call
    """  # noqa: D301 - click wants its \b to be one: it keeps these lines apart
    from commands.demo import show  # noqa: PLC0415 - so that --help answers at once

    sys.exit(show(variant))


@click.command()
def provision() -> None:
    """Bring the database up to date and create the example workspace, if there is none."""
    from commands.provision import provision as provide  # noqa: PLC0415
    from routing.clock import SystemClock  # noqa: PLC0415
    from routing.store import open_store  # noqa: PLC0415

    try:
        store = open_store(_settings().database_url, SystemClock())
        store.migrate()
        workspace = store.perform(provide)
    except StoreError as error:
        give_up(str(error))
    click.echo(f"{workspace.sid} {workspace.friendly_name}")
    store.close()


@click.command()
def realtime() -> None:
    """Serve agents' sockets alone: one of several processes, on PostgreSQL. Ctrl-C stops it."""
    from commands.realtime import run  # noqa: PLC0415 - so that --help answers at once

    try:
        run(_settings())
    except (StoreError, OSError) as error:
        give_up(str(error))


@click.group()
def keys() -> None:
    """API keys: SIDs and secrets for programs, in place of the account's auth token."""


@keys.command("create")
@click.argument("friendly_name")
def create_key(friendly_name: str) -> None:
    """Make a key of that name and show its secret, this once."""
    from commands.keys import create  # noqa: PLC0415 - so that --help answers at once

    create(_settings(), friendly_name)


@keys.command("list")
def list_keys() -> None:
    """Show every key, without its secret."""
    from commands.keys import show  # noqa: PLC0415

    show(_settings())


@keys.command("revoke")
@click.argument("key_sid")
def revoke_key(key_sid: str) -> None:
    """Let a key open nothing any more, here and in every process."""
    from commands.keys import revoke  # noqa: PLC0415

    revoke(_settings(), key_sid)


@click.group()
def users() -> None:
    """People who use the pages: agents, supervisors, admins."""


@users.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=AGENT, show_default=True)
@click.option(
    "--worker", help="SID or name of the Worker as whom they take calls (agents: needed)."
)
@click.option("--display-name", default="", help="What others see; default: the name.")
@click.option("--workspace", "workspace_sid", help="WS...; default: the Worker's, or the oldest.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--no-password", is_flag=True, help="They sign in through OpenID Connect only.")
def add_user(name: str, password_stdin: bool, no_password: bool, **told: str | None) -> None:
    """Let somebody in under this name; asks for the password."""
    from commands.users import add  # noqa: PLC0415 - so that --help answers at once

    if password_stdin and no_password:
        give_up("Say either --password-stdin or --no-password.")
    password = None if no_password else _new_password(from_stdin=password_stdin)
    add(_settings(), name, password, told)


@users.command("list")
def list_users() -> None:
    """Show everybody: name, role, Worker, and whether they may in."""
    from commands.users import show  # noqa: PLC0415

    show(_settings())


@users.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def change_password(name: str, password_stdin: bool) -> None:
    """Give somebody another password; whoever is signed in as them is signed out."""
    from commands.users import change_password as change  # noqa: PLC0415

    change(_settings(), name, _new_password(from_stdin=password_stdin))


@users.command("disable")
@click.argument("name")
def disable_user(name: str) -> None:
    """Let somebody in no more, and sign them out everywhere."""
    from commands.users import disable  # noqa: PLC0415

    disable(_settings(), name)


@users.command("enable")
@click.argument("name")
def enable_user(name: str) -> None:
    """Let somebody in again."""
    from commands.users import enable  # noqa: PLC0415

    enable(_settings(), name)


def _new_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


@click.group()
def deliveries() -> None:
    """Callbacks that are owed: list them, look into one, send some again."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_deliveries(state: str | None, limit: int) -> None:
    """Show the newest deliveries."""
    from commands.deliveries import show_list  # noqa: PLC0415 - so that --help answers at once

    with _engine() as (_store, engine):
        show_list(engine, click.echo, state=state, limit=limit)


@deliveries.command("show")
@click.argument("sid")
def show_delivery(sid: str) -> None:
    """Show all that is known of a delivery, and the event it tells of."""
    from commands.deliveries import show_one  # noqa: PLC0415 - so that --help answers at once

    with _engine() as (_store, engine):
        if not show_one(engine, click.echo, sid):
            give_up(f"There is no delivery {sid}.")


@deliveries.command("retry")
@click.argument("sids", nargs=-1)
@click.option("--dead", is_flag=True, help="All that were given up.")
def retry_deliveries(sids: tuple[str, ...], dead: bool) -> None:
    """Send deliveries again, whatever became of them."""
    from commands.deliveries import send_again  # noqa: PLC0415 - so that --help answers at once

    if not sids and not dead:
        give_up("Name the deliveries to send again, or say --dead.")
    with _engine() as (_store, engine):
        if not send_again(engine, click.echo, sids, all_dead=dead):
            sys.exit(1)


@click.group()
def events() -> None:
    """The event log."""


@events.command("tail")
@click.option("--since", help="SID of the event after which to begin, or 0; default: now.")
@click.option("--type", "types", multiple=True, help="Only these types; may be repeated.")
@click.option("--workspace", "workspace_sid", help="Only what happens there (WS...).")
@click.option("--task", "task_sid", help="Only what concerns this Task (WT...).")
@click.option("--worker", "worker_sid", help="Only what concerns this Worker (WK...).")
@click.option("--queue", "task_queue_sid", help="Only what concerns this TaskQueue (WQ...).")
@click.option("--json", "as_json", is_flag=True, help="Each event as one line of JSON.")
@click.option("--no-follow", is_flag=True, help="End when all that there is was shown.")
def tail_events(
    since: str | None, types: tuple[str, ...], as_json: bool, no_follow: bool, **filters: str | None
) -> None:
    """Print events as they happen. Ctrl-C ends it."""
    from commands.tail import NoSuchEvent, tail  # noqa: PLC0415 - so that --help answers at once

    unknown = sorted(set(types) - CATALOGUE.keys())
    if unknown:
        give_up(f"There is no type of events {unknown[0]!r}. The types are:", *CATALOGUE)
    with _engine() as (store, _engine_of_it), contextlib.suppress(KeyboardInterrupt):
        try:
            tail(
                store,
                click.echo,
                since=since,
                types=types,
                filters={name: value for name, value in filters.items() if value is not None},
                as_json=as_json,
                follow=not no_follow,
            )
        except NoSuchEvent:
            give_up(f"--since: there is no event {since} in the log.")


@contextlib.contextmanager
def _engine() -> Iterator[tuple[SqlStore, Engine]]:
    from commands.opening import opened  # noqa: PLC0415 - so that --help answers at once

    try:
        with opened(_settings()) as both:
            yield both
    except StoreError as error:
        give_up(str(error))
