"""Processes that are started before anything is loaded, or kept warm for several files.

Source: docs/reference/contracts.md, "The checker" and "Judgement".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from gateway.adapters.children import Ahead, JudgeChild

_warm: list[JudgeChild] = []


@contextlib.contextmanager
def warm_judge(*, ready: bool = False) -> Iterator[None]:
    """Keep one judging process for all extracts that are taken in within the block.

    Args:
        ready: wait until the process has loaded its library.
    """
    child = JudgeChild()
    try:
        if ready:
            child.wait()
        _warm.append(child)
        yield
    finally:
        _warm[:] = [each for each in _warm if each is not child]
        child.end()


def warm() -> JudgeChild | None:
    """The judging process that is kept warm, if there is one."""
    return _warm[-1] if _warm else None


def started_ahead() -> Ahead:
    """Start what receiving waits for, before anything else is loaded."""
    return Ahead(judge=not _warm)
