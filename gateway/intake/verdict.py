"""The verdict on one extract: state, counts, findings and profile, without any value.

What leaves the checker is a `Verdict` and the accepted columns, nothing else. A
verdict names rows, columns, rules and counts; category shares are counted for
the codes of the contract only.

Source: UK GDPR Art 5(1)(d), (f); docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.intake.findings import Finding, remedy, sentence
from gateway.model import Contract

FIRST_ROWS: Final = 10
LISTED: Final = 100

ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often one rule applied and failed."""

    rule: str
    applied: int
    failed: int
    tolerated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What intake decided about one file, with its reasons.

    `failing_rows` counts rows that fail a rule for which a row stays behind,
    whatever the decision; `broken` says that the structure of the file is at
    fault, so that rows could not be judged. `dropped_columns` names unknown
    columns by position ("column 7"), unless a published contract knows the name.
    `unlisted` counts findings beyond the 100 listed. `profile` says in numbers
    what the extract looks like: `rows`, `nulls` for each column, `codes` for each
    coded column, `extract_dates` (first and last). `isolated` says whether the
    checker had no network.
    """

    state: str
    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    failing_rows: int = 0
    broken: bool = False
    dropped_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unlisted: int = 0
    rules: tuple[RuleCount, ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)
    isolated: bool = False

    def document(self) -> dict[str, Any]:
        """Give the verdict as JSON types."""
        return asdict(self)

    def findings_json(self, contract: Contract) -> list[dict[str, Any]]:
        """Give the findings as `receive --json` prints them, each with its sentence.

        Args:
            contract: by which the file was checked; what it requires is not left empty.
        """
        required = {column.name for column in contract.columns if column.required}
        return [
            {
                "code": found.code,
                "column": found.column,
                "rule": found.rule,
                "rows": found.rows,
                "first_rows": list(found.first_rows),
                "sentence": sentence(found),
                "remedy": remedy(found, required=required),
            }
            for found in self.findings
        ]


def read_verdict(document: Mapping[str, Any]) -> Verdict:
    """Make a verdict of its JSON document."""
    held = dict(document)
    held["dropped_columns"] = tuple(held["dropped_columns"])
    held["findings"] = tuple(
        Finding(**{**found, "first_rows": tuple(found["first_rows"])}) for found in held["findings"]
    )
    held["rules"] = tuple(RuleCount(**count) for count in held["rules"])
    return Verdict(**held)


def rejected(*findings: Finding, dropped: tuple[str, ...] = ()) -> Verdict:
    """Give the verdict on a file that cannot be read as the contract says."""
    return Verdict(
        state=REJECTED,
        broken=True,
        findings=findings[:LISTED],
        unlisted=max(0, len(findings) - LISTED),
        dropped_columns=dropped,
    )
