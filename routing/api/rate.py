"""How often one set of credentials may ask: a bucket of permits that fills up steadily.

Off unless a limit is set. Twilio tells of its own limits in the headers `X-Rate-Limit-Limit`,
`-Remaining` and `-Config`, and answers what is too much with 429 and its code 20429; so do we.
"""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Response
from werkzeug.exceptions import TooManyRequests

from routing.clock import SECOND, Clock, Instant

#: Requests that may come all at once after a pause, in seconds' worth of the limit.
BURST_SECONDS = 2
CONFIG: Final = "TaskRouter"


@dataclass(slots=True, kw_only=True)
class _Bucket:
    permits: float
    filled_at: Instant


class RateLimit:
    """Counts by the user name that was authenticated, so there are as many buckets as keys."""

    def __init__(self, requests_per_second: int, clock: Clock) -> None:
        """`requests_per_second` is what may go on for ever; 0 for no limit."""
        self._rate = requests_per_second
        self._most = requests_per_second * BURST_SECONDS
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def take(self, user: str) -> Mapping[str, str]:
        """Takes a permit; the headers that tell how many are left, none where there is no limit.

        Raises TooManyRequests, which says in `Retry-After` when there is one again.
        """
        if not self._rate:
            return {}
        with self._lock:
            bucket = self._filled(user)
            if bucket.permits < 1:
                wait = math.ceil((1 - bucket.permits) / self._rate)
                raise TooManyRequests("Too Many Requests", retry_after=max(1, wait))
            bucket.permits -= 1
            return self.told(int(bucket.permits))

    def told(self, remaining: int) -> Mapping[str, str]:
        """The headers for so many permits left; none where there is no limit."""
        if not self._rate:
            return {}
        return {
            "X-Rate-Limit-Limit": str(self._rate),
            "X-Rate-Limit-Remaining": str(remaining),
            "X-Rate-Limit-Config": CONFIG,
        }

    def _filled(self, user: str) -> _Bucket:
        now = self._clock.now()
        bucket = self._buckets.get(user)
        if bucket is None:
            bucket = self._buckets[user] = _Bucket(permits=self._most, filled_at=now)
        grown = (now - bucket.filled_at) / SECOND * self._rate
        bucket.permits = min(self._most, bucket.permits + max(0.0, grown))
        bucket.filled_at = now
        return bucket


def with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    for name, value in headers.items():
        response.headers[name] = value
    return response
