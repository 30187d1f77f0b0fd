"""The people who use the pages: users, their sessions, and how often somebody tried to sign in.

A user may do what the role allows (desk/rights.py says what that is). Passwords are hashed, and
sessions known by a digest of their secret, before they come here: nothing in the tables opens a
door.
"""

import re
from dataclasses import dataclass
from typing import Final

from routing.clock import Instant

#: Takes calls as one Worker.
AGENT: Final = "agent"
#: Sees everything of a Workspace, and changes how it runs.
SUPERVISOR: Final = "supervisor"
#: May do everything.
ADMIN: Final = "admin"
ROLES: Final = (AGENT, SUPERVISOR, ADMIN)

MAX_NAME_CHARACTERS: Final = 64
#: What somebody types to sign in; an e-mail address will do.
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._+@-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    sid: str
    #: In lower case; unique.
    name: str
    display_name: str
    role: str
    #: Where the user belongs; None for an admin of all Workspaces.
    workspace_sid: str | None
    #: The Worker as whom the user takes calls; agents have one, others may.
    worker_sid: str | None
    #: None for one who cannot sign in with a password: a demo user, or a provider's.
    password_hash: str | None
    #: Signs in by one click, where that is offered; and in no other way.
    is_demo: bool
    is_disabled: bool
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is signed in. It ends at `ends_at`, or when it was not used for a while."""

    #: A digest of the secret in the browser's cookie.
    sid: str
    user_sid: str
    seen_at: Instant
    ends_at: Instant
    created_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAttempts:
    """How many tries are left to somebody: a bucket that fills up again by itself."""

    #: A digest of what it counts for: a name, an address, or both.
    sid: str
    #: The instant at which all tries are there again. Each try moves it further away.
    full_at: Instant
    created_at: Instant
