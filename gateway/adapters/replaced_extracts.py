"""Extracts that newer ones have replaced, asked by what their columns meant when they came.

Only who a row is about and what it says against sharing is asked of them. A contract
may have called these columns otherwise then, or have had them when today's has not: what
was said by it holds. An extract whose contract had no such word says nothing.

Source: security point 16; docs/adr/0343-a-no-counts-wherever-it-stands.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model import Contract, Participation, Plan, Role
from gateway.model.extracts import AGREED, ExtractRecord
from gateway.selection import kinds_of
from gateway.selection.sources import column_of_field

_WORD = "participation"


def called_then(contract: Contract, record: ExtractRecord) -> tuple[str, str] | None:
    """What an extract calls its person id ("" without one) and its word; None without a word.

    Args:
        contract: today's, for an extract from before meanings were kept.
        record: of the extract.
    """
    agreed = _agreed(record)
    if not agreed:
        roles = (each.name for each in contract.columns if each.role is Role.PERSON_ID)
        return next(roles, ""), column_of_field(contract, _WORD) or _WORD
    by_role = {role: name for name, (role, _) in agreed.items()}
    by_field = {its_field: name for name, (_, its_field) in agreed.items()}
    word = by_field.get(_WORD)
    return None if word is None else (by_role.get(Role.PERSON_ID.value, ""), word)


def tells_whom(spine: Contract, contract: Contract, record: ExtractRecord) -> bool:
    """Whether an extract tells people by anything that the spine of today tells them by.

    Args:
        spine: today's contract of the spine.
        contract: today's of the extract's dataset.
        record: of the extract.
    """
    agreed = _agreed(record)
    then = {role for role, _ in agreed.values()} if agreed else _roles(contract)
    return bool(kinds_of(then) & kinds_of(_roles(spine)))


def not_asked(
    plan: Plan, spine: Contract, extracts: Iterable[tuple[Contract, ExtractRecord]]
) -> tuple[str, ...]:
    """A warning if extracts said something against sharing, and nobody can know of whom."""
    count = sum(
        called_then(contract, record) is not None and not tells_whom(spine, contract, record)
        for contract, record in extracts
    )
    if plan.participation is Participation.STATUTORY or not count:
        return ()
    return (
        f"{count} earlier extracts could not be asked: they tell people by nothing that the "
        "extract in use of the spine holds, so what they say against sharing holds nobody "
        "here. Have the partner say it again, or record it: gateway object.",
    )


def _roles(contract: Contract) -> set[str]:
    return {column.role.value for column in contract.columns if column.role is not None}


def _agreed(record: ExtractRecord) -> Mapping[str, tuple[str, str]]:
    """The role and the field of each column, as they were agreed then; empty where unknown."""
    agreed: Mapping[str, str] = record.evidence.get(AGREED) or {}
    return {name: (said.split(" ")[1], said.split(" ")[2]) for name, said in agreed.items()}
