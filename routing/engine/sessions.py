"""Sessions: somebody signs in, is known for a while, and is signed out; and how often one may try.

A session is known by a digest of its secret. It ends after a time that nobody can prolong, and
earlier when it was not used for long.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.clock import SECOND, Instant
from routing.ports import Work
from routing.user import Session, SignInAttempts, User

#: How far the instant of the last use may be behind: not every request writes a row.
SEEN_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that has not ended, and whose it is."""

    session: Session
    user: User
    expires_at: Instant
    #: The last use is so long ago that it should be noted (see `use`).
    is_stale: bool


def begin(work: Work, *, digest: str, user_sid: str, seconds: int) -> Session:
    """The user has signed in; sessions of theirs that are over are forgotten."""
    for other in work.sessions.find(user_sid=user_sid):
        if other.ends_at <= work.now:
            work.sessions.remove(other.sid)
    session = Session(
        sid=digest,
        user_sid=user_sid,
        seen_at=work.now,
        ends_at=work.now + seconds * SECOND,
        created_at=work.now,
    )
    work.sessions.add(session)
    return session


def look(work: Work, *, digest: str, now: Instant, idle_seconds: int) -> SignedIn | None:
    """Who that is; None where nobody is signed in (any more), or may not be."""
    session = work.sessions.get(digest)
    if session is None:
        return None
    expires_at = min(session.ends_at, session.seen_at + idle_seconds * SECOND)
    user = work.users.get(session.user_sid)
    if expires_at <= now or user is None or user.is_disabled:
        return None
    stale = now - session.seen_at >= SEEN_SECONDS * SECOND
    return SignedIn(session=session, user=user, expires_at=expires_at, is_stale=stale)


def use(work: Work, *, digest: str) -> None:
    """It was used just now."""
    work.sessions.change(digest, seen_at=work.now)


def end(work: Work, *, digest: str) -> None:
    """Signed out; nothing happens where that was so already."""
    work.sessions.remove(digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """So many tries at once, and one more each so many seconds."""

    #: A digest of whoever or whatever it is given to.
    digest: str
    tries: int
    seconds: int


def attempt(work: Work, *, allowances: Sequence[Allowance]) -> int:
    """Takes a try of each; or none, where one has none left: the seconds until it has.

    0 when the try may be made. It counts before its outcome is known, so that many at once are
    no way around it.
    """
    waits, moved = 0, []
    for allowance in sorted(allowances, key=lambda each: each.digest):
        known = work.sign_in_attempts.get(allowance.digest, lock=True)
        full_at = max(work.now, known.full_at if known is not None else 0)
        full_at += allowance.seconds * SECOND
        longest = work.now + allowance.seconds * allowance.tries * SECOND
        if full_at > longest:
            waits = max(waits, -((longest - full_at) // SECOND))
        moved.append((known, allowance.digest, full_at))
    if waits:
        return waits
    for known, digest, full_at in moved:
        if known is not None:
            work.sign_in_attempts.change(digest, full_at=full_at)
        else:
            work.sign_in_attempts.add(
                SignInAttempts(sid=digest, full_at=full_at, created_at=work.now)
            )
    return 0


def forgive(work: Work, *, digest: str) -> None:
    """The try was a success: the earlier ones of the same one do not count any more."""
    work.sign_in_attempts.remove(digest)
