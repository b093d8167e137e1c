"""The supervisor: starts web and workers, starts them again after growing pauses, stops them.

What cannot start at all stops the whole service with its code (fail closed); what dies
later is started again, at once the first time and ever more slowly while it keeps dying.

Source: docs/explanation/service.md, "Processes"; security point 22.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.service.starting import READY_FD

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
STEADY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 40.0
TICK: Final = 0.1

Say = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One process to be kept alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    inherits: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A planned process in its present run."""

    plan: Plan
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    once_ready: bool = False
    began: float = 0.0
    pause: float = 0.0
    again_at: float = 0.0
    _hears: int = -1

    def start(self) -> None:
        """Start it, with a pipe on which it says that it is up."""
        self._hears, tells = os.pipe()
        try:
            self.process = subprocess.Popen(
                list(self.plan.command),
                env={**self.plan.environment, READY_FD: str(tells)},
                stdin=subprocess.DEVNULL,
                pass_fds=(*self.plan.inherits, tells),
            )
        finally:
            os.close(tells)
        self.began, self.ready = time.monotonic(), False

    def look(self) -> int | None:
        """Notice whether it is up; its exit code once it has ended."""
        if self.process is None:
            return None
        if not self.ready and select.select([self._hears], [], [], 0)[0]:
            self.ready = os.read(self._hears, 1) == b"r"
            self.once_ready = self.once_ready or self.ready
        code = self.process.poll()
        if code is not None:
            os.close(self._hears)
            self.process = None
        return code

    def rest(self) -> None:
        """Wait longer each time, unless it had lived for a while."""
        lived = time.monotonic() - self.began
        self.pause = 0.0 if lived > STEADY_SECONDS else self.pause
        self.again_at = time.monotonic() + self.pause
        self.pause = min(max(self.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)


def supervise(plans: Sequence[Plan], *, say: Say, up: Callable[[Mapping[str, int]], None]) -> int:
    """Keep processes alive until told to stop; the exit code.

    Args:
        plans: what is to run.
        say: told of every end and start, by its name and with facts.
        up: told once, when all are up, who has which process id.
    """
    children = [Child(plan) for plan in plans]
    with _told_to_stop() as stop:
        try:
            for child in children:
                child.start()
            return _watched(children, stop, say=say, up=up)
        finally:
            _stopped(children, say)


def _watched(
    children: Sequence[Child],
    stop: Sequence[int],
    *,
    say: Say,
    up: Callable[[Mapping[str, int]], None],
) -> int:
    told = False
    while not stop:
        for child in children:
            code = child.look()
            if code is not None:
                say("process-ended", name=child.plan.name, exit=code)
                if code > 0 and not child.once_ready:
                    return code
                child.rest()
            elif child.process is None and time.monotonic() >= child.again_at:
                child.start()
                say("process-started-again", name=child.plan.name)
        if not told and all(child.ready for child in children):
            told = True
            up({c.plan.name: c.process.pid for c in children if c.process is not None})
        time.sleep(TICK)
    return 0


def _stopped(children: Sequence[Child], say: Say) -> None:
    """Ask all to end, wait for their grace, then end them."""
    for child in children:
        if child.process is not None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say("process-killed", name=child.plan.name)
            child.process.kill()
            child.process.wait()


@contextlib.contextmanager
def _told_to_stop() -> Iterator[Sequence[int]]:
    heard: list[int] = []
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda n, _: heard.append(n)) for number in wanted}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
