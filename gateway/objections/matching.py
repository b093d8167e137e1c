"""A doubtful pair by reference: what a person must decide, and what was decided.

The reference is a keyed hash under the register's own key, over the person id of the
spine and the details that were compared. It says nothing without the key, and it no
longer fits once any of these details has changed: then the pair is asked about again.

Source: security point 16; docs/explanation/objections.md, "What matches"; docs/adr/0226.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from gateway.keyed_hash import blake2b_framed

COMPARED: Final = ("fn1", "mn", "sn1", "dob", "sex", "pc", "nhs", "upn", "nino")
SETTLED_SCHEMA: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {"sequence": pl.Int64(), "match": pl.Binary(), "same": pl.Boolean()}
)

# Where what is written stands of a name that the standard form does not keep.
_WRITTEN: Final = {"fn1": "unkept.fn", "mn": "unkept.mn", "sn1": "unkept.sn"}

_PAIR: Final = b"sfg1/match......"
_ID: Final = b"sfg1/match-id..."
_ID_HEX: Final = 16
# A person of a spine without person ids is told by these same details.
_TOLD: Final = "id:"


def no_settlements() -> pl.DataFrame:
    """What stands in a register of which nobody has settled a match."""
    return pl.DataFrame(schema=dict(SETTLED_SCHEMA))


def references(people: pl.DataFrame, key: bytes) -> pl.Series:
    """The reference of each person, for one register.

    Args:
        people: n rows: `person` and `std.ELEMENT`; elements that are not there count
            as missing.
        key: 32 bytes, the register's key for matches.

    Returns:
        `match`, n values of 16 bytes, same order.
    """
    person = pl.col("person").cast(pl.String)
    columns = people.select(
        pl.when(~person.str.starts_with(_TOLD)).then(person).otherwise(pl.lit("")).alias("person"),
        *(_text(name, people.columns) for name in COMPARED),
    )
    return blake2b_framed(columns.get_columns(), key, person=_PAIR).alias("match")


def match_id(controller: str, sequence: int, *, match: bytes, key: bytes) -> str:
    """The name of a pair in the queue; nobody without the key can give it to another pair."""
    told = [pl.Series([text]) for text in (controller, str(sequence), match.hex())]
    return f"match-{blake2b_framed(told, key, person=_ID)[0].hex()[:_ID_HEX]}"


def _text(name: str, present: list[str]) -> pl.Expr:
    """An element; of a name that `std1` does not keep, what is written."""
    told = [f"std.{name}", f"std.{_WRITTEN[name]}"] if name in _WRITTEN else [f"std.{name}"]
    values = [pl.col(each).cast(pl.String) for each in told if each in present]
    return pl.coalesce(*values, pl.lit("")).alias(name)
