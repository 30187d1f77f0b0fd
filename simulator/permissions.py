"""Whom an account may not call, and in which of Twilio's numbers it is told so.

Twilio's own four numbers for this (its "magic inputs") are refused by every account; what else is
out of reach is a setting. A call by REST is refused at once; a `<Dial>` fails and the debugger says
why. Nobody here decides about calls.
"""

import dataclasses

from simulator.endpoint import is_phone_number
from simulator.parameters import calling_code
from simulator.settings import Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    #: Twilio's error of the REST call, and the debugger's of a <Dial>, where it has one.
    code: int
    debugger_code: int | None
    message: str


INVALID = Refusal(
    code=21217, debugger_code=13224, message="Phone number does not appear to be valid"
)
UNREACHABLE = Refusal(code=21214, debugger_code=None, message="'To' phone number cannot be reached")
NOT_PERMITTED = Refusal(
    code=21215, debugger_code=13227, message="Geo permissions do not allow calls to this number"
)
BLOCKED = Refusal(
    code=21216, debugger_code=13225, message="Account not allowed to call this number"
)
NOT_INTERNATIONAL = Refusal(
    code=21203, debugger_code=13227, message="International calling is not enabled"
)

#: Twilio, "Test credentials": what a call to each of them is answered with.
MAGIC = {
    "+15005550001": INVALID,
    "+15005550002": UNREACHABLE,
    "+15005550003": NOT_PERMITTED,
    "+15005550004": BLOCKED,
}


def refusal(settings: Settings, *, from_: str, to: str) -> Refusal | None:
    """Why the account may not call `to`, showing `from_`; None where it may."""
    if not is_phone_number(to):
        return None  # clients and SIP addresses are nobody's abroad
    if to in MAGIC:
        return MAGIC[to]
    if to in settings.blocked_numbers:
        return BLOCKED
    is_abroad = is_phone_number(from_) and calling_code(from_) != calling_code(to)
    if is_abroad and not settings.international:
        return NOT_INTERNATIONAL
    permitted = settings.geo_permissions
    if permitted is not None and not any(to.startswith(prefix) for prefix in permitted):
        return NOT_PERMITTED
    return None
