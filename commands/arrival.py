"""What has come of one HTTP request: is all of it there, so that a thread can answer it at once?

It reads no more of HTTP/1.1 than where a message ends (RFC 9112, 2.1 and 6). What is malformed
counts as complete: whoever answers it says what is wrong with it.
"""

import re
from typing import Final

#: Bytes of a request line with its headers; gunicorn's own limits, which say more, are below it.
MAX_HEAD_BYTES: Final = 65_536
#: Bytes of a body that is waited for; no door takes more.
MAX_BODY_BYTES: Final = 1_048_576

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
_CODING: Final = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
#: Bytes of the line before a chunk, and of the trailer after the last one.
_MAX_LINE_BYTES: Final = 8192


class Arrival:
    """The bytes of one request, and of what the client may have sent after it."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._looked_at = 0
        self._body_at: int | None = None
        #: Where the body ends, or its next chunk begins.
        self._end = 0
        self._is_chunked = False
        self.is_complete = False
        #: Its headers go on for ever: nobody wants to read them.
        self.is_endless = False
        #: Its body is longer than any door takes; whoever answers is not to wait for it.
        self.is_too_long = False
        #: The client sends the body when it is told to (RFC 9110, 10.1.1).
        self.waits_for_word = False

    def __bytes__(self) -> bytes:
        return bytes(self._received)

    def add(self, chunk: bytes) -> bool:
        """More has come; True when nothing more is to be waited for."""
        self._received += chunk
        if self._body_at is None and not self._has_head():
            return self.is_endless
        if self._is_chunked and not self.is_complete:
            self._go_through_chunks()
        elif len(self._received) >= self._end:
            self.is_complete = True
        if self._is_chunked and len(self._received) > MAX_BODY_BYTES + MAX_HEAD_BYTES:
            self._hand_over_as_too_long()
        return self.is_complete

    def _has_head(self) -> bool:
        received = self._received
        if not self._looked_at:
            # Empty lines before a request mean nothing (RFC 9112, 2.2).
            while received.startswith(b"\r\n"):
                del received[:2]
        end = received.find(_END_OF_HEAD, max(0, self._looked_at - len(_END_OF_HEAD)))
        self._looked_at = len(received)
        if end < 0:
            self.is_endless = len(received) > MAX_HEAD_BYTES
            return False
        self._body_at = self._end = end + len(_END_OF_HEAD)
        head = bytes(received[: self._body_at])
        self._is_chunked = _CODING.search(head) is not None
        if not self._is_chunked:
            length = max((int(told) for told in _LENGTH.findall(head)), default=0)
            self._end += length
            if length > MAX_BODY_BYTES:
                self._hand_over_as_too_long()
        self.waits_for_word = _EXPECTS.search(head) is not None
        return True

    def _go_through_chunks(self) -> None:
        received = self._received
        while self._end < len(received):
            size = _SIZE.match(received, self._end)
            if size is None:
                # Part of a line, or no chunk at all.
                line = received[self._end : self._end + _MAX_LINE_BYTES]
                self.is_complete = b"\n" in line or len(line) == _MAX_LINE_BYTES
                return
            length = int(size[1], 16)
            if not length:
                # The last chunk; a trailer may follow, and ends with an empty line.
                rest = received[size.end() - 2 :]
                self.is_complete = _END_OF_HEAD in rest or len(rest) > _MAX_LINE_BYTES
                return
            self._end = size.end() + length + 2
            if self._end > MAX_BODY_BYTES + MAX_HEAD_BYTES:
                self._hand_over_as_too_long()
                return

    def _hand_over_as_too_long(self) -> None:
        self.is_complete = self.is_too_long = True
