"""Counts of all blocks, merged; and the decision that follows from them.

Broken structure rejects. Otherwise: more failing rows than `reject_above`
rejects, more than `quarantine_above` holds the whole extract, and so does a rule
that more rows break than the contract tolerates; else the failing rows stay
behind and the rest is accepted.

Source: UK GDPR Art 5(1)(d); docs/reference/contracts.md, "Decision".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.intake.columns import Checked
from gateway.intake.findings import Finding
from gateway.intake.rule import Effect, Rule
from gateway.intake.scan import Fault
from gateway.intake.verdict import (
    ACCEPTED,
    FIRST_ROWS,
    LISTED,
    QUARANTINED,
    REJECTED,
    RuleCount,
    Verdict,
)
from gateway.model import Contract

Kind = tuple[str, str, str, str]
Rows = NDArray[np.uint64]


class Tally:
    """What has been counted so far; blocks are added in their order."""

    def __init__(self, contract: Contract, rules: Sequence[Rule]) -> None:
        """Begin with no rows."""
        self._contract = contract
        self._rules = tuple(rules)
        self.rows = 0
        self._barred: list[NDArray[np.uint8]] = []
        self._sizes: list[int] = []
        self._applied: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._found: dict[Kind, list[int]] = {}
        self._count: Counter[Kind] = Counter()
        self._nulls: Counter[str] = Counter()
        self._codes: dict[str, Counter[str]] = {}
        self._days: list[str] = []
        self.broken = False

    def add_fault(self, fault: Fault, *, hint: str = "") -> None:
        """Count a breach of structure in the block that comes next."""
        self.broken = True
        rows = [self.rows + record + 1 for record in fault.first]
        self._note((fault.code, "", "", hint), fault.count, rows)

    def skip(self, records: int) -> None:
        """Count the rows of a block that was not checked."""
        self.rows += records
        self._sizes.append(records)
        self._barred.append(np.packbits(np.zeros(records, bool)))

    def add(self, checked: Checked) -> None:
        """Merge one checked block."""
        for rule in self._rules:
            for code, places in checked.looks.get(rule.name, {}).items():
                first = (places.head(FIRST_ROWS) + self.rows + 1).to_list()
                self._note((code, rule.column, rule.name, ""), places.len(), first)
        for (code, column), places in checked.notes.items():
            first = (places.head(FIRST_ROWS) + self.rows + 1).to_list()
            self._note((code, column, "", ""), places.len(), first)
        self._applied.update(checked.applied)
        self._failed.update({name: places.len() for name, places in checked.failing.items()})
        self._nulls.update(checked.nulls)
        for name, counts in checked.codes.items():
            self._codes.setdefault(name, Counter()).update(counts)
        self._days.extend(checked.extract_dates)
        self.skip(checked.rows)
        self._barred[-1] = np.packbits(~checked.passed.to_numpy())

    def add_repeated(self, rule: Rule, rows: Rows) -> None:
        """Count the rows (0-based) that a uniqueness rule found, after the last block."""
        if rows.size:
            self._failed[rule.name] = int(rows.size)
            first = [int(row) + 1 for row in rows[:FIRST_ROWS]]
            self._note((rule.code, rule.column, rule.name, ""), int(rows.size), first)

    def count_applied(self, rule: Rule, rows: int) -> None:
        """Count the rows of a block to which a uniqueness rule applies."""
        self._applied[rule.name] += rows

    def decide(self, *, repeated: Rows, dropped: tuple[str, ...]) -> Verdict:
        """Give the verdict.

        Args:
            repeated: rows (0-based) that break a uniqueness rule, for all such rules.
            dropped: unknown columns, as they may be named.
        """
        counts = tuple(self._rule_counts())
        barred = self._barred_rows(repeated)
        state, reasons = self._state(barred, counts)
        findings = (*reasons, *self._findings())
        return Verdict(
            state=state,
            rows=self.rows,
            accepted=self.rows - barred if state == ACCEPTED else 0,
            quarantined=_quarantined(state, self.rows, barred),
            failing_rows=barred,
            broken=self.broken,
            dropped_columns=dropped,
            findings=findings[:LISTED],
            unlisted=max(0, len(findings) - LISTED),
            rules=counts,
            profile=self._profile(),
        )

    def places(self, rows: Rows) -> NDArray[np.uint32]:
        """Give the places (0-based) that rows (0-based) have among the rows that passed.

        Args:
            rows: in order; those that did not pass have no place.
        """
        barred = self._flags()
        passing = rows[barred[rows] == 0]
        before = np.cumsum(barred, dtype=np.uint32)
        places: NDArray[np.uint32] = (passing - before[passing]).astype(np.uint32)
        return places

    def _state(self, barred: int, counts: Iterable[RuleCount]) -> tuple[str, list[Finding]]:
        if self.broken:
            return REJECTED, []
        if not self.rows:
            return REJECTED, [Finding(code="intake/no-rows")]
        if barred / self.rows > self._contract.reject_above:
            return REJECTED, [Finding(code="intake/rows-failing-reject", rows=barred)]
        columns = {rule.name: rule.column for rule in self._rules}
        reasons = [
            Finding(
                code="intake/tolerance-exceeded",
                column=columns[count.rule],
                rule=count.rule,
                rows=count.failed,
            )
            for count in counts
            if count.tolerated and count.failed / max(count.applied, 1) > count.tolerated
        ]
        if barred / self.rows > self._contract.quarantine_above:
            reasons.append(Finding(code="intake/rows-failing-hold", rows=barred))
        return (QUARANTINED if reasons else ACCEPTED), reasons

    def _rule_counts(self) -> Iterable[RuleCount]:
        for rule in self._rules:
            yield RuleCount(
                rule=rule.name,
                applied=self._applied[rule.name],
                failed=self._failed[rule.name],
                tolerated=rule.tolerated,
            )

    def _barred_rows(self, repeated: Rows) -> int:
        flags = self._flags()
        flags[repeated] = 1
        return int(flags.sum())

    def _flags(self) -> NDArray[np.uint8]:
        bits = [
            np.unpackbits(packed, count=size)
            for packed, size in zip(self._barred, self._sizes, strict=True)
        ]
        return np.concatenate(bits) if bits else np.empty(0, np.uint8)

    def _findings(self) -> Iterable[Finding]:
        for kind, rows in self._found.items():
            code, column, rule, hint = kind
            yield Finding(
                code=code,
                column=column,
                rule=rule,
                rows=self._count[kind],
                first_rows=tuple(rows),
                hint=hint,
            )

    def _note(self, kind: Kind, count: int, first: Sequence[int]) -> None:
        self._count[kind] += count
        rows = self._found.setdefault(kind, [])
        rows.extend(first[: FIRST_ROWS - len(rows)])

    def _profile(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "nulls": dict(self._nulls),
            "codes": {name: dict(counts) for name, counts in self._codes.items()},
            "extract_dates": [min(self._days), max(self._days)] if self._days else [],
        }


def quarantining(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Give the rules over the whole file whose rows stay behind."""
    return tuple(rule for rule in rules if rule.together and rule.effect is Effect.QUARANTINE)


def _quarantined(state: str, rows: int, barred: int) -> int:
    return {ACCEPTED: barred, QUARANTINED: rows}.get(state, 0)
