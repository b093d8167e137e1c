"""What the web needs a library of tables for, done in a process of its own that ends with it.

The library would stay in a process of the web for good, and be half of its memory.
One such process lives at a time for each process of the web, so that nobody's asking
can fill the machine; what is asked and answered goes through pipes alone.

Source: docs/adr/0304; security points 9 and 11.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from gateway.adapters.children import Child
from gateway.errors import GatewayError, InputRejected, RefusedError, Unavailable, UsageError

PATIENCE: Final = 60.0
LARGEST: Final = 32 << 20
_FAULTS: Final[Mapping[str, type[GatewayError]]] = {
    kind.__name__: kind for kind in (InputRejected, RefusedError, UsageError)
}


class Aside:
    """Asks, one after the other; kept for as long as the process that asks."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        """Start nothing yet.

        Args:
            patience: how long one may wait for its turn, and then for its answer, in seconds.
        """
        self._turn, self._patience = threading.Lock(), patience

    def asked(self, task: str, given: Mapping[str, Any]) -> Any:
        """The answer of a process that lives for this question.

        Args:
            task: which of `gateway.adapters.aside_main.TASKS`.
            given: what it works with, as JSON types.

        Raises:
            GatewayError: what the task itself says no to.
            Unavailable: it did not answer.
        """
        if not self._turn.acquire(timeout=self._patience):
            raise _silent()
        try:
            told = _answer(json.dumps({"task": task, "given": given}).encode(), self._patience)
        finally:
            self._turn.release()
        if "fault" in told:
            raise _fault(told["fault"])
        return told["answer"]


def _answer(question: bytes, patience: float) -> dict[str, Any]:
    child = Child("aside_main", "main")
    try:
        with child.killed_after(patience):
            child.input.write(question)
            child.input.close()
            found = json.loads(child.output.read(LARGEST))
    except (OSError, ValueError):
        raise _silent() from None
    finally:
        child.end()
    if not isinstance(found, dict) or found.keys() not in ({"fault"}, {"answer"}):
        raise _silent()
    return found


def _fault(told: Mapping[str, Any]) -> GatewayError:
    kind = _FAULTS[told["kind"]]
    return kind(told["code"], told["sentence"], remedy=told["remedy"], **told["facts"])


def _silent() -> Unavailable:
    return Unavailable(
        "service/aside",
        "What was asked needs a process of its own, and none answered in time.",
        remedy="Try again in a moment; `gateway doctor` shows whether memory is short.",
    )
