"""`flask --app app connect +1...` and `disconnect`: a real number leads here, and back again.

What a number had before is kept in the instance folder, written before anything is changed.
"""

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click
import msgspec

from commands.giving_up import give_up, right_settings
from settings import TWILIO_API, Settings

if TYPE_CHECKING:  # so that --help answers at once
    from voice.numbers import Leading, Numbers, OwnNumber

#: In the instance folder: by number, where it led before it was connected.
KEPT: Final = "connected.json"

_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("number")
@_YES
def connect(number: str, yes: bool) -> None:
    """Let the calls of NUMBER (+15550100000) come here.

    Its voice webhook and status callback at Twilio are pointed at PUBLIC_URL. What they are and
    what they will be is shown, and you are asked first. `disconnect` puts back what was before.
    """
    settings = right_settings()
    _check_public_url(settings)
    with _twilio(settings) as numbers:
        from voice.numbers import to_us  # noqa: PLC0415

        own = _find(numbers, number)
        if own.trunk_sid:
            give_up(f"{number} belongs to the SIP trunk {own.trunk_sid}, which takes its calls.")
        wanted = to_us(settings.public_url, own.leading)
        kept = _Kept(settings)
        if own.leading == wanted:
            click.echo(f"{number} leads to {settings.public_url} already.")
            return
        _show(number, own.leading, wanted)
        if not yes and not click.confirm("Change it?"):
            give_up("Nothing was changed.")
        kept.remember(number, own.leading)
        _lead(numbers, own, wanted)
        click.echo(f"{number} leads here now. Undo it: flask --app app disconnect {number}")


@click.command()
@click.argument("number")
@click.option("--force", is_flag=True, help="Put it back although somebody has changed it since.")
@_YES
def disconnect(number: str, yes: bool, force: bool) -> None:
    """Let the calls of NUMBER go where they went before `connect`."""
    settings = right_settings()
    kept = _Kept(settings)
    before = kept.recall(number)
    if before is None:
        known = ", ".join(kept.numbers) or "none"
        give_up(f"{number} was not connected from here. Connected: {known}")
    with _twilio(settings) as numbers:
        own = _find(numbers, number)
        if not _is_ours(own.leading) and own.leading != before and not force:
            _show(number, own.leading, before)
            give_up("Somebody has changed it since; --force puts it back all the same.")
        if own.leading != before:
            _show(number, own.leading, before)
            if not yes and not click.confirm("Change it?"):
                give_up("Nothing was changed.")
            _lead(numbers, own, before)
        kept.forget(number)
        click.echo(f"{number} leads where it led before.")


def _check_public_url(settings: Settings) -> None:
    """Twilio reaches no address of this machine or of a private network."""
    host = urlsplit(settings.public_url).hostname or ""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_global:
            return
        host = "localhost"
    if host == "localhost" and settings.twilio_api_url == TWILIO_API:
        give_up(
            f"PUBLIC_URL: expected an address that Twilio can reach, got {settings.public_url}.",
            "Start a tunnel, for example `ngrok http 8000`, and set PUBLIC_URL=ngrok.",
        )


@contextlib.contextmanager
def _twilio(settings: Settings) -> Iterator["Numbers"]:
    """The account's numbers; whatever Twilio refuses is told, and the command ends."""
    from voice.numbers import Numbers  # noqa: PLC0415
    from voice.phone_line import PhoneLineError  # noqa: PLC0415

    try:
        yield Numbers(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            api_url=settings.twilio_api_url,
        )
    except PhoneLineError as error:
        give_up(f"Twilio says: {error}")


def _find(numbers: "Numbers", number: str) -> "OwnNumber":
    own = numbers.find(number)
    if own is None:
        every = ", ".join(numbers.every()) or "none"
        give_up(f"The account has no number {number}. Its numbers: {every}")
    return own


def _lead(numbers: "Numbers", own: "OwnNumber", wanted: "Leading") -> None:
    changed = numbers.lead(own.sid, wanted)
    if changed.leading != wanted:
        _show(own.phone_number, wanted, changed.leading)
        give_up("Twilio did not take all of it; what it has now stands on the right.")


def _is_ours(leading: "Leading") -> bool:
    """Does it lead to a Tandem, at whatever public URL it was then? Tunnels change theirs."""
    return leading.voice_url.endswith("/voice/incoming") and leading.status_callback.endswith(
        "/voice/call-status"
    )


def _show(number: str, before: "Leading", after: "Leading") -> None:
    click.echo(number)
    for name, was in asdict(before).items():
        will_be = asdict(after)[name]
        if was == will_be:
            click.echo(f"    {name:22} {was or '(none)'}")
        else:
            click.echo(f"  * {name:22} {was or '(none)'}  ->  {will_be or '(none)'}")


class _Kept:
    """The file in the instance folder."""

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.instance_path, KEPT)

    @property
    def numbers(self) -> list[str]:
        return sorted(self._read())

    def recall(self, number: str) -> "Leading | None":
        from voice.numbers import Leading  # noqa: PLC0415

        found = self._read().get(number)
        return None if found is None else Leading(**found)

    def remember(self, number: str, leading: "Leading") -> None:
        """What led to us already, at an old address, is not what was before."""
        found = self._read()
        if number not in found or not _is_ours(leading):
            self._write(found | {number: asdict(leading)})

    def forget(self, number: str) -> None:
        found = self._read()
        found.pop(number, None)
        self._write(found)

    def _read(self) -> dict[str, dict[str, str]]:
        from voice.numbers import Leading  # noqa: PLC0415

        if not self._path.exists():
            return {}
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, str]])
        except msgspec.MsgspecError as error:
            give_up(f"{self._path}: {error}")
        wanted = {field.name for field in fields(Leading)}
        if any(set(one) != wanted for one in found.values()):
            give_up(f"{self._path}: for each number, {', '.join(sorted(wanted))} were expected")
        return found

    def _write(self, found: dict[str, dict[str, str]]) -> None:
        descriptor, draft = tempfile.mkstemp(dir=self._path.parent)  # of mode 600
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(found), indent=2))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(self._path)
