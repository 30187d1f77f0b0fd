"""What the processes that serve agents tell one another: newer tokens, and whose sockets to close.

It goes the way of wake-ups (the store's `tell`) and may be lost: then an old window stays open
until its token ends, or a socket is closed with the old token and comes back with the new one.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import msgspec

from routing.api.tokens import Bearer
from routing.clock import Instant

#: Tokens of which is remembered that they were told of.
MAX_REMEMBERED: Final = 10_000


class Renewed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A token was shown with a request: sockets of the same Worker and role live as long."""

    channel: str
    workspace_sid: str
    role: str
    expires_at: Instant


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A socket that wants to be its channel's only one has come."""

    channel: str
    #: Of its token.
    digest: str


class Evicted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sockets with these tokens were closed for a newer one; coming back they close nobody."""

    #: {digest: when the token ends}
    tokens: dict[str, Instant]


Message = Renewed | Opened | Evicted

_encode: Final = msgspec.json.Encoder().encode
_decoder: Final[msgspec.json.Decoder[Message]] = msgspec.json.Decoder(Message)


def said(message: Message) -> str:
    return _encode(message).decode()


def understood(text: str) -> Message | None:
    """None for what a process of another release may say."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


class Renewals:
    """Tells of each token once, when it is first shown with a request."""

    def __init__(self, tell: Callable[[Renewed], Any]) -> None:
        self._tell = tell
        self._told: OrderedDict[str, None] = OrderedDict()

    def shown(self, bearer: Bearer) -> None:
        """Called with every checked token, from any thread."""
        if bearer.channel is None or bearer.digest in self._told:
            return
        self._told[bearer.digest] = None
        if len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
        self._tell(
            Renewed(
                channel=bearer.channel,
                workspace_sid=bearer.workspace_sid,
                role=bearer.role,
                expires_at=bearer.expires_at,
            )
        )
