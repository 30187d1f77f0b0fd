"""What the voice side must be told before it can answer a telephone."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """Read once at start; the composition root fills it from the environment."""

    #: Where Twilio reaches us, without a slash at its end: scheme, host, port if it has one, and a
    #: path if a proxy in front takes one away. Signatures are checked against it, and every URL
    #: that is given to Twilio begins with it.
    public_url: str
    #: The secrets that webhooks may be signed with; two of them while the token is being rotated.
    auth_tokens: tuple[str, ...]
    #: {AccountSid: token} of sub-accounts whose numbers lead here, too.
    account_tokens: Mapping[str, str] = field(default_factory=dict)
    #: {key: secret} of the shared keys that webhooks may be signed with.
    shared_keys: Mapping[str, str] = field(default_factory=dict)
    #: Seconds that after-work may take, by SID of a TaskQueue or Workspace, or by "*" for all.
    wrap_up_limits: Mapping[str, int] = field(default_factory=dict)
    #: The number agents see when they are called; None shows them the number that was dialled.
    caller_id: str | None = None
    #: Seconds between two looks at a live call, in case a callback was lost.
    sweep_seconds: int = 15

    def __post_init__(self) -> None:
        if not self.auth_tokens or not all(self.auth_tokens):
            raise ValueError("auth_tokens: expected at least one secret, none of them empty")
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))

    def url(self, path: str) -> str:
        """The absolute URL of one of our own routes; Twilio resolves no relative ones (15004)."""
        return f"{self.public_url}/voice/{path}"
