"""Reading one frame ahead, working on two at a time, or doing two things side by side.

A stage is a stream, and a stream works in one thread. Where two stages cost about
as much as each other, the first works a frame ahead, in a thread of its own, and
the second core is not idle. Never more than one frame is made in advance. Where one
step costs more than all others, and asks of a frame nothing but the frame, two frames
are shared out over two threads.

Source: docs/adr/0217-release-on-two-cores.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

AT_ONCE = 2

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


def shared_out(frames: Iterable[pl.DataFrame], work: Callable[[pl.DataFrame], T]) -> Iterator[T]:
    """What `work` makes of each frame, in their order; two are worked on at a time.

    Args:
        frames: read by whoever reads this, one at a time.
        work: may run in two threads at once. What fails in it comes out at its frame's turn.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[Future[T]] = deque()
        for frame in frames:
            waiting.append(pool.submit(work, frame))
            if len(waiting) == AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
