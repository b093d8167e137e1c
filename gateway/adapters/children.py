"""The two processes that receiving needs, begun before anything else is loaded.

Each needs longer to load its libraries than its parent does. So this module
imports nothing but the standard library, and its caller begins here.

Source: docs/reference/contracts.md, "The checker" and "Judgement"; security points 11, 12.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_RUN: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from gateway.adapters.{0} import {1}; {1}()"
)
_ROOT: Final = str(Path(__file__).parents[2])
# No library of a child may start threads of its own that wait for linear algebra.
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one check may use. A breach kills the child and rejects the extract."""

    memory: int = 1 << 30
    cpu_seconds: int = 1_800
    wall_seconds: float = 3_600.0
    output: int = 1 << 40


class Child:
    """One process with a pipe in and a pipe out; it sees no environment but the one given.

    It dies with its parent, and leaves nothing behind: it has no folder and no name on disk.
    """

    def __init__(
        self,
        module: str,
        function: str,
        *settings: int,
        pass_fds: tuple[int, ...] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            module: where its function is, below `gateway.adapters`.
            function: what it runs.
            settings: its arguments.
            pass_fds: open files that it inherits.
            env: its whole environment, beside how many threads it may start.
        """
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _RUN.format(module, function), _ROOT]
            + [str(setting) for setting in settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A library that panics prints what it was working on: nobody may see it.
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT | (env or {}),
            cwd="/",
            pass_fds=pass_fds,
        )
        # Both pipes were asked for, so both are there.
        self.input: Any = self.process.stdin
        self.output: Any = self.process.stdout

    @contextmanager
    def killed_after(
        self, seconds: float, *, told: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Kill the process if the block takes longer.

        Args:
            seconds: how long it may take.
            told: is called before the kill.
        """

        def stop() -> None:
            told()
            self.process.kill()

        clock = threading.Timer(seconds, stop)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def end(self) -> None:
        """Kill the process if it lives, and free its pipes."""
        self.process.kill()
        for pipe in (self.input, self.output):
            with suppress(OSError):
                pipe.close()
        self.process.wait()


def checker_child(limits: Limits) -> Child:
    """Start a process that checks one file."""
    with tempfile.TemporaryFile() as spill:
        return Child(
            *("checker_main", "main"),
            *(limits.memory, limits.cpu_seconds, limits.output, spill.fileno()),
            pass_fds=(spill.fileno(),),
        )


class JudgeChild(Child):
    """A process that judges; where its library looks for a home there is none."""

    def __init__(self) -> None:
        """Start it."""
        nowhere = {"HOME": os.devnull, "TMPDIR": os.devnull}
        super().__init__(
            *("judge_library", "serve"), env={"GX_ANALYTICS_ENABLED": "false", **nowhere}
        )

    def wait(self) -> None:
        """Wait until its library is loaded; a judge that is gone is found when it is asked."""
        with suppress(OSError):
            self.input.write(b"[]\n")
            self.input.flush()
            self.output.readline()


class Ahead:
    """Both processes, started now; whoever takes one ends it, the rest end here."""

    def __init__(self, *, judge: bool = True) -> None:
        """Start them.

        Args:
            judge: start a judging process; not where one is kept warm already.
        """
        self._checker: Child | None = checker_child(Limits())
        self._judge: JudgeChild | None = JudgeChild() if judge else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in (self.take_checker(), self.take_judge()):
            if child is not None:
                child.end()

    @property
    def alive(self) -> bool:
        """Whether a checking process waits to be taken, and lives."""
        return self._checker is not None and self._checker.process.poll() is None

    def take_checker(self) -> Child | None:
        """The checking process, to its first taker."""
        taken, self._checker = self._checker, None
        return taken

    def take_judge(self) -> JudgeChild | None:
        """The judging process, to its first taker."""
        taken, self._judge = self._judge, None
        return taken
