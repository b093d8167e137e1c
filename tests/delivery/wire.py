"""A wire between two gateways that a test can cut at a chosen moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.delivery.pair import HOST

PUSH = b"POST /api/v1/inbox/packages"


class Wire:
    """Passes bytes on; the answer to a push is kept back, and `cut` is called instead."""

    def __init__(self, port: int, to: int, cut: Callable[[], None]) -> None:
        self._to, self._cut, self.cuts = to, cut, 0
        self._server = socket.create_server((HOST, port))

    def serve(self) -> None:
        """Until it is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _pass(self, near: socket.socket) -> None:
        pushed = threading.Event()
        with near, socket.create_connection((HOST, self._to)) as far:
            threading.Thread(target=self._there, args=(near, far, pushed), daemon=True).start()
            with contextlib.suppress(OSError):
                while block := far.recv(1 << 16):
                    if pushed.is_set():
                        self.cuts += 1
                        self._cut()
                        return
                    near.sendall(block)

    def _there(self, near: socket.socket, far: socket.socket, pushed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while block := near.recv(1 << 16):
                if PUSH in block:
                    pushed.set()
                far.sendall(block)


@contextlib.contextmanager
def wired(port: int, *, to: int, cut: Callable[[], None]) -> Iterator[Wire]:
    """A wire at `port` that leads to `to` while the block runs."""
    wire = Wire(port, to, cut)
    thread = threading.Thread(target=wire.serve, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        wire.close()
        thread.join(10)
