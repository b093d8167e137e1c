"""An order to stop, which stays an order whatever code it meets.

Python tells a signal by raising an exception where the main thread happens to be. That
may be inside a function which native code called back: a compression, a sealing, a
database. Native code hands on a fault of its own kind then, or none at all where an
object was just being cleared away. Whoever caught that would report an unexpected
fault, or a damaged package, of a run that was only told to stop.

Source: docs/adr/0313-a-stop-is-told-as-a-stop.md.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import NoReturn, Protocol

AGAIN_SECONDS = 0.01


class _Unraisable(Protocol):
    exc_type: type[BaseException]
    exc_value: BaseException | None
    exc_traceback: TracebackType | None
    err_msg: str | None
    object: object


@dataclass(slots=True)
class Interruption:
    """A signal handler that raises `kind`, and remembers that it did."""

    kind: type[KeyboardInterrupt]
    came: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> NoReturn:
        """Hear the signal, and raise."""
        self.came = True
        raise self.kind

    @contextlib.contextmanager
    def unmasked(self) -> Iterator[None]:
        """Within it, what native code made of the interruption is the interruption again.

        Raises:
            KeyboardInterrupt: `kind`, in place of any fault once the signal came.
        """
        try:
            with self._told_again():
                yield
        except Exception:
            if self.came:
                raise self.kind from None
            raise

    @contextlib.contextmanager
    def _told_again(self) -> Iterator[None]:
        """Raise it again after Python dropped it, as in an object's own clearing away."""
        before = sys.unraisablehook

        def dropped(fault: _Unraisable, /) -> None:
            if not issubclass(fault.exc_type, self.kind):
                before(fault)
            elif signal.getsignal(signal.SIGALRM) is self:
                signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)

        sys.unraisablehook = dropped
        try:
            yield
        finally:
            sys.unraisablehook = before
