"""A thread that keeps the lease of the job at hand, and passes on how far it is.

The task itself never touches the job's row: it says a step, and goes on. Between
two beats only the latest step is kept, so that progress costs the task nothing.

A task that outlasts its time is taken for hung: the process ends itself, its
children with it, and the next worker begins again.

Source: docs/adr/0250-leases-without-clocks.md; security point 15.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.errors import GatewayError, Unavailable

TOLD_SECONDS: Final = 0.5
BEATS_IN_A_LEASE: Final = 12
EXIT_HUNG: Final = 70


@dataclass(slots=True)
class Heartbeat:
    """Keeps one job's lease within a `with` block; called, it is the task's Progress."""

    database: Database = field(repr=False)
    job: str
    worker: str
    lease: dt.timedelta
    limit: float
    end_process: Callable[[int], None] = os._exit
    _step: tuple[str, int, int] | None = None
    _lost: bool = False
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Heartbeat:
        """Begin to beat."""
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Beat no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say a step.

        Raises:
            Unavailable: the lease has gone to another worker, which begins again.
        """
        self.still_ours()
        self._step = (step, done, total)

    def still_ours(self) -> None:
        """Stop here if the job belongs to somebody else by now.

        Raises:
            Unavailable: it does.
        """
        if self._lost:
            raise Unavailable(
                "job/lease-lost",
                "Another worker has taken this job over.",
                remedy="Nothing is to be done: it goes on there.",
            )

    def _beat(self) -> None:
        began = told = time.monotonic()
        silence = self.lease.total_seconds() / BEATS_IN_A_LEASE
        while not self._over.wait(TOLD_SECONDS):
            now = time.monotonic()
            if now - began > self.limit:
                self.end_process(EXIT_HUNG)
            step, self._step = self._step, None
            if step is None and now - told < silence:
                continue
            # A database that is away now is asked again at the next beat.
            with suppress(GatewayError):
                self._lost = not self._told(step)
                told = now

    def _told(self, step: tuple[str, int, int] | None) -> bool:
        with self.database.begin() as connection:
            if step is None:
                return jobs.told(connection, self.job, self.worker)
            name, done, total = step
            return jobs.told(connection, self.job, self.worker, step=name, done=done, total=total)
