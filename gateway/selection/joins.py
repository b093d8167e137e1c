"""One more dataset beside the spine, never more than one row a person.

A join that would multiply the spine refuses: nobody is sent twice because a
partner's file held them twice.

Source: docs/reference/policy.md, "A purpose".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from gateway.errors import RefusedError
from gateway.model import ColumnRule, JoinRule, Plan, Role
from gateway.model.stages import Scratch, Spill
from gateway.selection.scattering import scatter, whole
from gateway.selection.sources import Source, all_rules, column_of_field

# How a contract's types are stored (docs/reference/contracts.md).
STORED: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "text": pl.String(),
        "boolean": pl.String(),
        "codes": pl.String(),
        "date": pl.Date(),
        "integer": pl.Int64(),
        "decimal": pl.Float64(),
    }
)


def joined(plan: Plan, join: JoinRule, source: Source, people: Spill, scratch: Scratch) -> Spill:
    """Left-join one more dataset to the spine, partition by partition."""
    rules = [rule for rule in all_rules(plan) if rule.dataset == join.dataset]
    person = source.column_of(Role.PERSON_ID)
    if person is None or join.on != person:
        raise unjoinable(join.dataset)
    kind, _, wave = join.take.partition(":")
    order = column_of_field(source.contract, "extract_date")
    columns = [person, *(rule.column for rule in rules), *filter(None, (wave, order))]
    blocks = (
        block.rename({person: "person"})
        .with_columns(pl.col("person").cast(pl.String))
        .filter(pl.col("person").is_not_null())
        for block in source.blocks(list(dict.fromkeys(columns)))
    )
    other = scatter(blocks, "person", scratch=scratch, partitions=len(people))
    made = scratch.spill(len(people))
    for index in range(len(people)):
        spine, right = whole(people, index, last=True), whole(other, index, last=True)
        if not spine.height:
            continue
        shaped = _shape(right, rules, kind, wave, order) if right.height else _empty(rules, source)
        if shaped.get_column("person").is_duplicated().any():
            raise RefusedError(
                "sharing/join-multiplies",
                f'The join with "{join.dataset}" would send a person more than once.',
                remedy='Take "latest" or "wide-by:COLUMN", or correct the extract.',
            )
        made.put(index, spine.join(shaped, on="person", how="left", maintain_order="left"))
    return made


def _shape(
    frame: pl.DataFrame, rules: Sequence[ColumnRule], kind: str, wave: str, order: str
) -> pl.DataFrame:
    """One row a person: as it is, the latest, or one column for each wave."""
    unique = {rule.source: rule for rule in rules}.values()
    if kind == "latest":
        by = [order] if order else []
        frame = frame.sort(by, maintain_order=True) if by else frame
        frame = frame.unique("person", keep="last", maintain_order=True)
    if kind != "wide-by":
        return frame.select("person", *(pl.col(rule.column).alias(rule.source) for rule in unique))
    if frame.select("person", wave).is_duplicated().any():
        return frame.select("person")
    wide = [
        pl.col(rule.column).filter(pl.col(wave) == rule.wave).first().alias(rule.source)
        for rule in unique
    ]
    return frame.group_by("person").agg(wide)


def _empty(rules: Sequence[ColumnRule], source: Source) -> pl.DataFrame:
    """Nobody has a row here: the columns as they are where somebody has."""
    kinds = {column.name: column.type for column in source.contract.columns}
    types = {rule.source: STORED[kinds[rule.column]] for rule in rules}
    return pl.DataFrame(schema={"person": pl.String, **types})


def unjoinable(dataset: str) -> RefusedError:
    """The error for a dataset that has nobody to join on."""
    return RefusedError(
        "sharing/no-person-id",
        f'"{dataset}" has no person id to join on.',
        remedy="A dataset without a person id can only be the spine, alone.",
        dataset=dataset,
    )
