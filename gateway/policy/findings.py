"""What is wrong with a governed document: code, document, key, sentence, remedy.

All findings of a document are gathered before anything is refused, so that a
governance lead mends it once. A finding quotes names (keys, fields, recipients,
tokens) and nothing else.

Source: docs/reference/policy.md; UK GDPR Art 5(1)(b).
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import RefusedError

LISTED = 100
MOST = 1_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:+/-]{0,63}")

_CONTAINERS = {
    "purposes": "purpose",
    "outputs": "output",
    "fields": "field",
    "columns": "column",
    "prohibitions": "prohibition",
    "cohorts": "cohort",
    "bases": "legal basis",
    "cases": "case",
    "rules": "rule",
    "joins": "join",
    "criteria": "criterion",
    "tables": "table",
    "duties": "duty",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that stops a document from loading.

    `path` are the keys that lead to it, for an editor that shows it at its line.
    """

    code: str
    document: str
    where: str
    sentence: str
    remedy: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        place = f"{self.document}, {self.where}" if self.where else self.document
        return f"{self.code}: {place}: {self.sentence} {self.remedy}".rstrip()


class PolicyInvalid(RefusedError):
    """Documents that do not load: nothing may be decided from them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Carry every finding; the first gives the code.

        Args:
            findings: at least one.
        """
        self.findings = tuple(findings)
        first, more = self.findings[0], len(self.findings) - LISTED
        listed = "\n".join(str(finding) for finding in self.findings[1:LISTED])
        tail = f"\nand {more} more." if more > 0 else ""
        where = f"{first.document}, {first.where}" if first.where else first.document
        super().__init__(
            first.code,
            f"{where}: {first.sentence}",
            remedy=first.remedy + (f"\n{listed}" if listed else "") + tail,
            findings=len(self.findings),
        )


def bounded(document: str, findings: Iterable[Finding]) -> list[Finding]:
    """The first findings of a document, and a last one where more are wrong than are listed.

    What comes after is not even looked for, so that no document takes long to refuse.
    """
    each = iter(findings)
    first = list(itertools.islice(each, MOST))
    if next(each, None) is None:
        return first
    more = Finding(
        code="policy/more-findings",
        document=document,
        where="",
        sentence=f"more is wrong than {MOST:,} things.",
        remedy="Mend the first ones first.",
    )
    return [*first, more]


def name(value: object) -> str:
    """A name as it may be quoted; anything that is not like a name is not quoted."""
    text = str(value)
    return f'"{text}"' if _NAME.fullmatch(text) else "(not a name)"


def suggest(word: object, known: Iterable[str]) -> str:
    """`Did you mean "x"?`, or nothing where no known name is near."""
    near = difflib.get_close_matches(str(word)[:64], sorted(set(known)), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""


def place(path: tuple[str | int, ...]) -> str:
    """Where in a document, in words: purpose "x", output "y", field "z"."""
    said: list[str] = []
    parts = list(path)
    while parts:
        part = parts.pop(0)
        if part in _CONTAINERS and parts:
            said.append(f"{_CONTAINERS[str(part)]} {_ordinal(parts.pop(0))}")
        else:
            said.append(_ordinal(part) if isinstance(part, int) else f"key {name(part)}")
    return ", ".join(said)


def _ordinal(part: str | int) -> str:
    return f"number {part + 1}" if isinstance(part, int) else name(part)
