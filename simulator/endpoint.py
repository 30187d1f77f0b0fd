"""What a phone does when it rings: answers, is busy, never answers, fails, or waits to be told."""

import dataclasses
import re

ON_RING = ("answer", "busy", "no-answer", "fail", "manual")
ANSWERED_BY = ("human", "machine", "fax", "unknown")

#: What Twilio puts in place of a number that a caller keeps back.
WITHHELD = ("anonymous", "restricted", "unavailable", "unknown")

E164 = re.compile(r"\+[1-9]\d{1,14}")
CLIENT = re.compile(r"client:[A-Za-z0-9_.~%+@=-]{1,256}(\?.*)?")
SIP = re.compile(r"sips?:[^\s@]+@[^\s@]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    on_ring: str = "answer"
    #: How long it rings before that. None: the simulator's ring time, and for "no-answer" until the
    #: caller's own timeout.
    delay_seconds: float | None = None
    #: Who answers; machine detection finds it out.
    answered_by: str = "human"
    #: What its network says where nobody answers. None: the usual code of that status.
    sip_code: int | None = None


def is_address(text: str) -> bool:
    return any(form.fullmatch(text) for form in (E164, CLIENT, SIP))


def is_callers_address(text: str) -> bool:
    """Whom a call may come from: an address, or somebody who does not say."""
    return is_address(text) or text in WITHHELD


def is_phone_number(text: str) -> bool:
    return E164.fullmatch(text) is not None


def bare(address: str) -> str:
    """An address without its parameters: `client:ann?name=x` rings the endpoint `client:ann`."""
    return address.partition("?")[0].partition(";")[0]
