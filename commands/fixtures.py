"""`flask --app app fixtures ...`: calls are recorded as files and played again."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import requests

from commands.giving_up import give_up, right_settings
from routing.clock import SystemClock, iso_8601
from settings import Settings

if TYPE_CHECKING:  # so that --help answers at once
    from voice.fixtures.tape import Told

#: Seconds without a webhook after which a call that has ended is believed to be over.
QUIET_SECONDS = 2.0
#: Seconds that one look into the simulator's log waits for news.
LOOK_SECONDS = 1.0


@click.group()
def fixtures() -> None:
    """Calls as files: record the webhooks of a call, play them again, compare the answers."""


@fixtures.command()
@click.option(
    "--into",
    "folder",
    default="recordings",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files, one for each call.",
)
@click.option(
    "--tap",
    "port",
    type=click.IntRange(0, 65_535),
    help="Listen on this port, hand everything on to PORT, and write down what passes.",
)
@click.option("--calls", "wanted", type=click.IntRange(1), help="End when so many calls are over.")
@click.option("--mask", is_flag=True, help="Replace numbers, names, tokens and the account's SID.")
def record(folder: Path, port: int | None, wanted: int | None, mask: bool) -> None:
    """Write the webhooks of calls, and what was answered, into files. Ctrl-C ends it.

    While the simulator stands in, its log is read and nothing else need be done.

    For calls of a real account give --tap and let the tunnel or proxy lead to that port in place of
    PORT, for example `ngrok http 8003` with `--tap 8003`. Signatures stay right, since they are
    checked against PUBLIC_URL. Without --mask the files hold whatever the network told: telephone
    numbers, names, places. Signatures and tokens of the account are never kept.
    """
    settings = right_settings()
    if port is None and not settings.simulates:
        give_up("No simulator stands in: give --tap PORT and let the network call that port.")
    folder.mkdir(parents=True, exist_ok=True)
    recorder = _Recorder(settings, folder, mask=mask)
    source = _from_simulator(settings) if port is None else _from_tap(settings, port)
    with contextlib.suppress(KeyboardInterrupt):
        for told in source:
            if told is not None:
                recorder.take(told)
            elif wanted is not None and recorder.calls_over >= wanted:
                break
    click.echo(f"{recorder.files} in {folder}" if recorder.files else "Nothing was recorded.")


class _Recorder:
    """Keeps the file of each call as it grows, so that nothing is lost however this ends."""

    def __init__(self, settings: Settings, folder: Path, *, mask: bool) -> None:
        from voice.fixtures.tape import Calls  # noqa: PLC0415

        self._settings = settings
        self._folder = folder
        self._mask = mask
        self._calls = Calls()
        self._began = iso_8601(SystemClock().now())
        self._paths: dict[str, Path] = {}

    @property
    def files(self) -> str:
        return ", ".join(sorted(path.name for path in self._paths.values()))

    @property
    def calls_over(self) -> int:
        from voice.fixtures.tape import is_over  # noqa: PLC0415

        return sum(is_over(webhooks) for webhooks in self._calls)

    def take(self, told: "Told") -> None:
        from voice.fixtures import masking, tape  # noqa: PLC0415

        self._calls.add(told)
        paths = {}
        for webhooks in self._calls:
            name = next(iter(webhooks[0].values("CallSid")), "call")
            path = self._folder / f"{name}.json"
            paths[name] = path
            if told not in webhooks:
                continue
            recorded = tape.Tape(
                recorded_at=self._began,
                public_url=self._settings.public_url,
                masked=False,
                webhooks=tape.from_start(webhooks),
            )
            tape.write(masking.masked(recorded) if self._mask else recorded, path)
        for name in self._paths.keys() - paths.keys():  # it turned out to be part of another call
            self._paths[name].unlink(missing_ok=True)
        self._paths = paths


def _from_simulator(settings: Settings) -> Iterator["Told | None"]:
    """Webhooks from the simulator's log, from now on; None whenever it is quiet."""
    place = _log(settings, since=2**53 - 1, wait=0)["last"]
    # Said when the place is known: who dials on hearing this must not lose the first webhook.
    click.echo(f"Recording what {settings.twilio_api_url} sends. Ctrl-C ends it.", err=True)
    quiet_since = time.monotonic()
    while True:
        found = _log(settings, since=place, wait=LOOK_SECONDS)
        place = found["last"]
        for entry in found["entries"]:
            told = _told(entry, settings.public_url)
            if told is not None:
                quiet_since = time.monotonic()
                yield told
        if time.monotonic() - quiet_since >= QUIET_SECONDS:
            yield None


