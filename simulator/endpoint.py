"""What a phone does when it rings: answers, is busy, never answers, fails, or waits to be told."""

import dataclasses
import re

ON_RING = ("answer", "busy", "no-answer", "fail", "manual")

E164 = re.compile(r"\+[1-9]\d{1,14}")
CLIENT = re.compile(r"client:[A-Za-z0-9_.~%+@=-]{1,256}(\?.*)?")
SIP = re.compile(r"sips?:[^\s@]+@[^\s@]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    on_ring: str = "answer"
    #: How long it rings before that. None: the simulator's ring time, and for "no-answer" until the
    #: caller's own timeout.
    delay_seconds: float | None = None


def is_address(text: str) -> bool:
    return any(form.fullmatch(text) for form in (E164, CLIENT, SIP))


def is_phone_number(text: str) -> bool:
    return E164.fullmatch(text) is not None


def bare(address: str) -> str:
    """An address without its parameters: `client:ann?name=x` rings the endpoint `client:ann`."""
    return address.partition("?")[0].partition(";")[0]
