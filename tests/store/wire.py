"""A wire between the store and PostgreSQL that counts trips, and can be cut in one of them."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from sqlalchemy import make_url

#: What ends each trip: the protocol's Sync, an S and the length of nothing.
_SYNC = b"S\x00\x00\x00\x04"


class Wire:
    """One listener; each connection is handed on to the server."""

    def __init__(self, url: str) -> None:
        there = make_url(url)
        self._there = (there.host or "", there.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = there.set(
            host="127.0.0.1", port=self._listener.getsockname()[1]
        ).render_as_string(hide_password=False)
        self._words: bytes | None = None
        self._arrives = False
        self._open: list[socket.socket] = []
        self.trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, words: str, *, arrives: bool) -> None:
        """Cuts the connection at the next trip that has these words in it: before the server hears
        of it, or, where it `arrives`, as soon as the server has answered.
        """
        self._words, self._arrives = words.encode(), arrives

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[int]]:
        """A list that has the number of trips in it afterwards."""
        before = self.trips
        counted: list[int] = []
        yield counted
        counted.append(self.trips - before)

    def close(self) -> None:
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(self._there)
                self._open += [ours, theirs]
                threading.Thread(target=self._carry, args=(ours, theirs), daemon=True).start()

    def _carry(self, ours: socket.socket, theirs: socket.socket) -> None:
        is_cut = threading.Event()
        answers = threading.Thread(target=_answer, args=(theirs, ours, is_cut), daemon=True)
        answers.start()
        with contextlib.suppress(OSError):
            while said := ours.recv(65_536):
                self.trips += said.count(_SYNC)
                if self._words is not None and self._words in said:
                    self._words = None
                    is_cut.set()
                    if self._arrives:
                        theirs.sendall(said)
                    break
                theirs.sendall(said)
            # The server does what it has been told, and then finds that nobody is there any more.
            theirs.shutdown(socket.SHUT_WR)
        answers.join()
        ours.close()


def _answer(theirs: socket.socket, ours: socket.socket, is_cut: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while said := theirs.recv(65_536):
            if not is_cut.is_set():
                ours.sendall(said)
        ours.shutdown(socket.SHUT_RDWR)
