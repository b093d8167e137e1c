"""What can still be checked of an agreement that has not the shape of one.

Every finding of a document comes at once: where a clause or a key is missing, the names in
the rest are looked up all the same. What is broken is set aside or stands in for itself,
and nothing is said that only follows from that.

Source: docs/reference/policy.md, "An agreement".
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from gateway.policy.agreements import Agreement
from gateway.policy.consistency import agreement_faults
from gateway.policy.findings import Finding, suggest
from gateway.policy.knowledge import Knowledge
from gateway.policy.reading import Tree
from gateway.policy.shapes import shape

Path = tuple[str | int, ...]
ROUNDS = 3

# Stands where a key of a table is missing or malformed, so that the rest can be read.
_DAY = dt.date(2000, 1, 1)
_AGREEMENT: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("id", "title", "benefits", "method", "contact"), "x"),
        **dict.fromkeys(("controllers", "parties", "areas"), ("x",)),
        **dict.fromkeys(("starts", "review", "ends"), _DAY),
        "version": 1,
    }
)
_PURPOSE: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("title", "clause", "subjects"), "x"),
        **dict.fromkeys(("legal_bases", "duties"), ("x",)),
        "kind": "records",
        "participation": "objection",
        "household": "drop-person",
        "retain_until": _DAY,
        "returns": "none",
    }
)
_OUTPUT: Mapping[str, Any] = MappingProxyType(
    {"recipient": "x", "identifiers": "none", "clause": "x"}
)
_RULE: Mapping[str, Any] = MappingProxyType({"treat": "keep", "clause": "x"})
# What a purpose stands on, and where its columns are looked for: it cannot be read without.
_GROUND = ("outputs", "spine", "joins")


class _Mended:
    """A tree being mended, and where."""

    def __init__(self, tree: Tree) -> None:
        self.tree: Any = copy.deepcopy(tree)
        self.at: set[Path] = set()
        self.dropped: set[Path] = set()

    def mend(self, finding: Finding) -> None:
        """Let something stand for what is broken, or set the nearest whole aside."""
        path = _whole(finding)
        stands_for = _stand_in(path)
        table = self._table(path[:-1])
        if table is None:
            return
        if stands_for is None or finding.code == "policy/unknown-key":
            table.pop(path[-1], None)
            self.dropped.add(path)
        else:
            table[path[-1]] = stands_for
        self.at.add(path)

    def _table(self, path: Path) -> Any:
        table = self.tree
        for part in path:
            table = table.get(part) if isinstance(table, dict) else None
        return table if isinstance(table, dict) else None

    @property
    def only_clauses(self) -> bool:
        """Whether nothing but clauses was missing, so that the rest means what it says."""
        return all(path[-1] == "clause" for path in self.at)

    def says(self, finding: Finding) -> bool:
        """Whether a finding is of what is written, and does not only follow."""
        path = finding.path
        if any(path[: len(each)] == each for each in self.at):
            return False
        if self.only_clauses:
            return True
        lost_names = any(each[0] == "purposes" and len(each) != 3 for each in self.dropped)
        if "prohibitions" in path and lost_names:
            return False
        if path[4:5] == ("disclosure",) and any(each[:4] == path[:4] for each in self.dropped):
            return False
        if path[:1] == ("signed",):
            return not {("controllers",), ("parties",)} & self.at
        return finding.code.startswith("policy/unknown-")


def still_found(
    document: str, tree: Tree, findings: Iterable[Finding], knowledge: Knowledge
) -> list[Finding]:
    """What else is wrong with an agreement that does not have its shape.

    Args:
        document: its path.
        tree: as it was read.
        findings: what is wrong with its shape, in full.
        knowledge: the other documents.
    """
    mended, wrong = _Mended(tree), list(findings)
    for _ in range(ROUNDS):
        if not all(finding.path for finding in wrong):
            return []
        for finding in wrong:
            mended.mend(finding)
        agreement, wrong = shape(Agreement, document, mended.tree)
        if agreement is not None:
            return list(_told(document, agreement, knowledge, mended))
    return []


def _told(
    document: str, agreement: Agreement, knowledge: Knowledge, mended: _Mended
) -> Iterator[Finding]:
    return filter(mended.says, agreement_faults(document, agreement, knowledge))


def _whole(finding: Finding) -> Path:
    """The path of what is set aside or stood in for, so that nothing else changes its meaning."""
    path, unknown = finding.path, finding.code == "policy/unknown-key"
    if path[0] != "purposes":
        # A prohibition is a table of its own; all else of an agreement is one key.
        prohibition = path[:2] if path[0] == "prohibitions" and path[-1] != "clause" else path[:1]
        return path if path[-1] == "clause" else prohibition
    if len(path) < 4:
        ground = path[-1] in _GROUND or (unknown and suggest(path[-1], _GROUND))
        return path[:2] if ground else path
    if path[2] != "outputs":
        return path[:2] if path[2] in _GROUND else path[:3]
    if len(path) < 6 or path[4] != "fields":
        return path[:5]
    # A key that is misspelt may have said where the column is.
    return path[:7] if len(path) == 7 and path[6] in _RULE and not unknown else path[:6]


def _stand_in(path: Path) -> Any:
    """What stands for a key that is missing or malformed; None sets it aside."""
    last = str(path[-1])
    if len(path) == 1:
        return _AGREEMENT.get(last)
    if path[0] != "purposes":
        return "x" if last == "clause" else None
    kinds = {3: _PURPOSE, 5: _OUTPUT, 7: _RULE}
    return kinds[len(path)].get(last) if len(path) in kinds else None
