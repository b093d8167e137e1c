"""The process beside the web: reads one question, answers it, and ends.

It holds no key, sees no environment, has no network and writes no file. What goes
wrong in it is answered by our own sentence or not at all: a trace goes nowhere, because
it may quote what was typed.

Source: docs/adr/0304; security point 11.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.adapters.confinement import confine
from gateway.errors import GatewayError, InputRejected, RefusedError, UsageError

MEMORY: Final = 1 << 30
CPU_SECONDS: Final = 60


def main() -> None:
    """Confine the process, answer the question of standard input on standard output."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS, largest_file=0)
    os.environ["POLARS_MAX_THREADS"] = "1"
    question = json.loads(sys.stdin.buffer.read())
    try:
        told = {"answer": TASKS[question["task"]](question["given"])}
    except (InputRejected, RefusedError, UsageError) as no:
        told = {"fault": _fault(no)}
    sys.stdout.buffer.write(json.dumps(told).encode())
    sys.stdout.buffer.flush()
    # Leave at once: no thread of a library is waited for.
    os._exit(0)


def _typed(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed for an emergency disclosure, checked."""
    from gateway.workflows.disclosing import asked_from

    found: dict[str, Any] = json.loads(asked_from(given["told"], given["identity"]).written())
    return found


def _rules(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser checks files by, for each contract of the documents."""
    from gateway import policy
    from gateway.adapters.browser_rules import browser_rules

    bundle, _ = policy.load(given["documents"])
    return {name: browser_rules(bundle, contract) for name, contract in bundle.contracts.items()}


TASKS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "typed": _typed,
    "rules": _rules,
}


def _fault(no: GatewayError) -> dict[str, Any]:
    told = {"kind": type(no).__name__, "code": no.code, "sentence": no.sentence}
    return {**told, "remedy": no.remedy, "facts": dict(no.facts)}
