"""The register, opened in memory while a release is made.

Three frames about the entries in force for one purpose and controller: what each
entry says, its tombstones, and its identity in standard form, for likeness.

Source: security point 16; docs/explanation/objections.md, "The register".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import polars as pl

from gateway.identity import UNKEPT, TombstoneKey
from gateway.model import Contract, ContractColumn, Role
from gateway.model.tokens import ELEMENTS, token_elements
from gateway.objections.entries import ENTRY_SCHEMA
from gateway.objections.matching import no_settlements

TOMBSTONE_SCHEMA: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {"sequence": pl.Int64(), "token": pl.String(), "value": pl.Binary()}
)

NUMBERS: Final = frozenset({"nhs", "upn", "nino"})

DETAIL_ROLES: Final = tuple(role for role in Role if role not in {Role.PERSON_ID, Role.FAMILY_ID})


def _undated() -> pl.DataFrame:
    return pl.DataFrame(schema={"sequence": pl.Int64, "received": pl.String})


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The entries in force, ready to be compared with a cohort.

    `entries` as `ENTRY_SCHEMA`; `tombstones` one row for each token of each entry;
    `identities` one row per entry: `sequence`, elements of `std1` and unkept names; `key`
    made the tombstones; `sequence` is the last number of the whole register
    when it was read; `received` when each entry came (`sequence`, `received` as ISO 8601);
    `settled` which doubtful pairs a person has settled, by the
    references that `matching` makes.
    """

    entries: pl.DataFrame = field(repr=False)
    tombstones: pl.DataFrame = field(repr=False)
    identities: pl.DataFrame = field(repr=False)
    key: TombstoneKey = field(repr=False)
    sequence: int = 0
    received: pl.DataFrame = field(default_factory=_undated, repr=False)
    settled: pl.DataFrame = field(default_factory=no_settlements, repr=False)
    matching: bytes = field(default=bytes(32), repr=False)


def empty_register(*, sequence: int = 0) -> Register:
    """A register in which nothing is in force."""
    return Register(
        entries=pl.DataFrame(schema=dict(ENTRY_SCHEMA)),
        tombstones=pl.DataFrame(schema=dict(TOMBSTONE_SCHEMA)),
        identities=pl.DataFrame(schema={"sequence": pl.Int64}),
        key=TombstoneKey(bytes(32)),
        sequence=sequence,
    )


def elements_compared(register: Register) -> tuple[str, ...]:
    """The elements of a cohort that comparing it with these entries can need.

    Likeness compares across elements (a middle name with a forename), so that one
    detail of any kind but a national number needs them all, and the names that `std1`
    does not keep (`UNKEPT`).
    """
    told = {
        name.rsplit(".", 1)[-1]
        for name in register.identities.columns
        if register.identities[name].null_count() < register.identities.height
    } - {"sequence"}
    tokens = register.tombstones["token"].unique().to_list()
    told |= {element for token in tokens for element in token_elements(token)}
    return tuple(sorted(told)) if told <= NUMBERS else (*ELEMENTS, UNKEPT)


def details_contract() -> Contract:
    """The contract that standardises what a person tells about themselves.

    It admits the reserved ranges of invented people: an entry can only withhold,
    so that a wider net is the safe one.
    """
    columns = tuple(
        ContractColumn(name=role.value, field=role.value, type="text", role=role)
        for role in DETAIL_ROLES
    )
    return Contract(
        id="register-details",
        title="Details given with an objection, opt-out or consent",
        version=1,
        parties=(),
        columns=columns,
        population="synthetic",
    )
