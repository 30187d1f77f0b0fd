"""gunicorn's worker with threads, which gives a thread only to a request that is all there.

gunicorn's own has a thread read the request; so as many clients as there are threads, each of which
sends half a request and waits, keep everybody else out. Here the main loop, which waits for all
connections at once, collects what comes, and closes what does not come in time. It never waits for
a single client either: not for one that is to close its side of an answered connection.
"""

import selectors
import socket
import struct
import time
from collections import deque
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from commands.arrival import Arrival

#: Seconds from a request's first byte, or from a connection's beginning, to the request's last.
#: Twilio's webhooks take milliseconds, and a person's slow line some seconds.
REQUEST_SECONDS: Final = 10.0
#: Seconds for which a thread waits for a client that takes its answer slowly, or not at all.
STALLED_SECONDS: Final = 10
#: Seconds until a connection that was answered for the last time is closed in any case.
LEAVING_SECONDS: Final = 2.0
_CHUNK_BYTES: Final = 65_536
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_ENDLESS: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)
_STALLED: Final = struct.pack("ll", STALLED_SECONDS, 0)


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """One client's, and what has come of its next request."""

    def __init__(self, worker: "WebWorker", *of_gunicorn: Any) -> None:
        super().__init__(*of_gunicorn)
        self.arrival = Arrival()
        self.has_gone = False
        self._worker = worker

    def close(self, graceful: bool = False) -> None:
        """Closes it; `graceful`: lets the client read the answer to its end."""
        if graceful:
            self._worker.let_go(self.sock)
        else:
            super().close()


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process, many threads, and no thread for those who keep us waiting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Answered for the last time: (socket, when it is closed), the oldest first.
        self._leaving: deque[tuple[socket.socket, float]] = deque()

    def accept(self, listener: socket.socket) -> None:
        """A client connects; its request is waited for without a thread."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, option, _STALLED)
        self.nr_conns += 1
        self._make_room()
        self.enqueue_req(Connection(self, self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """A request begins, or has come as a whole: it is answered as soon as it is there."""
        conn.arrival = Arrival()
        if conn.parser is not None and (early := conn.parser.unreader.take_buffered()):
            conn.sock.setblocking(False)
            conn.arrival.add(early)
        if self._has_enough(conn):
            self._go_on(conn)
            return
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))

    def _on_more(self, conn: Connection, client: socket.socket) -> None:
        if self._has_enough(conn):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self._go_on(conn)

    def _has_enough(self, conn: Connection) -> bool:
        """Takes in what has come. False as long as more is to be waited for."""
        arrival = conn.arrival
        if arrival.is_complete:
            return True
        try:
            chunk = conn.sock.recv(_CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            chunk = b""
        conn.has_gone = not chunk
        if arrival.add(chunk):
            return True
        if arrival.waits_for_word:
            arrival.waits_for_word = False
            self._say(conn, _CONTINUE)
        return bool(conn.has_gone)

    def _go_on(self, conn: Connection) -> None:
        if conn.arrival.is_complete and not conn.has_gone:
            self._hand_over(conn)
            return
        self.nr_conns -= 1
        if conn.arrival.is_endless:
            self._say(conn, _ENDLESS)
        conn.close(graceful=not conn.has_gone)

    def _hand_over(self, conn: Connection) -> None:
        conn.init()
        conn.parser.unreader.unread(bytes(conn.arrival))
        conn.data_ready = True
        super().enqueue_req(conn)

    @staticmethod
    def _say(conn: Connection, text: bytes) -> None:
        try:
            conn.sock.send(text)
        except OSError:
            return  # it will be seen when it is read from

    def _make_room(self) -> None:
        """Who has kept us waiting the longest goes first when there are too many."""
        if self.nr_conns >= self.worker_connections and self.pending_conns:
            oldest = self.pending_conns.popleft()
            self.poller.unregister(oldest.sock)
            self.nr_conns -= 1
            oldest.close()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """What was not waited for is not read to its end either."""
        if conn.arrival.is_too_long:
            return False
        return bool(super()._keepalive_after(conn, keepalive))

    # Those who leave.

    def let_go(self, client: socket.socket) -> None:
        """Ends our side; closes the connection when the client has ended its own, or soon.

        To close it at once could cost the client the end of the answer (RFC 9112, 9.6).
        """
        try:
            client.setblocking(False)
            client.shutdown(socket.SHUT_WR)
            self.poller.register(client, selectors.EVENT_READ, self._on_leaving)
        except (OSError, ValueError, KeyError):
            client.close()
            return
        self._leaving.append((client, time.monotonic() + LEAVING_SECONDS))

    def _on_leaving(self, client: socket.socket) -> None:
        try:
            if client.recv(_CHUNK_BYTES):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self.poller.unregister(client)
        client.close()

    def murder_pending(self) -> None:
        """Closes those who did not send their request in time, and those who do not leave."""
        super().murder_pending()
        now = time.monotonic()
        while self._leaving and (self._leaving[0][1] < now or self._leaving[0][0].fileno() < 0):
            client, _ = self._leaving.popleft()
            if client.fileno() >= 0:
                self.poller.unregister(client)
                client.close()
