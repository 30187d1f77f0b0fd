"""How long the application took to answer webhooks: counts in narrow classes, however many.

Each class is five per cent wider than the one before, so that a quantile is right to five per cent
whatever was measured, and nothing grows. Nobody here decides about calls.
"""

import math
import threading
import urllib.parse
from collections import Counter, defaultdict
from typing import Any

_WIDTH = math.log(1.05)
LEAST_MS = 0.1

ALL = "all"


class Timings:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._classes: dict[str, Counter[int]] = defaultdict(Counter)
        self._slowest: dict[str, float] = defaultdict(float)
        self._unanswered: Counter[str] = Counter()

    def add(self, url: str, milliseconds: float, *, is_answered: bool) -> None:
        path = urllib.parse.urlsplit(url).path or "/"
        took = max(milliseconds, LEAST_MS)
        number = math.ceil(math.log(took / LEAST_MS) / _WIDTH)
        with self._lock:
            for name in (ALL, path):
                self._classes[name][number] += 1
                self._slowest[name] = max(self._slowest[name], took)
                self._unanswered[name] += not is_answered

    def as_json(self) -> dict[str, Any]:
        """By path, and of all together: how many, and how long in milliseconds."""
        with self._lock:
            return {
                name: {
                    "count": classes.total(),
                    "unanswered": self._unanswered[name],
                    "p50": _quantile(classes, 0.5),
                    "p99": _quantile(classes, 0.99),
                    "max": round(self._slowest[name], 2),
                }
                for name, classes in self._classes.items()
            }

    def clear(self) -> None:
        with self._lock:
            self._classes.clear()
            self._slowest.clear()
            self._unanswered.clear()


def _quantile(classes: Counter[int], share: float) -> float:
    """The upper bound of the class in which that share of the values is reached."""
    left = math.ceil(classes.total() * share)
    for number in sorted(classes):
        left -= classes[number]
        if left <= 0:
            return round(LEAST_MS * math.exp(number * _WIDTH), 2)
    return 0.0
