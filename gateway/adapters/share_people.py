"""People of whom less leaves, or whose objection cannot be compared: read for one release.

Protected people are marked in the register of families and known by person id in
every release. The list of communal places (hostels, refuges) is the council's own
secret: it lies in the data directory and nowhere else.

Source: docs/explanation/disclosure.md, "Protected people"; requirement R67.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from gateway.errors import Unavailable
from gateway.identity import UNKEPT, postcode_valid
from gateway.model import Contract, Household, Plan, Role
from gateway.model.counting import counted
from gateway.model.extracts import ExtractRecord
from gateway.objections import Register, incomparable
from gateway.objections.register import NUMBERS
from gateway.selection import Source

COMMUNAL = "communal-postcodes.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPeople:
    """Postcodes and person ids; `Masking` hides what comes from their addresses."""

    communal: frozenset[str] = field(repr=False)
    protected: frozenset[str] = field(repr=False)


def protected_column(contract: Contract) -> str:
    """The column that marks protected people; "" where a contract has none."""
    named = (column.name for column in contract.columns if column.field == "protected")
    return contract.protected_column or next(named, "")


def protected_people(sources: Iterable[Source]) -> frozenset[str]:
    """The person ids that any of these registers marks as protected."""
    found: set[str] = set()
    for source in sources:
        person, mark = source.column_of(Role.PERSON_ID), protected_column(source.contract)
        if person is None:
            continue
        for block in source.blocks([person, mark]):
            marked = block.filter(pl.col(mark) == "Y").get_column(person)
            found |= set(marked.drop_nulls().cast(pl.String))
    return frozenset(found)


def communal_postcodes(path: Path) -> frozenset[str]:
    """The council's own list of communal postcodes, one a line; none without a list.

    Raises:
        Unavailable: a line is no postcode. Names the line, never what stands there.
    """
    if not path.exists():
        return frozenset()
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    frame = pl.DataFrame({"text": lines}, schema={"text": pl.String}).with_row_index("line", 1)
    told = frame.filter(pl.col("text").str.strip_chars() != "")
    wrong = told.filter(~postcode_valid("text")).get_column("line")
    if wrong.len():
        raise Unavailable(
            "sharing/communal-list",
            f"{COMMUNAL}, line {wrong[0]}: not a postcode.",
            remedy="Write one postcode a line, then share again.",
            line=int(wrong[0]),
        )
    joined = told.get_column("text").str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    return frozenset(joined)


def without_list(path: Path, contract: Contract) -> tuple[str, ...]:
    """A warning if the council has written no list of communal postcodes, not even an empty one."""
    placed = any(column.role is Role.POSTCODE for column in contract.columns)
    if path.exists() or not placed:
        return ()
    return (
        f"There is no {COMMUNAL} in the data directory: people in hostels and refuges are masked "
        "only where the register marks them. Write the list; an empty file says there are none.",
    )


def stayed_behind(plan: Plan, records: Iterable[ExtractRecord]) -> tuple[str, ...]:
    """A warning if the "no" of a row that was not accepted would have held a family."""
    count = sum(record.quarantined for record in records)
    if plan.household is not Household.DROP_FAMILY or not count:
        return ()
    return (
        f"{counted(count, 'row')} of the spine stayed behind at intake: what is said there against "
        "sharing is not known here and holds no family. Have the partner correct them first.",
    )


def without_effect(register: Register, contract: Contract) -> tuple[str, ...]:
    """Warnings if entries tell only what this extract does not hold, or names it cannot compare."""
    elements = [ELEMENT_OF[column.role] for column in contract.columns if column.role in ELEMENT_OF]
    vague = incomparable(elements, register)
    told = {name for name in vague.columns if name != "sequence"}
    numbers_only = ~_any_of(told - NUMBERS)
    named, held = {*_NAMES, *_FORMER} & told, {*elements}
    found = _any_of((named if held & {*_NAMES} else set()) | ({"dob", "pc"} & told & held))
    written = _any_of({name for name in told if name.startswith(f"{UNKEPT}.")})
    alike = written & ~_any_of(named | ({"dob"} & told & held))
    alike &= pl.lit(bool(held & {*_NAMES}))
    kinds = {_NUMBERS_ONLY: numbers_only, _ALIKE: alike, _NOTHING: ~found & ~alike & ~numbers_only}
    counts = {text: vague.filter(which).height for text, which in kinds.items()}
    return tuple(f"{count} {text}" for text, count in counts.items() if count)


def _any_of(names: Iterable[str]) -> pl.Expr:
    """Whether an entry tells any of these."""
    return pl.any_horizontal(pl.lit(value=False), *(pl.col(n).is_not_null() for n in sorted(names)))


_NAMES = ("fn1", "sn1")
_FORMER = ("former1.sn1",)
_NUMBERS_ONLY = (
    "entries of the register tell only numbers that this extract does not hold: "
    "nobody can be matched with them here."
)
_NOTHING = (
    "entries of the register tell nothing that this extract holds: "
    "nobody can be matched with them here."
)
_ALIKE = (
    "entries of the register tell a name that is a placeholder or not in Latin letters, and "
    "nothing else to compare here: only people whose own name is missing, a placeholder or not "
    "in Latin letters are held for them. Ask for the date of birth or a number, and record them "
    "again."
)


ELEMENT_OF: dict[Role | None, str] = {
    Role.NHS_NUMBER: "nhs",
    Role.UPN: "upn",
    Role.NINO: "nino",
    Role.FORENAME: "fn1",
    Role.MIDDLE_NAMES: "mn",
    Role.SURNAME: "sn1",
    Role.FORMER_SURNAME: "former1.sn1",
    Role.DATE_OF_BIRTH: "dob",
    Role.SEX: "sex",
    Role.POSTCODE: "pc",
    Role.HOUSE_NUMBER: "hn",
    Role.STREET: "st",
    Role.TOWN: "town",
    Role.UPRN: "uprn",
}
