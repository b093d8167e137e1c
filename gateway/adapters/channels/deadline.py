"""An end for a whole exchange, however slowly the other side answers.

The library waits for each byte anew, so an answer that drips would hold a worker. At the
end the connection is shut under whoever reads from it, which is then told that it broke.

Source: security point 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

CONNECTED = "connection.connect_tcp.complete"


@contextlib.contextmanager
def ended_after(web: httpx.Client, seconds: float) -> Iterator[None]:
    """Let no request of this client go on for longer than the block's seconds.

    Args:
        web: its connections are watched from here on.
        seconds: for everything in the block.
    """
    watched: list[socket.socket] = []
    over = threading.Event()

    def end() -> None:
        over.set()
        for each in watched:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def trace(name: str, told: Mapping[str, Any]) -> None:
        if name == CONNECTED:
            # A copy stays ours when the connection goes over to TLS.
            watched.append(told["return_value"].get_extra_info("socket").dup())
            if over.is_set():
                end()

    web.event_hooks = {"request": [lambda request: request.extensions.update(trace=trace)]}
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for each in watched:
            each.close()
