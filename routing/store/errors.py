"""What can go wrong between us and the database, beside what callers did wrong (routing.errors)."""

from typing import Final

from routing.errors import Unavailable

CLOSED: Final = "The store is closed."


class StoreError(Exception):
    """The database and we disagree; whoever asked can do nothing about it."""


class Mistaken(StoreError):
    """A unit of work has assumed what is not so any more: it is to be done again, assuming nothing.

    Nobody outside the store sees it.
    """


class StoreUnavailable(StoreError, Unavailable):
    """The database cannot be reached or opened; the message names it and says what to do."""


class BrokenInvariant(StoreError):
    """A promise of the tables would have been broken, so nothing was written: a fault of ours."""
