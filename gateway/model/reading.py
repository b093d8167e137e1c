"""Reading one frame ahead, and doing two things side by side: no core is idle.

A stage is a stream, and a stream works in one thread. Where two stages cost about
as much as each other, the first works a frame ahead, in a thread of its own, and
the second core is not idle. Never more than one frame is made in advance.

Source: docs/adr/0217-release-on-two-cores.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

T = TypeVar("T")


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


def side_by_side(one: Callable[[], T], other: Callable[[], T]) -> tuple[T, T]:
    """Both answers: the first is worked out in a thread of its own; what fails there fails here."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(one)
        second = other()
        return first.result(), second
