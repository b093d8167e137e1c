"""Progress of long work, on standard error, for people only.

Source: docs/reference/commands.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


class TerminalProgress:
    """Says each step as it begins, with the seconds since the start."""

    def __init__(self, shown: bool) -> None:
        """Say nothing unless `shown`."""
        self._shown = shown
        self._start = time.monotonic()

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """A step has begun, or has come this far."""
        if not self._shown:
            return
        part = f" {done:,}" + (f" of {total:,}" if total else "") if done else ""
        click.echo(f"  {time.monotonic() - self._start:6.1f} s  {step}{part}", err=True)


@contextmanager
def progress_on(shown: bool) -> Iterator[TerminalProgress]:
    """Progress for one command."""
    yield TerminalProgress(shown)
