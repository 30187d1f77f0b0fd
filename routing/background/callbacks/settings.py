"""What the callbacks are told by the composition root."""

from dataclasses import dataclass

from routing.background.callbacks.addresses import Network
from routing.background.callbacks.payloads import FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings:
    account_sid: str
    #: The first one signs; the others are shown beside it while receivers change theirs.
    auth_tokens: tuple[str, ...]
    #: How event callbacks are written: form or json. Assignment callbacks are forms.
    form: str = FORM
    #: Networks that are no public ones and may be called nevertheless.
    allowed: tuple[Network, ...] = ()
    #: Seconds after its event that a callback is given up.
    give_up_seconds: int = 86_400
    #: Seconds that what has arrived can be looked into.
    keep_seconds: int = 172_800
    #: Requests to one receiver at the same time.
    at_once: int = 16
