"""A request that Twilio makes to the application, and what came of it."""

import dataclasses
import urllib.parse
import uuid

from requests.cookies import RequestsCookieJar

Parameters = tuple[tuple[str, str], ...]

# Error codes of Twilio's debugger.
HTTP_RETRIEVAL_FAILURE = 11200
CONNECTION_FAILURE = 11205
TOO_MANY_REDIRECTS = 11215
TOO_LARGE = 11750
BAD_CONTENT_TYPE = 12300
CALLBACK_NOT_2XX = 15003
CONFERENCE_CALLBACK_NOT_2XX = 16011


@dataclasses.dataclass(frozen=True, kw_only=True)
class Webhook:
    url: str  # absolute; may carry connection overrides in its fragment
    method: str  # GET or POST
    parameters: Parameters
    lane: str  # webhooks of one lane are sent one after the other, in order
    call_sid: str | None
    is_document: bool  # its answer is TwiML to be followed; else only its status matters
    #: The debugger's code where the answer to what is no document is not a 2xx.
    refused_code: int = CALLBACK_NOT_2XX
    cookies: RequestsCookieJar = dataclasses.field(default_factory=RequestsCookieJar)
    #: The same on every try, so that a receiver can tell a repeat.
    idempotency_token: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    status: int | None
    content_type: str
    text: str
    url: str  # where it came from after redirects; relative addresses in it start here
    error_code: int | None = None
    error_message: str = ""
    #: Nobody was asked: it was still good.
    was_kept: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Overrides:
    """What the fragment of a webhook's URL asks for: `#ct=2000&rt=3000&rc=2&rp=5xx,ct`."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})


def parse_overrides(url: str) -> tuple[str, Overrides]:
    """The URL as it is requested and signed (without the fragment), and its overrides.

    Values that are out of Twilio's ranges are taken at the nearest bound.
    """
    bare, _, fragment = url.partition("#")
    asked = dict(urllib.parse.parse_qsl(fragment))

    def milliseconds(name: str, default: int, most: int) -> float:
        text = asked.get(name, "")
        return min(max(int(text), 100), most) / 1000 if text.isdigit() else default / 1000

    retries = asked.get("rc", "")
    return bare, Overrides(
        connect_seconds=milliseconds("ct", 5_000, 10_000),
        read_seconds=milliseconds("rt", 15_000, 15_000),
        total_seconds=milliseconds("tt", 15_000, 15_000),
        retries=min(int(retries), 5) if retries.isdigit() else 1,
        retry_on=frozenset(asked.get("rp", "ct").split(",")),
    )


def with_query(url: str, parameters: Parameters) -> str:
    """`url` with the parameters added to its query, as a webhook by GET carries them."""
    if not parameters:
        return url
    joint = "&" if urllib.parse.urlsplit(url).query else "?"
    return f"{url}{'' if url.endswith(('?', '&')) else joint}{urllib.parse.urlencode(parameters)}"
