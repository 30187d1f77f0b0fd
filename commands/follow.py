"""The followers as a process of their own: `flask --app app follow`, and a part of `serve`."""

import signal
import threading

from app import follow


def run() -> None:
    """Follows until SIGINT or SIGTERM. Raises StoreError or CallFlowError when it cannot begin."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    house = follow()
    stop.wait()
    house.stop()
