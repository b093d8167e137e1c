"""Reading one frame ahead: the next is made while this one is worked on.

A stage is a stream, and a stream works in one thread. Where two stages cost about
as much as each other, the first works a frame ahead, in a thread of its own, and
the second core is not idle. Never more than one frame is made in advance.

Source: docs/adr/0217-release-on-two-cores.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl


def read_ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames in the same order; what fails in the making fails here.

    Args:
        frames: read by one other thread, one `next` at a time, and by nobody else.
    """
    with ThreadPoolExecutor(1) as pool:
        try:
            coming = pool.submit(next, frames, None)
            while (frame := coming.result()) is not None:
                coming = pool.submit(next, frames, None)
                yield frame
        finally:
            if (close := getattr(frames, "close", None)) is not None:
                pool.submit(close).result()
