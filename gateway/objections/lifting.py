"""Which earlier entries a loosening one lifts: certainly the same person's, and no wider.

Source: security point 16, "only a verified person with recorded authority may loosen,
one person at a time".
"""

from __future__ import annotations

import polars as pl

from gateway.objections.compare import PREFIX, compare
from gateway.objections.entries import LIFTS, EntryKind
from gateway.objections.register import Register
from gateway.objections.resolve import mark_certain


def entries_lifted(
    elements: pl.DataFrame, register: Register, *, kind: EntryKind, purpose: str
) -> list[int]:
    """The entries in force that an act of this kind takes back.

    Args:
        elements: one row: the person's details as elements of `std1`.
        register: the entries in force for the purpose.
        kind: the act.
        purpose: only entries of this very purpose are lifted; one for all purposes
            needs an act for all purposes.
    """
    person = elements.select(
        pl.lit("asker").alias("person"),
        *(pl.col(name).alias(PREFIX + name) for name in elements.columns),
    )
    known = mark_certain(compare(person, register), register).filter(
        pl.col("certain"), ~pl.col("clash")
    )
    wanted = register.entries.filter(
        pl.col("kind") == LIFTS[kind].value, pl.col("purpose") == purpose
    )
    found = wanted.join(known.select("sequence").unique(), on="sequence", how="semi")
    return found["sequence"].sort().to_list()
