"""What one output holds: which columns leave, under which names, in which bytes.

Tokens go to the linkage unit without attributes, attributes to research without
tokens; a link id joins them. Sixteen bytes become text only here, at the last writer.

Source: docs/reference/package.md, "Inside";
docs/reference/pseudonyms.md, "Tokens, pseudonyms, tombstones".
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from gateway.keyed_hash import base32_column
from gateway.model import ColumnRule, FieldClass, IdentifierForm, OutputPlan
from gateway.model.stages import Assessed, AssessedOutput, Entropy, Scratch, narrowed
from gateway.sealing.manifest import ManifestColumn
from gateway.sealing.rows import ByteWriter, Scan, permuted, write_csv, write_parquet

LINK_ID = "link_id"
PSEUDONYM = "pseudonym"
SLOT = "slot"
NO_TREATMENT = "random"

_WRITERS = {"csv": write_csv, "parquet": write_parquet}
_TABLE_TYPES = {pl.Int64: "integer", pl.Int32: "integer", pl.Float64: "number", pl.Date: "date"}


def serialise(
    assessed: Assessed,
    output: OutputPlan,
    target: ByteWriter,
    *,
    scratch: Scratch,
    entropy: Entropy,
    scan: Scan,
) -> int:
    """Write one output's rows in a random order; every frame passes the scan first.

    Returns:
        The number of rows written: people, times slots in a linkage file.
    """
    rows = assessed.rows * (1 + output.alias_slots if tokens_in(output) else 1)
    held = narrowed(assessed.partitions, _columns_of(output).__contains__)
    frames = (part for frame in held for part in _rows(frame, output))
    shuffled = permuted(frames, rows=rows, scratch=scratch, entropy=entropy)
    written = (_as_text(frame) for frame in shuffled)
    return _WRITERS[output.file_format](written, target, scan=scan)


def tokens_in(output: OutputPlan) -> bool:
    """Whether the output is a linkage file of tokens."""
    return output.identifiers is IdentifierForm.TOKENS


def identifier_columns(output: OutputPlan) -> tuple[str, ...]:
    """The columns that hold link ids, pseudonyms or tokens."""
    if output.identifiers is IdentifierForm.PSEUDONYM:
        return (PSEUDONYM,)
    if output.identifiers is IdentifierForm.NONE:
        return ()
    return (LINK_ID, *output.tokens)


def clear_columns(output: OutputPlan) -> tuple[str, ...]:
    """The direct identifiers of an output that was approved to carry them: `sealed-clear`."""
    if output.identifiers is not IdentifierForm.SEALED_CLEAR:
        return ()
    return tuple(
        rule.name
        for rule in output.columns
        if rule.field_class in {FieldClass.DIRECT, FieldClass.KEY_VARIABLE} and rule.treat == "keep"
    )


def manifest_columns(output: AssessedOutput, types: dict[str, str]) -> tuple[ManifestColumn, ...]:
    """Every column that leaves, with its class, the treatment used and its clause."""
    plan = output.output
    held = [
        ManifestColumn(
            name=name, field_class="identifier", treatment=_made(name), clause=plan.clause
        )
        for name in identifier_columns(plan)
    ]
    if tokens_in(plan):
        held.insert(
            1,
            ManifestColumn(
                name=SLOT,
                field_class=FieldClass.PLAIN.value,
                treatment="keep",
                clause=plan.clause,
                type="integer",
            ),
        )
    return (*held, *(_column(rule, output, types) for rule in plan.columns))


def table_types(frame: pl.DataFrame, output: OutputPlan) -> dict[str, str]:
    """The Table Schema type of each payload column."""
    return {
        rule.name: _TABLE_TYPES.get(type(frame.schema[_payload(output, rule)]), "string")
        for rule in output.columns
        if _payload(output, rule) in frame.columns
    }


def _column(rule: ColumnRule, output: AssessedOutput, types: dict[str, str]) -> ManifestColumn:
    return ManifestColumn(
        name=rule.name,
        field_class=rule.field_class.value,
        treatment=output.treatments.get(rule.name, rule.treat),
        clause=rule.clause,
        type=types.get(rule.name, "string"),
    )


def _made(name: str) -> str:
    if name == LINK_ID:
        return NO_TREATMENT
    return "pseudonym" if name == PSEUDONYM else "token"


def _payload(output: OutputPlan, rule: ColumnRule) -> str:
    return f"payload.{output.name}.{rule.name}"


def _columns_of(output: OutputPlan) -> frozenset[str]:
    """The columns of the stage that an output is made of."""
    tokens = [
        f"token.{output.name}.{slot}.{name}"
        for slot in range(1 + output.alias_slots)
        for name in output.tokens
    ]
    payload = [_payload(output, rule) for rule in output.columns]
    return frozenset({LINK_ID, f"pseudonym.{output.name}", *tokens, *payload})


def _rows(frame: pl.DataFrame, output: OutputPlan) -> Iterator[pl.DataFrame]:
    """The rows of one output, still in bytes; a linkage file has one for each slot."""
    payload = [pl.col(_payload(output, rule)).alias(rule.name) for rule in output.columns]
    if output.identifiers is IdentifierForm.NONE:
        yield frame.select(payload)
    elif output.identifiers is IdentifierForm.PSEUDONYM:
        yield frame.select(pl.col(f"pseudonym.{output.name}").alias(PSEUDONYM), *payload)
    elif not tokens_in(output):
        yield frame.select(LINK_ID, *payload)
    else:
        for slot in range(1 + output.alias_slots):
            tokens = [
                pl.col(f"token.{output.name}.{slot}.{name}").alias(name) for name in output.tokens
            ]
            yield frame.select(LINK_ID, pl.lit(slot, dtype=pl.Int64).alias(SLOT), *tokens, *payload)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Sixteen bytes as base32, and values held as numbers as the texts that they are."""
    texts = frame.with_columns(
        pl.col(pl.Categorical).cast(pl.String),
        pl.col(pl.Array(pl.UInt8, 16)).arr.to_list().cast(pl.Binary),
    )
    binary = [name for name, kind in texts.schema.items() if kind == pl.Binary]
    return texts.with_columns(base32_column(texts.get_column(name)).alias(name) for name in binary)
