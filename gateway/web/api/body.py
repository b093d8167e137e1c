"""A request's body as it comes from the connection: nothing is kept, nothing goes to a disk.

A body that ends before its length, or that stays silent for a minute, is a connection
that broke. Reads are short while little comes and long while much comes, so that
what is on its way when it breaks is never more than a moment's worth.

Source: PEP 3333, "Input and Error Streams"; RFC 9112 section 6.3; performance, row 7.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from gateway.errors import UsageError

SHORTEST = 16 << 10
LONGEST = 1 << 20
MOMENT = 0.5
SILENCE = 60.0


class Body:
    """The bytes of one request body."""

    def __init__(self, environ: Mapping[str, Any], *, digested: bool = False) -> None:
        """Begin before the first byte.

        Args:
            environ: of the request, as the server made it.
            digested: whether `digest` will be asked for.

        Raises:
            UsageError: `request/compressed`.
        """
        if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
            raise UsageError(
                "request/compressed",
                "The body is compressed, and this address takes it as it is.",
                remedy="Send it without Content-Encoding.",
            )
        self._digest = hashlib.sha256() if digested else None
        said = environ.get("CONTENT_LENGTH") or ""
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        self.length = int(said) if said.isdecimal() and not chunked else (None if chunked else 0)
        self._input = environ["wsgi.input"]
        self._step = SHORTEST
        self.size = 0
        self.ended = self.length == 0
        self._broken = False
        connection = environ.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(SILENCE)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            OSError: the connection broke.
        """
        left = size if self.length is None else min(size, self.length - self.size)
        if left <= 0:
            self.ended = self.size == self.length
            return b""
        began = time.monotonic()
        block = self._next(min(left, self._step))
        quick = time.monotonic() - began < MOMENT
        self._step = min(self._step * 2, LONGEST) if quick else max(self._step // 2, SHORTEST)
        self.size += len(block)
        self.ended = not block
        if self._digest is not None:
            self._digest.update(block)
        return block

    def digest(self) -> bytes:
        """The SHA-256 of what was read, where it was asked for."""
        return b"" if self._digest is None else self._digest.digest()

    def _next(self, size: int) -> bytes:
        if self._broken:
            raise ConnectionResetError
        try:
            block: bytes = self._input.read(size)
        except Exception:
            if self.length is not None:
                raise
            # The server still has the chunks that came before the one that broke.
            self._broken = True
            block = self._input.read(size)
        if not block and (self._broken or self.length is not None):
            raise ConnectionResetError
        return block

    def small(self, limit: int) -> bytes | None:
        """A short body as a whole; nothing if it is longer than `limit` bytes."""
        if self.length is not None and self.length > limit:
            return None
        blocks: list[bytes] = []
        while self.size <= limit and (block := self.read(limit + 1 - self.size)):
            blocks.append(block)
        return None if self.size > limit else b"".join(blocks)
