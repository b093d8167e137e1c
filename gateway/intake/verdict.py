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

FIRST_ROWS: Final = 10
LISTED: Final = 100

ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of trouble in one column: how many rows, and the first of them.

    Rows count records after the header from 1; a quoted newline does not end
    one. `hint` is a word of ours (a delimiter's name, a contract column's name,
    a byte offset), never a value of the file.
    """

    code: str
    column: str = ""
    rule: str = ""
    rows: int = 0
    first_rows: tuple[int, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often one rule applied and failed."""

    rule: str
    applied: int
    failed: int
    tolerated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the extract looks like in numbers: nulls, codes, dates of extraction."""

    nulls: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    extract_dates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What intake decided about one file, with its reasons.

    `dropped_columns` names unknown columns by position ("column 7"), unless a
    published contract knows the name. `unlisted` counts findings beyond the 100
    listed. `isolated` says whether the checker had no network.
    """

    state: str
    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    dropped_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unlisted: int = 0
    rules: tuple[RuleCount, ...] = ()
    profile: Profile = field(default_factory=Profile)
    isolated: bool = False

    def document(self) -> dict[str, Any]:
        """Give the verdict as JSON types."""
        return asdict(self)


def read_verdict(document: Mapping[str, Any]) -> Verdict:
    """Make a verdict of its JSON document."""
    held = dict(document)
    held["dropped_columns"] = tuple(held["dropped_columns"])
    held["findings"] = tuple(
        Finding(**{**found, "first_rows": tuple(found["first_rows"])}) for found in held["findings"]
    )
    held["rules"] = tuple(RuleCount(**count) for count in held["rules"])
    profile = held["profile"]
    held["profile"] = Profile(
        nulls=profile["nulls"],
        codes=profile["codes"],
        extract_dates=tuple(profile["extract_dates"]),
    )
    return Verdict(**held)


def rejected(*findings: Finding, dropped: tuple[str, ...] = ()) -> Verdict:
    """Give the verdict on a file that cannot be read as the contract says."""
    return Verdict(
        state=REJECTED,
        findings=findings[:LISTED],
        unlisted=max(0, len(findings) - LISTED),
        dropped_columns=dropped,
    )
