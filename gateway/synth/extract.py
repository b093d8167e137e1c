"""One partner's extract: its rows, and which person each row is about.

Source: domain research 11.1, the common person header.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gateway.synth.draw import Ints, chance, stream
from gateway.synth.people import People
from gateway.synth.sources import Source, write_down

NUMBER_MISSING = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """The rows as the partner sends them; `who` is the truth, kept apart."""

    dataset: str
    frame: pl.DataFrame = field(repr=False)
    who: Ints = field(repr=False)


def compose(
    people: People,
    who: Ints,
    columns: dict[str, pl.Series],
    *,
    dataset: str,
    source: Source,
    numbers: tuple[str, ...] = (),
    ids: bool = True,
    row_id: bool = True,
) -> Extract:
    """Join the person header, the national numbers and a dataset's own columns.

    The rows are shuffled, so that their order says nothing; the row ids count
    from 1 in the order sent. A person who comes twice is spelt the same twice.

    Args:
        people: the truth.
        who: the person of each row.
        columns: the dataset's own columns, one value for each row.
        dataset: the contract's id.
        source: the habits of the partner.
        numbers: which of nhs_number, upn, nino the partner holds for most people.
        ids: whether rows carry the council's own person and family ids, as after matching.
        row_id: whether the contract has a src_row_id.
    """
    rng = stream(people.seed, f"rows/{dataset}")
    once, which = np.unique(who, return_inverse=True)
    header = _header(people, once, rng, dataset=dataset, source=source, numbers=numbers)
    if ids:
        header = header.with_columns(*people.frame["person_id", "family_id"][once])
    rows = header[which].with_columns(*(values.alias(name) for name, values in columns.items()))
    order = rng.permutation(len(who))
    frame = rows[order]
    if row_id:
        frame = frame.with_columns(row_ids(dataset, len(who)).alias("src_row_id"))
    first = [*["src_row_id"] * row_id, *["person_id", "family_id"] * ids, *numbers]
    return Extract(dataset=dataset, frame=frame.select(*first, pl.exclude(first)), who=who[order])


def _header(
    people: People,
    once: Ints,
    rng: np.random.Generator,
    *,
    dataset: str,
    source: Source,
    numbers: tuple[str, ...],
) -> pl.DataFrame:
    """Return the person header with the numbers that the source holds."""
    header = write_down(people, once, source, name=dataset)
    none = pl.Series([None], dtype=pl.String)
    for number in numbers:
        known = pl.Series(~chance(rng, len(once), NUMBER_MISSING))
        held = people.frame[number].gather(once).zip_with(known, none)
        header = header.with_columns(held.alias(number))
    return header


def row_ids(dataset: str, n: int) -> pl.Series:
    """Return row ids that are unique over all extracts of a borough."""
    prefix = "".join(part[0] for part in dataset.split("_")).upper() + dataset[-1].upper() + "-"
    return prefix + pl.Series(np.arange(1, n + 1)).cast(pl.String).str.zfill(8)
