"""Passwords: hashed with argon2id, as the RFC advises for a server (RFC 9106, 4, second choice).

A hash takes tens of milliseconds and 64 MiB on purpose, so only a few are worked on at a time: who
tries many passwords waits in line instead of taking the machine.
"""

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from routing.errors import InvalidParameter

#: Short ones are guessed; and nobody should have to hash a book.
MIN_CHARACTERS: Final = 10
MAX_CHARACTERS: Final = 256
#: Hashes that are worked on at the same time.
AT_ONCE: Final = 2

_hasher: Final = PasswordHasher()
_places: Final = threading.BoundedSemaphore(AT_ONCE)
#: The hash of a password that nobody has: what is compared with where there is no user.
_NOBODYS: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "bm9ib2R5IGhhcyB0aGlzIQ$VkYhvIjYlzvkMWJhsTpzvAoFSrMmqXgsoWa1xn1GkLY"
)


def check_new(password: str) -> None:
    """Raises InvalidParameter for one that should not be chosen; never says what it was."""
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise InvalidParameter(
            "password", f"expected {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"
        )


def hashed(password: str) -> str:
    """Raises InvalidParameter as `check_new` does."""
    check_new(password)
    with _places:
        return _hasher.hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Does it fit? Takes as long where there is no hash, and then it never does."""
    if len(password) > MAX_CHARACTERS:
        password, password_hash = "", None
    with _places:
        try:
            _hasher.verify(password_hash or _NOBODYS, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """It was made with other costs than those of today."""
    return _hasher.check_needs_rehash(password_hash)
