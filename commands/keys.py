"""`flask --app app keys ...`: API keys are made, listed and revoked on the command line."""

import contextlib
from collections.abc import Iterator

import click

from routing.clock import SystemClock, iso_8601
from routing.errors import RoutingError
from routing.store import StoreError, open_store
from routing.store.signing_keys import StoredSigningKeys
from settings import Settings


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[StoredSigningKeys]:
    """The keys in the database of these settings; mistakes are told as click tells them."""
    clock = SystemClock()
    try:
        store = open_store(settings.database_url, clock)
        try:
            store.migrate()
            yield StoredSigningKeys(store, settings.tandem_secret_key, clock)
        finally:
            store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    except RoutingError as error:
        raise click.ClickException(error.message) from None


def create(settings: Settings, friendly_name: str) -> None:
    with opened(settings) as keys:
        key, secret = keys.create(friendly_name)
    click.echo(f"SID     {key.sid}")
    click.echo(f"Secret  {secret}")
    click.echo("The secret is shown this once; nobody can read it again.", err=True)


def show(settings: Settings) -> None:
    with opened(settings) as keys:
        for key in keys.every():
            click.echo(f"{key.sid}  {iso_8601(key.created_at)}  {key.friendly_name}")


def revoke(settings: Settings, key_sid: str) -> None:
    with opened(settings) as keys:
        keys.revoke(key_sid)
    click.echo(f"{key_sid} opens nothing any more.")
