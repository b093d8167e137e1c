"""gunicorn's worker with threads, whom nobody can keep busy by never finishing a head.

A thread reads the handshake and the head of a request, and waits for each of
their bytes as long as the caller likes. Whoever opens as many connections as there
are threads and sends a byte now and then would keep everybody else out. So the
head of each request has a time in which it has to be there as a whole.

What an answer took for a moment goes back to the system: the allocator would keep it,
in pieces between what lasts, and each process would stay as large as its largest answers.

Who is refused before the body was read still sends it, and would find the connection
broken before the answer. So such an answer says that the connection ends, and the rest
of the body is taken and thrown away: so much of it, for so long, and no more.

What cannot be read as a request reaches no route. Its answer has the form of all
others, and repeats nothing of what was sent.

Source: gunicorn documentation, "Settings", `worker_class`; OWASP, "Slow HTTP attacks";
malloc_trim(3); RFC 9112 section 9.6.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import sys
import threading
import time
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

HEAD_SECONDS = 30
TIDIED_SECONDS = 1.0
# What gunicorn itself takes off a connection that it keeps; more ends the connection.
REST_KEPT = 32 << 10
REST_BYTES, REST_SECONDS, REST_SILENCE = 64 << 20, 15.0, 3.0
UNREAD = (
    (errors.LimitRequestLine, 414, "address-too-long", "The address is too long."),
    (errors.LimitRequestHeaders, 431, "headers-too-long", "The headers are too long."),
    (errors.UnsupportedTransferCoding, 501, "transfer-coding", "The body is coded in another way."),
    (errors.ExpectationFailed, 417, "expectation", "What is expected cannot be met."),
    (errors.ParseException, 400, "bad-request", "The request is not well formed."),
)


class HeadsInTime(ThreadWorker):  # type: ignore[misc]
    """A worker that hangs up on a caller whose head is not there in time."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """Begin with no head awaited."""
        super().__init__(*args, **more)
        self._awaited: dict[int, tuple[float, socket.socket]] = {}
        self._tidied = (0, 0.0)

    def handle(self, conn: Any) -> Any:
        """Read and answer one request, in a thread of its own."""
        # A second handle of the connection: its number cannot become another caller's.
        line = socket.socket(fileno=os.dup(conn.sock.fileno()))
        self._awaited[threading.get_ident()] = (time.monotonic() + HEAD_SECONDS, line)
        try:
            return super().handle(conn)
        finally:
            self.head_is_there()

    def head_is_there(self) -> None:
        """The head that this thread was waiting for is read, or will not come."""
        _, line = self._awaited.pop(threading.get_ident(), (0.0, None))
        if line is not None:
            line.close()

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request; of an unread body, say that the connection ends, and take it."""
        ends = req.should_close
        # Asked when the head of the answer is written: only then it is known what was read.
        req.should_close = lambda: ends() or is_unread(req.body)
        try:
            again = super().handle_request(req, conn)
        finally:
            del req.should_close
        if is_unread(req.body):
            take_rest(conn.sock)
            return False
        return again

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no request, in the form of all our answers, without its words."""
        answer = unread(exc)
        if answer is None:
            super().handle_error(req, client, addr, exc)
            return
        with contextlib.suppress(OSError):
            client.sendall(answer)

    def run(self) -> None:
        """Serve until told to stop; a request that never ends does not keep the process alive."""
        super().run()
        if self.nr_conns > 0:
            sys.stderr.flush()
            os._exit(0)

    def notify(self) -> None:
        """What the main thread does each second: here also to hang up on the slow, and tidy."""
        super().notify()
        now = time.monotonic()
        answered, at = self._tidied
        if self.nr > answered and now - at >= TIDIED_SECONDS:
            self._tidied = (self.nr, now)
            give_back()
        for until, line in tuple(self._awaited.values()):
            if now > until:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)


def is_unread(body: Any) -> bool:
    """Whether more of a body is to come than is worth keeping a connection for."""
    reader = body.reader
    # A chunked body has no length: it has a parser until its end is read.
    return getattr(reader, "length", 0) > REST_KEPT or getattr(reader, "parser", None) is not None


def take_rest(line: socket.socket) -> None:
    """Throw away what still comes, until the caller has hung up or had its share."""
    until, taken = time.monotonic() + REST_SECONDS, 0
    piece = bytearray(64 << 10)
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_WR)
        while taken < REST_BYTES and (left := until - time.monotonic()) > 0:
            line.settimeout(min(left, REST_SILENCE))
            came = line.recv_into(piece)
            if not came:
                return
            taken += came


def give_back() -> None:
    """Let what is free in the middle of the heap go back, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def unread(fault: BaseException) -> bytes | None:
    """The answer to what could not be read as a request; None for any other fault."""
    if isinstance(fault, (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)):
        return None
    found = (each for each in UNREAD if isinstance(fault, each[0]))
    _, status, code, sentence = next(found, (None, 0, "", ""))
    return _problem(status, f"http/{code}", sentence) if status else None


def _problem(status: int, code: str, sentence: str) -> bytes:
    """A whole answer, after which the connection ends."""
    document = {
        "type": f"urn:gateway:error:{code}",
        "title": sentence,
        "status": status,
        "code": code,
        "remedy": "Compare it with /api/openapi.json.",
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        "Cache-Control: no-store",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body
