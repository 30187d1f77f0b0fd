"""An API key: what a program proves itself with in place of the account's auth token.

The same secret signs the access tokens that a program hands to its browsers, so it has to be
readable again: it is kept sealed (encrypted), never as it is, and shown once.
"""

from dataclasses import dataclass

from routing.clock import Instant

MAX_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    sid: str
    friendly_name: str
    #: The secret, encrypted by whoever keeps the key for it.
    sealed_secret: str
    created_at: Instant
