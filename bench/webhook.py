"""`POST /voice/incoming`, signed, with its Task durably committed, beside a trivial Flask view."""

import argparse
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench import load, servers
from bench.figures import Figure, median, quantile

CONNECTIONS = 16
PATH = "/voice/incoming"
#: More than any server here answers in a second.
REQUESTS_PER_SECOND = 6_000


def measure(options: argparse.Namespace) -> list[Figure]:
    """Requests a second as a share of the trivial view's, and the 99th percentile."""
    figures = []
    with servers.databases(options.database) as urls, tempfile.TemporaryDirectory() as folder:
        for name, url in urls.items():
            rounds = _rounds(url, Path(folder), options.seconds, options.rounds)
            shares = [subject.requests_per_second / base.requests_per_second
                      for base, subject in rounds]  # fmt: skip
            best = f"{median([s.requests_per_second for _b, s in rounds]):.0f}/s"
            trivial = f"{median([b.requests_per_second for b, _s in rounds]):.0f}/s"
            figures += [
                Figure(
                    name=f"webhook to trivial view, requests a second ({name})",
                    value=median(shares),
                    unit="ratio",
                    at_least=0.35,
                    beside=f"{best} beside {trivial}",
                ),
                Figure(
                    name=f"webhook, 99th percentile at concurrency {CONNECTIONS} ({name})",
                    value=median([quantile(s.latencies_ms, 0.99) for _b, s in rounds]),
                    unit="ms",
                    at_most=60,
                    beside=f"{median([quantile(b.latencies_ms, 0.99) for b, _s in rounds]):.1f} ms",
                ),
            ]
    return figures


def _rounds(
    database_url: str, folder: Path, seconds: float, rounds: int
) -> list[tuple[load.Load, load.Load]]:
    """The trivial view and the webhook in slices of half the time, each first in turn.

    Both servers stay up, and the one that is not asked rests: what a machine can do changes within
    seconds where others share it, and hits both alike that way.
    """
    beside, ports = servers.free_ports(3), servers.free_ports(3)
    plain = load.http_request("/trivial", b"a=1", {})
    part = seconds / 2
    most = int(part * REQUESTS_PER_SECOND)

    def base() -> load.Load:
        requests = (plain for _ in range(most * 2))
        return load.run(beside[0], requests, connections=CONNECTIONS, seconds=part)

    def subject() -> load.Load:
        made = list(calls(url, most))
        found = load.run(ports[0], made, connections=CONNECTIONS, seconds=part)
        if set(found.statuses) != {"200"}:
            raise RuntimeError(f"the webhook did not always answer 200: {found.statuses}")
        return found

    settings = servers.environment(database_url, ports, folder)
    plainly = servers.environment(database_url, beside, folder)
    found = []
    with (
        servers.gunicorn("bench.trivial:app", plainly, "/trivial"),
        servers.house(settings) as url,
    ):
        for number in range(rounds * 2):
            if number % 2:
                told = subject()
                found.append((base(), told))
            else:
                found.append((base(), subject()))
    return found


def calls(url: str, number: int) -> Iterator[bytes]:
    """Distinct incoming calls with the parameters of a real one, each with its signature."""
    validator = RequestValidator(servers.AUTH_TOKEN)
    place = {"City": "", "State": "CA", "Zip": "", "Country": "US"}
    for _ in range(number):
        form = {
            "CallSid": "CA" + secrets.token_hex(16),
            "AccountSid": servers.ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "CallStatus": "ringing",
            "Direction": "inbound",
            **{f"{side}{part}": value for side in ("From", "To", "Caller", "Called")
               for part, value in place.items()},
            "From": "+15550123456",
            "Caller": "+15550123456",
            "To": "+15550100000",
            "Called": "+15550100000",
        }  # fmt: skip
        headers = {
            "X-Twilio-Signature": validator.compute_signature(url + PATH, form),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        }
        yield load.http_request(PATH, urlencode(form).encode(), headers)
