"""Whom an account may not call or show as caller, and in which of Twilio's numbers it is told so.

Twilio's own four numbers for this (its "magic inputs") are refused by every account; what else is
out of reach is a setting. A call by REST is refused at once; a `<Dial>` fails and the debugger says
why. Nobody here decides about calls.
"""

import dataclasses

from simulator.call import Call
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
NOT_VERIFIED = Refusal(
    code=21219, debugger_code=None, message="'To' phone number not verified (a trial account)"
)
#: Of a <Dial> only; a call by REST is refused for its From (21210).
WRONG_CALLER_ID = Refusal(
    code=21210, debugger_code=13214, message="callerId is neither the account's nor of this call"
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
    verified, permitted = settings.verified_numbers, settings.geo_permissions
    is_abroad = is_phone_number(from_) and calling_code(from_) != calling_code(to)
    for is_refused, found in (
        (to in settings.blocked_numbers, BLOCKED),
        (verified is not None and to not in verified, NOT_VERIFIED),
        (is_abroad and not settings.international, NOT_INTERNATIONAL),
        (permitted is not None and not to.startswith(permitted), NOT_PERMITTED),
    ):
        if is_refused:
            return found
    return None


def may_show(caller: Call, shown: str, *, is_own: bool) -> bool:
    """May a <Dial> of `caller` show it: a number of the account, the calling or the called one?"""
    return is_phone_number(shown) and (is_own or shown in (caller.from_, caller.to))
