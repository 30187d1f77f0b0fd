"""What the desk must be told; the composition root fills it from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdSettings:
    """The provider through which people may sign in."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    #: What the button says.
    label: str
    scopes: str
    name_claim: str
    #: Empty: the Worker is named as the user is.
    worker_claim: str
    #: Empty: what was set with `users add` counts, and nobody else may in.
    role_claim: str
    #: {value of that claim: role}
    roles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    account_sid: str
    #: What CSRF tokens and the memory of a sign-in elsewhere are made with.
    secret_key: str = field(repr=False)
    #: Where browsers reach this server and the realtime server, without a slash at the end.
    public_url: str
    realtime_url: str
    #: The simulator's address; None with a real account.
    simulator_url: str | None
    #: One may sign in by one click, if the request comes from this machine.
    offers_demo: bool = False
    session_idle_seconds: int = 3600
    session_seconds: int = 43_200
    open_id: OpenIdSettings | None = None
    #: Where the pages are, and what was built for them.
    pages: Path = Path(__file__).parent / "pages"
    built: Path = Path(__file__).parent / "built"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")
