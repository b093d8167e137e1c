"""A mail server's replies, read within a time and a length for the whole conversation.

The library waits for each byte anew and keeps every line of a reply, so a server whose
reply drips or never ends would hold whoever speaks to it for ever.

Source: RFC 5321, 4.2.1 and 4.5.3.2; docs/how-to/tell-people.md.
"""

from __future__ import annotations

import io
import smtplib
import ssl
import time
from typing import Any, Final

MOST: Final = 1 << 18


def in_time(
    host: str, port: int, *, named: str, within: float, tls: ssl.SSLContext | None
) -> smtplib.SMTP:
    """Open a connection that has an end.

    Args:
        host: the server.
        port: its port.
        named: what we call ourselves.
        within: seconds for the connection and everything that is said on it.
        tls: the terms of TLS from the first byte, or none.
    """
    if tls is None:
        return _InTime(host, port, named, timeout=within)
    return _InTimeUnderTls(host, port, named, timeout=within, context=tls)


class _Replies(io.RawIOBase):
    """What comes on a connection, until its time is over or it was too much."""

    def __init__(self, sock: Any, *, end: float) -> None:
        super().__init__()
        self._sock, self._end, self._left = sock, end, MOST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._end - time.monotonic()
        if left <= 0 or self._left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        read: int = self._sock.recv_into(buffer)
        self._left -= read
        return read


class _InTime(smtplib.SMTP):
    def __init__(self, host: str, port: int, named: str, *, timeout: float, **more: Any) -> None:
        self._end = time.monotonic() + timeout
        super().__init__(host, port, named, timeout=timeout, **more)

    def getreply(self) -> tuple[int, bytes]:
        # A new connection, and one that went over to TLS, is read from its beginning.
        if self.file is None:
            self.file = io.BufferedReader(_Replies(self.sock, end=self._end))
        return super().getreply()


class _InTimeUnderTls(_InTime, smtplib.SMTP_SSL):
    pass
