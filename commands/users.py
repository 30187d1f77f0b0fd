"""`flask --app app users ...`: who may use the pages is said on the command line."""

import contextlib
from collections.abc import Iterator, Mapping

import click

from commands.opening import opened
from desk.passwords import hashed
from routing.engine import Engine, users
from routing.errors import RoutingError
from routing.ports import Work
from routing.store import StoreError
from routing.user import User
from settings import Settings


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    """The engine on the database of these settings; mistakes are told as click tells them."""
    try:
        with opened(settings) as (_store, engine):
            yield engine
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    except RoutingError as error:
        raise click.ClickException(error.message) from None


def add(
    settings: Settings, name: str, password: str | None, told: Mapping[str, str | None]
) -> None:
    """`told`: role, worker, display_name and workspace_sid."""
    with _opened(settings) as engine:
        password_hash = None if password is None else hashed(password)
        user = engine.perform(users.add, name=name, password_hash=password_hash, **told)  # type: ignore[arg-type]  # click has checked the role
    click.echo(f"{user.sid}  {user.name} is {_a(user.role)} now.")


def show(settings: Settings) -> None:
    with _opened(settings) as engine:
        everybody = engine.read(_with_workers)
    for user, worker in everybody:
        how = "demo" if user.is_demo else "password" if user.password_hash else "openid"
        state = "disabled" if user.is_disabled else how
        click.echo(f"{user.sid}  {user.name:<24}  {user.role:<10}  {state:<8}  {worker}")


def change_password(settings: Settings, name: str, password: str) -> None:
    with _opened(settings) as engine:
        engine.perform(users.change_password, name=name, password_hash=hashed(password))
    click.echo(f"{name} has another password now, and was signed out everywhere.")


def disable(settings: Settings, name: str) -> None:
    with _opened(settings) as engine:
        engine.perform(users.disable, name=name)
    click.echo(f"{name} may not sign in any more, and was signed out everywhere.")


def enable(settings: Settings, name: str) -> None:
    with _opened(settings) as engine:
        engine.perform(users.enable, name=name)
    click.echo(f"{name} may sign in again.")


def _with_workers(work: Work) -> list[tuple[User, str]]:
    """Everybody, with the name of their Worker."""
    found = []
    for user in users.every(work):
        worker = None if user.worker_sid is None else work.workers.get(user.worker_sid)
        gone = "" if user.worker_sid is None else f"({user.worker_sid} is gone)"
        found.append((user, gone if worker is None else worker.friendly_name))
    return found


def _a(role: str) -> str:
    return f"an {role}" if role[0] == "a" else f"a {role}"
