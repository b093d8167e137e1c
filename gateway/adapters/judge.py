"""Great Expectations judges the merged verdict, warm, in a process of its own.

The compiled pass counts; the library then says, with real expectations over those
counts, which rules hold and what follows. No value of a person is in what it
sees. If it would decide otherwise than the compiled pass, or cannot answer, the
extract waits for a person.

This is the only module that imports Great Expectations, late, and only in the
judging process, where analytics are off and there is no network.

Source: security point 12; docs/reference/contracts.md, "Judgement".
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway import intake
from gateway.adapters.judge_terms import decided, terms_of
from gateway.intake import Verdict
from gateway.model import Contract

_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from gateway.adapters.judge import serve; serve()"
)
_ROOT: Final = str(Path(__file__).parents[2])
_MEMORY: Final = 1 << 30
ANSWER_SECONDS: Final = 120.0


class Judge:
    """One warm judging process for any number of verdicts."""

    def __init__(self, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Start it; its first answer waits until the library is loaded."""
        self._seconds = answer_seconds
        # The library wants a folder for its own settings; it goes with the process.
        self._folder = tempfile.TemporaryDirectory(prefix="judge-")
        folder = self._folder.name
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _START, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"GX_ANALYTICS_ENABLED": "false", "HOME": folder, "TMPDIR": folder},
            cwd="/",
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._folder.cleanup()

    def wait(self) -> None:
        """Wait until the library is loaded."""
        self._ask([])

    def judge(
        self, contract: Contract, verdict: Verdict, previous: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Judge one verdict.

        Args:
            contract: what the extract had to follow.
            verdict: what the compiled pass found.
            previous: the profile of the last accepted extract, if there is one.

        Returns:
            The evidence, without a value: `success` (the library agrees with the
            verdict's state), `state` as the library would decide, `expectations`
            (rule, success, observed share, tolerated), `watch` (what changed
            against the last extract: null rates, category shares, volume),
            `library`, and `suite` (its SHA-256).
        """
        terms = terms_of(contract, verdict, previous)
        answers = self._ask([term.expectation() for term in terms])
        suite = json.dumps(intake.suite(contract), sort_keys=True, separators=(",", ":"))
        evidence: dict[str, Any] = {"suite": hashlib.sha256(suite.encode()).hexdigest()}
        if answers is None or len(answers["successes"]) != len(terms):
            return evidence | {"success": False, "state": "", "fault": "judge-unavailable"}
        results = [
            term.result(success=success)
            for term, success in zip(terms, answers["successes"], strict=True)
        ]
        state = decided(results)
        return evidence | {
            "success": state == verdict.state,
            "state": state,
            "expectations": [each for each in results if not each["kind"].startswith("watch")],
            "watch": [each for each in results if each["kind"].startswith("watch")],
            "library": answers["library"],
        }

    def _ask(self, expectations: list[dict[str, Any]]) -> dict[str, Any] | None:
        sent, got = self._process.stdin, self._process.stdout
        clock = threading.Timer(self._seconds, self._process.kill)
        clock.daemon = True
        clock.start()
        try:
            if sent is None or got is None:  # pragma: no cover - both pipes were asked for
                return None
            sent.write(json.dumps(expectations) + "\n")
            sent.flush()
            answer: dict[str, Any] = json.loads(got.readline())
        except (OSError, ValueError):
            # A judge that is gone or cannot answer agrees with nothing.
            return None
        finally:
            clock.cancel()
        return answer


def serve() -> None:
    """Be the judging process: one line of expectations in, one line of answers out."""
    from gateway.adapters.checker_main import confine

    answers = os.dup(1)
    os.dup2(2, 1)
    confine(memory=_MEMORY, cpu_seconds=3_600, largest_file=_MEMORY >> 10)
    from gateway.adapters.judge_library import Library

    library = Library()
    for line in sys.stdin:
        answer = json.dumps(library.validate(json.loads(line)))
        os.write(answers, (answer + "\n").encode())
