"""gunicorn's worker with threads, whom nobody can keep busy by never finishing a head.

A thread reads the handshake and the head of a request, and waits for each of
their bytes as long as the caller likes. Whoever opens as many connections as there
are threads and sends a byte now and then would keep everybody else out. So the
head of each request has a time in which it has to be there as a whole.

Source: gunicorn documentation, "Settings", `worker_class`; OWASP, "Slow HTTP attacks".
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

HEAD_SECONDS = 30


class HeadsInTime(ThreadWorker):  # type: ignore[misc]
    """A worker that hangs up on a caller whose head is not there in time."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """Begin with no head awaited."""
        super().__init__(*args, **more)
        self._awaited: dict[int, tuple[float, socket.socket]] = {}

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

    def run(self) -> None:
        """Serve until told to stop; a request that never ends does not keep the process alive."""
        super().run()
        if self.nr_conns > 0:
            sys.stderr.flush()
            os._exit(0)

    def notify(self) -> None:
        """What the main thread does each second: here also to hang up on the slow."""
        super().notify()
        now = time.monotonic()
        for until, line in tuple(self._awaited.values()):
            if now > until:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
