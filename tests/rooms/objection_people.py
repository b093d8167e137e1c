"""Small cohorts and registers, in standard form, for the tests of the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gateway.identity import TombstoneKey
from gateway.model import (
    CohortRule,
    ColumnRule,
    Household,
    IdentifierForm,
    OutputPlan,
    Participation,
    Plan,
    PurposeKind,
    RecipientRef,
    SharingRequest,
)
from gateway.model.stages import Cohort
from gateway.model.tokens import ELEMENTS
from gateway.objections import ENTRY_SCHEMA, Register, tombstones_of

KEY = TombstoneKey(bytes(range(32)))
FORMER = ("former1.sn1", "former1.sn2", "former1.snx")


def elements(people: Sequence[Mapping[str, str]], *, prefix: str = "") -> pl.DataFrame:
    """One row for each person, every element as a text column."""
    names = [*ELEMENTS, *FORMER]
    columns = {
        f"{prefix}{name}": pl.Series([person.get(name) for person in people], dtype=pl.String)
        for name in names
    }
    return pl.DataFrame({"person": [f"p{n}" for n in range(len(people))], **columns})


def register_of(*entries: tuple[str, Mapping[str, str]], sequence: int = 0) -> Register:
    """A register in force with these entries, numbered from 1."""
    count = len(entries)
    identities = elements([person for _kind, person in entries]).with_columns(
        pl.Series("person", range(1, count + 1), dtype=pl.Int64)
    )
    return register_from(
        identities.rename({"person": "sequence"}),
        [kind for kind, _person in entries],
        sequence=sequence or count,
    )


def register_from(identities: pl.DataFrame, kinds: Sequence[str], *, sequence: int) -> Register:
    """A register of prepared identities."""
    rows = pl.DataFrame(
        {
            "sequence": identities["sequence"],
            "kind": kinds,
            "purpose": ["*"] * len(kinds),
            "status": ["unanswered"] * len(kinds),
            "lifts": pl.Series([[]] * len(kinds), dtype=pl.List(pl.Int64)),
        },
        schema=dict(ENTRY_SCHEMA),
    )
    return Register(
        entries=rows,
        tombstones=tombstones_of(identities, KEY),
        identities=identities,
        key=KEY,
        sequence=sequence,
    )


@dataclass(frozen=True)
class Blocks:
    frames: tuple[pl.DataFrame, ...]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter(self.frames)


def a_plan(
    *rules: ColumnRule,
    rule: Participation = Participation.OBJECTION,
    household: Household = Household.DROP_PERSON,
) -> Plan:
    recipient = RecipientRef(
        id="ons-research",
        organisation="ons",
        team="research",
        classes=frozenset(),
        key_id="k",
        fingerprint="f",
        channel="folder",
    )
    output = OutputPlan(
        name="payload",
        recipient=recipient,
        identifiers=IdentifierForm.LINK_ID,
        clause="4.2",
        columns=rules,
    )
    return Plan(
        request=SharingRequest(purpose="study", agreement="trafford"),
        agreement_version=1,
        controller="trafford-council",
        kind=PurposeKind.RECORDS,
        clause="4.2",
        legal_bases=("UKGDPR-6-1-e",),
        cohort=CohortRule(name="all", dataset="family_register"),
        joins=(),
        participation=rule,
        household=household,
        outputs=(output,),
        retain_until=dt.date(2028, 3, 31),
        link_map_until="receipt+30d",
        returns="aggregates",
        duties=(),
        policy_digest="0" * 64,
    )


def a_cohort(
    people: Sequence[Mapping[str, str]],
    *,
    families: Sequence[str | None],
    rule: Participation = Participation.OBJECTION,
    household: Household = Household.DROP_PERSON,
    blocks: int = 1,
) -> Cohort:
    frame = elements(people, prefix="std.").with_columns(
        pl.Series("family", families, dtype=pl.String)
    )
    parts = tuple(part for n in range(blocks) if (part := frame[n::blocks]).height)
    return Cohort(a_plan(rule=rule, household=household), Blocks(parts), received=len(people))
