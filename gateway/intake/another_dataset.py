"""Is a file that lacks columns the file of another dataset, sent under the wrong name?

Source: docs/reference/contracts.md, "Findings".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from gateway.intake.findings import Finding
from gateway.intake.header import always_there, names_of
from gateway.intake.verdict import Verdict
from gateway.model import Contract

MISSING: Final = "intake/column-missing"
# Fewer names of another dataset than this may be in a file by chance.
ENOUGH: Final = 2


def told_apart(verdict: Verdict, contract: Contract, contracts: Iterable[Contract]) -> Verdict:
    """Say first of which dataset a file seems to be, where it lacks columns of this one.

    Args:
        verdict: of the checker.
        contract: what the file was checked against.
        contracts: all that are known.
    """
    missing = {each.column for each in verdict.findings if each.code == MISSING}
    other = _likeliest(verdict, contract, contracts, missing) if missing else None
    if other is None:
        return verdict
    found = Finding(code="intake/another-dataset", hint=_called(other))
    return replace(verdict, findings=(found, *verdict.findings))


def others_document(contract: Contract, contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """What a page needs of the other contracts to say the same, as JSON types."""
    return [
        {"called": _called(other), "names": names_of(other), "wanted": sorted(_wanted(other))}
        for other in contracts
        if other.id != contract.id
    ]


def _likeliest(
    verdict: Verdict, contract: Contract, contracts: Iterable[Contract], missing: set[str]
) -> Contract | None:
    """The dataset of which all that is necessary is there, and most of what is not known here."""
    strange = set(verdict.dropped_columns)
    ours = {name for name, column in names_of(contract).items() if column not in missing}
    best: Contract | None = None
    most = ENOUGH - 1
    for other in contracts:
        names = names_of(other)
        own = {names[name] for name in strange & names.keys()}
        here = own | {names[name] for name in ours & names.keys()}
        if other.id != contract.id and len(own) > most and _wanted(other) <= here:
            best, most = other, len(own)
    return best


def _wanted(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns if always_there(column, contract)}


def _called(contract: Contract) -> str:
    return f"{contract.title} ({contract.id})"
