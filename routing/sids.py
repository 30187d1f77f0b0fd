"""Twilio's string identifiers: two letters that name the kind, then 32 hex digits."""

import os
import re
import time

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


def new_sid(prefix: str) -> str:
    """A fresh identifier; 80 random bits, so it needs no check against those in use.

    The digits before them grow by the millisecond. Rows that are made together are then neighbours
    in every index by SID, and a commit writes a few pages of it instead of one per row. They are no
    instant: nobody reads them.
    """
    return f"{prefix}{time.monotonic_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def is_sid(text: str, prefix: str | None = None) -> bool:
    """True if `text` has the shape of a SID, of the kind `prefix` where one is given."""
    if _SHAPE.fullmatch(text) is None:
        return False
    return prefix is None or text.startswith(prefix)
