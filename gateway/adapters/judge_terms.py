"""What is put to Great Expectations: numbers about an extract, and what they may be.

Each term is one number with its bounds. The terms of a rule carry the contract's
tolerance; the terms of the decision carry its thresholds; the terms to watch
compare with the last extract and change nothing.

Source: docs/reference/contracts.md, "Judgement".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway import intake
from gateway.intake import Verdict
from gateway.model import Contract

# How far an extract may differ from the last before someone is told to look.
NULL_RATE_MOVES: Final = 0.1
CODE_SHARE_MOVES: Final = 0.15
VOLUME_SHRINKS, VOLUME_GROWS = 0.5, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One number and its inclusive bounds.

    `kind` is `rule`, `tolerated-rule`, `structure`, `rows`, `reject`, `quarantine`
    or begins with `watch`.
    """

    kind: str
    name: str
    observed: float
    low: float
    high: float

    def expectation(self) -> dict[str, Any]:
        """Give the number and its bounds as the judging process reads them."""
        return {"observed": self.observed, "low": self.low, "high": self.high}

    def result(self, *, success: bool) -> dict[str, Any]:
        """Give the outcome as evidence keeps it."""
        return {
            "kind": self.kind,
            "rule": self.name,
            "success": success,
            "observed": self.observed,
            "tolerated": self.high,
        }


def terms_of(
    contract: Contract, verdict: Verdict, previous: Mapping[str, Any] | None
) -> list[Term]:
    """Give every term for one verdict."""
    share = verdict.failing_rows / max(verdict.rows, 1)
    terms = [
        Term(kind="structure", name="structure", observed=float(verdict.broken), low=0, high=0),
        Term(kind="rows", name="rows", observed=float(verdict.rows), low=1, high=1e12),
        _share("reject", "failing rows", share, contract.reject_above),
        _share("quarantine", "failing rows", share, contract.quarantine_above),
    ]
    terms += [
        _share(
            "tolerated-rule" if count.tolerated else "rule",
            count.rule,
            count.failed / max(count.applied, 1),
            count.tolerated,
        )
        for count in verdict.rules
    ]
    if previous and previous.get("rows") and verdict.rows:
        terms += _watched(verdict.profile, previous)
    return terms


def decided(results: Sequence[Mapping[str, Any]]) -> str:
    """Give the decision that follows from which terms hold."""
    broken = {each["kind"] for each in results if not each["success"]}
    if broken & {"structure", "rows", "reject"}:
        return intake.REJECTED
    if broken & {"quarantine", "tolerated-rule"}:
        return intake.QUARANTINED
    return intake.ACCEPTED


def _share(kind: str, name: str, observed: float, high: float) -> Term:
    return Term(kind=kind, name=name, observed=observed, low=0.0, high=high)


def _watched(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Term]:
    rows, earlier = now["rows"], before["rows"]
    yield Term(
        kind="watch-volume",
        name="rows",
        observed=rows / earlier,
        low=VOLUME_SHRINKS,
        high=VOLUME_GROWS,
    )
    for column, nulls in now["nulls"].items():
        moved = abs(nulls / rows - before["nulls"].get(column, nulls) / earlier)
        yield _share("watch-nulls", column, moved, NULL_RATE_MOVES)
    for column, counts in now["codes"].items():
        past = before["codes"].get(column, {})
        moves = [
            abs(counts.get(code, 0) / rows - past.get(code, 0) / earlier)
            for code in {*counts, *past}
        ]
        yield _share("watch-codes", column, max(moves, default=0.0), CODE_SHARE_MOVES)
