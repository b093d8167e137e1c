"""What the texts of a draft change of the current documents, and what stops them, by line.

A document that cannot be read has not been removed: as long as one of them cannot be,
nothing is said of what changes but what has to be mended first.

Source: docs/reference/policy.md, "Life of a version"; requirement N4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.adapters.policy_reading import reader
from gateway.policy import Bundle, Finding, compare
from gateway.policy.lines import finding_lines
from gateway.policy.rereading import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding about a draft's text, at its line."""

    path: str
    line: int
    sentence: str
    remedy: str
    code: str


class Told(NamedTuple):
    """What there was, what there would be, and the difference, or why it cannot be told."""

    before: Bundle
    after: Bundle
    findings: tuple[Finding, ...]
    changes: tuple[str, ...]
    untold: str


def told_of(documents: Mapping[str, str], changes: Mapping[str, str]) -> Told:
    """What the texts change; nothing where one cannot be read, for its parts are not removed."""
    before, known = reader().load(documents)
    after, findings = reader().load(changed(documents, changes))
    elsewhere = {each.document for each in known} - set(changes)
    unread = [each for each in findings if each.document not in elsewhere]
    if not unread:
        return Told(before, after, findings, tuple(compare(before, after)), "")
    # What the others are built on comes first: theirs may follow from it.
    first = min(faults_of(unread, changes), key=_first_to_mend(changes))
    where = f"line {first.line} of {first.path}" if first.line else first.path
    untold = f"What it changes cannot be told until {where} is mended."
    return Told(before, after, findings, (), untold)


def _first_to_mend(changes: Mapping[str, str]) -> Callable[[Fault], tuple[bool, bool]]:
    return lambda each: (each.path not in changes, each.path.startswith("agreements/"))


def faults_of(findings: Sequence[Finding], changes: Mapping[str, str]) -> list[Fault]:
    """Findings as faults of the draft's texts, by line; another document's are said as such."""
    lines = {
        path: iter(finding_lines(text, [each for each in findings if each.document == path]))
        for path, text in changes.items()
    }
    return sorted(
        (
            Fault(
                path=finding.document,
                line=next(lines[finding.document]) if finding.document in lines else 0,
                sentence=f"{finding.where}: {finding.sentence}"
                if finding.where and not finding.where.startswith("line ")
                else finding.sentence,
                remedy=finding.remedy,
                code=finding.code,
            )
            for finding in findings
        ),
        key=lambda fault: (fault.path, fault.line, fault.sentence),
    )
