"""Processes kept warm for the next check: one judge for all, one checker ahead.

Source: docs/explanation/service.md, "Processes"; security points 11 and 12.
"""

from __future__ import annotations

import contextlib

from gateway.adapters.children import Ahead
from gateway.wiring.ahead import warm, warm_judge


class Warm:
    """A judge and a checker whose libraries are loaded before a file comes."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._judge = contextlib.ExitStack()
        self._ahead: Ahead | None = None

    def __enter__(self) -> Warm:
        """Start both; they load while we do."""
        self.prepare()
        return self

    def __exit__(self, *_: object) -> None:
        """End both."""
        self._judge.close()
        self._drop()

    def prepare(self) -> None:
        """See that both are there for the next file, whatever became of the last ones."""
        judge = warm()
        if judge is None or judge.process.poll() is not None:
            self._judge.close()
            self._judge.enter_context(warm_judge())
        if self._ahead is None or not self._ahead.alive:
            self._drop()
            self._ahead = Ahead(judge=False)

    def take(self) -> Ahead:
        """The checker that was started ahead, to be ended by its taker."""
        self.prepare()
        taken, self._ahead = self._ahead, None
        assert taken is not None
        return taken

    def _drop(self) -> None:
        if self._ahead is not None:
            with self._ahead:
                self._ahead = None
