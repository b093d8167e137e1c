"""Great Expectations judges the merged verdict, warm, in a process of its own.

The compiled pass counts; the library then says, with real expectations over those
counts, which rules hold and what follows. No value of a person is in what it
sees. If it would decide otherwise than the compiled pass, or cannot answer, the
extract waits for a person.

Only `judge_library` imports Great Expectations, and only in the judging process,
where analytics are off and there is no network.

Source: security point 12; docs/reference/contracts.md, "Judgement".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from gateway import intake
from gateway.adapters.children import JudgeChild
from gateway.adapters.judge_terms import decided, terms_of
from gateway.intake import Verdict
from gateway.model import Contract

ANSWER_SECONDS: Final = 120.0


class Judge:
    """One warm judging process for any number of verdicts."""

    def __init__(
        self,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        started: JudgeChild | None = None,
        fresh: bool = False,
    ) -> None:
        """Start it; its first answer waits until the library is loaded.

        Args:
            answer_seconds: how long to wait for an answer.
            started: a judging process that runs already.
            fresh: ask a fresh process once more if the first is gone; only its owner may.
        """
        self._seconds = answer_seconds
        self._fresh = fresh
        self._child = started or JudgeChild()

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
        self._child.end()

    def wait(self) -> None:
        """Wait until the library is loaded."""
        self._child.wait()

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
        answer = self._asked(expectations)
        if answer is not None or not self._fresh:
            return answer
        self._child.end()
        try:
            self._child = JudgeChild()
        except OSError:
            return None
        return self._asked(expectations)

    def _asked(self, expectations: list[dict[str, Any]]) -> dict[str, Any] | None:
        try:
            with self._child.killed_after(self._seconds):
                self._child.input.write(json.dumps(expectations).encode() + b"\n")
                self._child.input.flush()
                answer: dict[str, Any] = json.loads(self._child.output.readline())
        except (OSError, ValueError):
            # A judge that is gone or cannot answer agrees with nothing.
            return None
        return answer