def _log(settings: Settings, *, since: int, wait: float) -> Any:
    try:
        answer = requests.get(
            f"{settings.twilio_api_url}/simulator/log",
            params={"since": str(since), "wait": str(wait)},
            timeout=LOOK_SECONDS + 30,
        )
        answer.raise_for_status()
    except requests.RequestException as error:
        give_up(f"The simulator at {settings.twilio_api_url} does not answer: {error}")
    return answer.json()


def _told(entry: Any, public_url: str) -> "Told | None":
    """A line of the simulator's log, if it is a webhook to us."""
    from voice.fixtures.tape import Answer, Told  # noqa: PLC0415

    url = entry["url"].partition("#")[0]
    if entry["kind"] != "webhook" or not url.startswith(f"{public_url}/"):
        return None
    answer = None
    if entry["status"] is not None:
        text = entry["answer"] or ""
        kind = "text/xml; charset=utf-8" if text.lstrip().startswith("<") else ""
        answer = Answer(status=entry["status"], content_type=kind, body=text)
    return Told(
        at=entry["time"] / 1000,
        method=entry["method"],
        url=url.removeprefix(public_url),
        parameters=entry["parameters"],
        answer=answer,
    )


def _from_tap(settings: Settings, port: int) -> Iterator["Told | None"]:
    """Webhooks that pass a wiretap; None whenever it is quiet."""
    from voice.fixtures.wiretap import Wiretap  # noqa: PLC0415

    came = threading.Condition()
    heard: list[Told] = []

    def take(told: "Told") -> None:
        with came:
            heard.append(told)
            came.notify()

    application = f"http://{settings.host}:{settings.port}"
    try:
        tap = Wiretap(port=port, application=application, take=take)
    except OSError as error:
        give_up(f"--tap: cannot listen on port {port} ({error.strerror})")
    with tap:
        click.echo(f"Recording at {tap.url}, for {application}. Ctrl-C ends it.", err=True)
        while True:
            with came:
                came.wait_for(lambda: bool(heard), QUIET_SECONDS)
                found = [*heard]
                heard.clear()
            yield from found
            if not found:
                yield None


@fixtures.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", help="Base URL of the application; default: PUBLIC_URL.")
@click.option(
    "--signed-for",
    "public_url",
    help="The public URL that the application checks signatures against; default: PUBLIC_URL.",
)
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0),
    help="How many times as fast as recorded; 0: without a pause.",
)
@click.option("--new-sids", is_flag=True, help="Give calls, rooms and queues SIDs of their own.")
@click.option("--update", is_flag=True, help="Write the answers of now into the files.")
def replay(  # noqa: PLR0917 - click passes them by name
    files: tuple[Path, ...],
    to: str | None,
    public_url: str | None,
    speed: float,
    new_sids: bool,
    update: bool,
) -> None:
    """Send recorded webhooks again, in order and rhythm, and compare the answers.

    They are signed anew, with TWILIO_AUTH_TOKEN, and the account's SID is that of the settings.
    SIDs that the application makes itself (Tasks, instructions) are taken from its answers. Play a
    tape twice into one application with --new-sids: else it has had those calls already.

    The application acts on what it is told: let it talk to a simulator, or it will dial.

    Exit status: 0 all answers are as recorded, 1 some differ, 2 it could not be played.
    """
    from voice.fixtures import replay as player  # noqa: PLC0415
    from voice.fixtures import tape as tapes  # noqa: PLC0415

    settings = right_settings()
    public_url = (public_url or settings.public_url).rstrip("/")
    wish = player.Wish(
        to=(to or public_url).rstrip("/"),
        public_url=public_url,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        speed=speed,
        has_new_sids=new_sids,
    )
    try:
        recorded = [(path, tapes.read(path)) for path in files]
        differ = 0
        for path, tape in recorded:
            differences, played = player.play(tape, wish, _rhythm())
            differ += len(differences)
            click.echo(f"{path}: {len(played)} webhooks, {len(differences)} answers differ")
            for difference in differences:
                told = difference.told
                click.echo(f"  {difference.number}. {told.method} {told.url}")
                click.echo("\n".join(f"     {line}" for line in difference.lines))
            if update and differences:
                tape.webhooks = played
                tapes.write(tape, path)
                click.echo(f"  {path} has the answers of now.")
    except (tapes.TapeError, player.NotReached) as error:
        give_up(str(error))
    sys.exit(1 if differ and not update else 0)


def _rhythm() -> Callable[[float], None]:
    began = time.monotonic()

    def pause_until(seconds: float) -> None:
        time.sleep(max(0.0, began + seconds - time.monotonic()))

    return pause_until
