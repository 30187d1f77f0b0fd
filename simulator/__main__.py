"""`python -m simulator`: Twilio's phone network on this machine, until Ctrl-C."""

import argparse
import os
import re
import secrets
import signal
import sys
import threading

from simulator.clock import ManualClock, ScaledClock
from simulator.endpoint import is_phone_number
from simulator.origins import origin_of
from simulator.server import PortInUse, Simulator
from simulator.settings import Settings

EXPLANATION = """\
Behaves as Twilio Voice does towards an application: dials its numbers, fetches and follows its
TwiML, signs its webhooks, keeps queues and conferences, and answers the REST calls of its library.
"""

EXAMPLES = """\
an example:
  python -m simulator --number +15550100=http://127.0.0.1:8000/voice/incoming
  curl -X POST localhost:8002/simulator/calls -H 'Content-Type: application/json' \\
       -d '{"from": "+15550123", "to": "+15550100"}'

In a browser, / is a telephone: dial, hear, press keys, answer, and watch what goes over the wire.

what to do to the network (JSON):
  POST   /simulator/calls                {"from": "+1...", "to": "+1..."}: somebody dials
  GET    /simulator/calls/CA...          that call, and what is heard
  POST   /simulator/calls/CA.../hangup   the person at that phone hangs up
  POST   /simulator/calls/CA.../press    {"digits": "1"}
  POST   /simulator/calls/CA.../say      {"text": "yes"}, to a <Gather> that takes speech
  POST   /simulator/calls/CA.../refer    {"to": "sip:..."}, from a SIP phone in a <Dial>
  POST   /simulator/calls/CA.../answer   a phone that rings until it is told
  PUT    /simulator/endpoints/ADDRESS    {"on_ring": "answer|busy|no-answer|fail|manual",
                                          "delay_seconds": 0.2}
  GET    /simulator/state                calls (and what is heard), conferences, queues
  GET    /simulator/stream               all that happens, as server-sent events; pages of
                                         other origins need --allow-origin
  GET    /simulator/log?since=N&wait=S   webhooks sent, REST calls received, errors
  GET    /simulator/timings              how long webhooks took: count, p50, p99, max by path
  POST   /simulator/faults               {"webhook": "/voice/status", "times": 1,
                                          "do": "lose|duplicate|delay|reorder"},
                                         or {"rest": "POST /Participants",
                                          "do": "429|500|timeout_after_work|delay"},
                                         or {"queue": "support", "do": "system-error"}
  REST as Twilio's at /2010-04-01/Accounts/AC.../ with the account's SID and token.
"""


def _pair(text: str) -> tuple[str, str]:
    number, _, url = text.partition("=")
    if not is_phone_number(number) or not re.match(r"https?://[^/\s]+", url):
        message = f"{text!r}: +NUMBER=URL was expected, as +15550100=http://127.0.0.1:8000/voice"
        raise argparse.ArgumentTypeError(message)
    return number, url


def _beginning(text: str) -> str:
    if not re.fullmatch(r"\+[1-9]\d{0,14}", text):
        message = f"{text!r}: the beginning of a number was expected, as +1 or +4420"
        raise argparse.ArgumentTypeError(message)
    return text


def _number(text: str) -> str:
    if not is_phone_number(text):
        message = f"{text!r}: a number was expected, as +15550123"
        raise argparse.ArgumentTypeError(message)
    return text


def _url(text: str) -> str:
    if not re.match(r"https?://[^/\s]+", text):
        message = f"{text!r}: an http or https URL was expected"
        raise argparse.ArgumentTypeError(message)
    return text


def _origin(text: str) -> str:
    found = origin_of(text)
    if found is None:
        message = f"{text!r}: an origin was expected, as http://127.0.0.1:8000"
        raise argparse.ArgumentTypeError(message)
    return found


