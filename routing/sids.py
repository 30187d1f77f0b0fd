"""Twilio's string identifiers: two letters that name the kind, then 32 hex digits."""

import os
import re
import time
from collections import deque

WORKSPACE = "WS"
ACTIVITY = "WA"
TASK_CHANNEL = "TC"
WORKER = "WK"
WORKER_CHANNEL = "WC"
TASK_QUEUE = "WQ"
WORKFLOW = "WW"
TASK = "WT"
RESERVATION = "WR"
EVENT = "EV"
API_KEY = "SK"
TRANSFER = "TT"
USER = "US"
#: Ours alone: instructions, deliveries and presences are rows that Twilio keeps to itself.
INSTRUCTION = "IN"
DELIVERY = "DL"
PRESENCE = "PE"

_SHAPE = re.compile(r"[A-Z]{2}[0-9a-f]{32}")

_RANDOM_BYTES = 10
#: Identifiers whose random digits are drawn at once. Each draw is a call of the kernel, around
#: which a busy thread may lose its turn at the interpreter to another one.
_DRAWN_AT_ONCE = 512
_drawn: deque[str] = deque()
# Two processes must not have the same ones in store.
os.register_at_fork(after_in_child=_drawn.clear)


def new_sid(prefix: str) -> str:
    """A fresh identifier; 80 random bits, so it needs no check against those in use.

    The digits before them grow by the millisecond. Rows that are made together are then neighbours
    in every index by SID, and a commit writes a few pages of it instead of one per row. They are no
    instant: nobody reads them.
    """
    return f"{prefix}{time.monotonic_ns() // 1_000_000:012x}{_random_digits()}"


def _random_digits() -> str:
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            digits = os.urandom(_RANDOM_BYTES * _DRAWN_AT_ONCE).hex()
            size = 2 * _RANDOM_BYTES
            _drawn.extend(digits[at : at + size] for at in range(0, len(digits), size))


def is_sid(text: str, prefix: str | None = None) -> bool:
    """True if `text` has the shape of a SID, of the kind `prefix` where one is given."""
    if _SHAPE.fullmatch(text) is None:
        return False
    return prefix is None or text.startswith(prefix)
