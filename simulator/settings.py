"""What a simulator is told at its start: whose account it plays, which numbers lead where."""

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Number:
    """A phone number of the account, and what Twilio's console would have in its form."""

    phone_number: str
    sid: str  # PN...
    voice_url: str | None = None
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    friendly_name: str = ""
    #: An application whose URLs are asked instead of those above.
    voice_application_sid: str | None = None
    #: Are webhooks told the name under which a caller is listed?
    voice_caller_id_lookup: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    account_sid: str
    auth_token: str = dataclasses.field(repr=False)
    #: SK... -> its secret: with these, too, the REST door is entered.
    api_keys: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    host: str = "127.0.0.1"
    port: int = 0  # 0: a free one
    #: E.164 -> URL of its voice webhook, and of its status callback
    voice_urls: Mapping[str, str] = dataclasses.field(default_factory=dict)
    status_callbacks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: For every number that is not named above. With a default, every number is the account's own.
    voice_url: str | None = None
    fallback_url: str | None = None
    status_callback_url: str | None = None
    #: Origins whose pages may use the control door from a browser: http://127.0.0.1:8000, ...
    allowed_origins: tuple[str, ...] = ()
    #: How long speech takes: about a hundred and eighty English words a minute.
    characters_per_second: float = 15.0
    #: How long one <Play> of a recording lasts; the simulator does not fetch it.
    play_seconds: float = 5.0
    #: How long an endpoint rings before it answers, where nobody has said otherwise.
    ring_seconds: float = 0.2
    #: Twilio rings this much longer than the Timeout says.
    timeout_buffer_seconds: float = 5.0
    #: Beginnings of the numbers that the account may call: +1, +44, ... None: all.
    geo_permissions: tuple[str, ...] | None = None
    #: May it call other countries than that of the number it shows?
    international: bool = True
    #: Numbers that Twilio does not let it call.
    blocked_numbers: frozenset[str] = frozenset()
    #: Of a trial account: the only numbers that it may call. None: it is no trial.
    verified_numbers: frozenset[str] | None = None
    #: Outbound calls that may start in a second; further ones queue. None: any number.
    calls_per_second: float | None = None
    #: REST calls that may be under way at once; more are answered with 429 (20429). None: any.
    rest_concurrency: int | None = None
    #: Most webhooks on their way at once; the others wait in order.
    webhook_workers: int = 32
    #: Most requests answered at once; further connections wait to be accepted.
    request_workers: int = 64
    #: What becomes of a caller whose waitUrl cannot be reached. The sources leave it open: "end"
    #: takes the documented QueueResult=error, "hold" plays music and asks again a little later.
    wait_errors: Literal["end", "hold"] = "hold"
    #: How many calls, and conferences, are remembered after their end.
    history_size: int = 10_000
    #: How many lines of the log are kept.
    log_size: int = 10_000
    #: How many changes are kept for readers of the stream who come back.
    news_size: int = 10_000