def _positive(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        message = f"{text!r}: a number above 0 was expected"
        raise argparse.ArgumentTypeError(message)
    return found


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        message = f"{text!r}: a whole number above 0 was expected"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _api_key(text: str) -> tuple[str, str]:
    sid, _, secret = text.partition("=")
    if not re.fullmatch(r"SK[0-9a-f]{32}", sid) or not secret:
        message = "SK and 32 hex digits, =, and its secret were expected"
        raise argparse.ArgumentTypeError(message)
    return sid, secret


def _account_sid(text: str) -> str:
    if not re.fullmatch(r"AC[0-9a-f]{32}", text):
        message = f"{text!r}: AC and 32 hex digits were expected"
        raise argparse.ArgumentTypeError(message)
    return text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description=EXPLANATION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    add("--port", type=int, default=8002, help="where to listen (%(default)s; 0: any free port)")
    add(
        "--account-sid",
        type=_account_sid,
        default=os.environ.get("TWILIO_ACCOUNT_SID"),
        help="the account to play (environment: TWILIO_ACCOUNT_SID; else a random one)",
    )
    add(
        "--auth-token",
        default=os.environ.get("TWILIO_AUTH_TOKEN"),
        help="its token, better given in the environment (TWILIO_AUTH_TOKEN; else a random one)",
    )
    add(
        "--api-key",
        type=_api_key,
        action="append",
        default=[],
        metavar="SK...=SECRET",
        help="with an API key and its secret the REST API is entered, too; repeat for more",
    )
    add(
        "--number",
        type=_pair,
        action="append",
        default=[],
        metavar="+NUMBER=URL",
        help="a number and the URL of its voice webhook; repeat for more",
    )
    add(
        "--status-callback",
        type=_pair,
        action="append",
        default=[],
        metavar="+NUMBER=URL",
        help="a number and who is told when its calls have ended; repeat for more",
    )
    add("--voice-url", type=_url, help="the voice webhook of all other numbers")
    add("--fallback-url", type=_url, help="asked where a voice webhook fails")
    add("--status-callback-url", type=_url, help="the status callback of all other numbers")
    add(
        "--allow-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="pages of this origin may use /simulator/ from a browser; repeat for more",
    )
    add(
        "--speed",
        type=_positive,
        default=1.0,
        help="how many times as fast as real time the network runs (%(default)s)",
    )
    add(
        "--manual-clock",
        action="store_true",
        help="time stands still until POST /simulator/clock moves it",
    )
    add(
        "--may-call",
        type=_beginning,
        action="append",
        metavar="+PREFIX",
        help="numbers that begin so may be called, others are refused (21215); repeat for more",
    )
    add(
        "--no-international",
        action="store_true",
        help="refuse calls to other countries than that of the number they come from (21203)",
    )
    add(
        "--block",
        type=_number,
        action="append",
        default=[],
        metavar="+NUMBER",
        help="a number that the account is not allowed to call (21216); repeat for more",
    )
    add(
        "--trial",
        type=_number,
        action="append",
        metavar="+NUMBER",
        help="a trial account, which may call this verified number and no other (21219); repeat "
        "for more",
    )
    add(
        "--calls-per-second",
        type=_positive,
        help="outbound calls that may start in a second, further ones queue (any number; a new "
        "Twilio account: 1)",
    )
    add(
        "--rest-concurrency",
        type=_count,
        help="REST calls that may be under way at once, further ones get 429 (any number)",
    )
    add(
        "--characters-per-second",
        type=_positive,
        default=15.0,
        help="how fast texts are spoken (%(default)s)",
    )
    add(
        "--wait-errors",
        choices=("end", "hold"),
        default="hold",
        help="a waitUrl out of reach ends the wait, or music is played and it is asked again "
        "(%(default)s)",
    )
    return parser.parse_args()


def _settings(given: argparse.Namespace) -> Settings:
    return Settings(
        account_sid=given.account_sid or f"AC{secrets.token_hex(16)}",
        auth_token=given.auth_token or secrets.token_hex(16),
        api_keys=dict(given.api_key),
        host=given.host,
        port=given.port,
        voice_urls=dict(given.number),
        status_callbacks=dict(given.status_callback),
        voice_url=given.voice_url,
        fallback_url=given.fallback_url,
        status_callback_url=given.status_callback_url,
        allowed_origins=tuple(given.allow_origin),
        geo_permissions=None if given.may_call is None else tuple(given.may_call),
        international=not given.no_international,
        blocked_numbers=frozenset(given.block),
        verified_numbers=None if given.trial is None else frozenset(given.trial),
        calls_per_second=given.calls_per_second,
        rest_concurrency=given.rest_concurrency,
        characters_per_second=given.characters_per_second,
        wait_errors=given.wait_errors,
    )


def main() -> int:
    """The exit status: 0 after a clean stop, 2 where it cannot listen."""
    given = _arguments()
    settings = _settings(given)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    clock = ManualClock() if given.manual_clock else ScaledClock(given.speed)
    simulator = Simulator(settings, clock)
    try:
        simulator.start()
    except PortInUse as error:
        print(f"simulator: {error}; choose another --port", file=sys.stderr)  # noqa: T201 - a command
        return 2
    lines = [
        f"simulator: {simulator.url}, account {settings.account_sid}",
        f"simulator: a telephone to dial with: {simulator.url}/ in a browser",
    ]
    if not given.auth_token:  # one that was made up must be shown, one that was given must not
        lines.append(f"simulator: auth token {settings.auth_token}")
    print("\n".join(lines), flush=True)  # noqa: T201 - a command speaks to its user
    stopped.wait()
    simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
