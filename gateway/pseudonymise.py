"""No identifier leaves: link ids at random, tokens and pseudonyms under keys.

A link id is new for every release. A token is keyed BLAKE2b under the study's key
over components that the Plan names; where a component is missing the token is
random, so that the pattern of presence tells nothing. After this room no row says
who it is about; who received which link id goes to the sealed link map alone.

Source: UK GDPR Art 4(5); RFC 7693; docs/reference/pseudonyms.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from gateway import identity
from gateway.errors import RefusedError
from gateway.keyed_hash import blake2b_column
from gateway.model import IdentifierForm, OutputPlan, Plan
from gateway.model.reading import read_ahead
from gateway.model.stages import (
    Entropy,
    Minimised,
    Pseudonymised,
    Scratch,
    Spill,
    Wanted,
    every_column,
    last_reading,
)
from gateway.model.tokens import of_surname

_LINK = b"sfg1/link-id...."
_FILL = b"sfg1/fill......."
_SUBJECT = b"sfg1/subject-id."
_UNIT = b"sfg1/unit......."
_MARK_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputKeys:
    """The derived keys of one output; none where it needs none.

    `token` makes its tokens, `pseudonym` its pseudonyms, `subject` turns a subject
    into the internal id that a pseudonym is made of.
    """

    token: identity.TokenKey | None = field(default=None, repr=False)
    pseudonym: identity.PseudonymKey | None = field(default=None, repr=False)
    subject: bytes = field(default=b"", repr=False)


Key = TypeVar("Key", identity.TokenKey, identity.PseudonymKey)
LinkMap = Callable[[pl.DataFrame], None]


def pseudonymise(
    minimised: Minimised,
    keys: Mapping[str, OutputKeys],
    *,
    unit_key: bytes,
    scratch: Scratch,
    entropy: Entropy,
    link_map: LinkMap,
) -> Pseudonymised:
    """Replace everyone by a link id, linkage components by tokens, subjects by pseudonyms.

    Args:
        minimised: payload and linkage components of n people.
        keys: for each output by name.
        unit_key: 32 bytes, the controller's own: marks of families that never leave, the
            same in each release, so that releases can be compared.
        scratch: room for the result, which is read several times.
        entropy: the operating system's generator.
        link_map: takes `person` and `link_id`, for the sealed map.

    Returns:
        n rows: `unit`, `link_id` (16 bytes), `payload.OUTPUT.COLUMN`,
        `token.OUTPUT.SLOT.NAME` and `pseudonym.OUTPUT` (16 bytes each).

    Raises:
        RefusedError: an output is without the key that it needs.
    """
    random = _Random(entropy)
    held: list[Spill] = []
    rows = 0
    for frame in read_ahead(last_reading(minimised.partitions)):
        if not frame.height:
            continue
        made = _columns(frame, minimised.plan, keys, random, unit_key)
        link_map(pl.DataFrame({"person": frame["person"], "link_id": made["link_id"]}))
        spill = scratch.spill(1)
        spill.put(0, made)
        held.append(spill)
        rows += made.height
    return Pseudonymised(
        plan=minimised.plan,
        partitions=_Held(tuple(held)),
        received=minimised.received,
        counts=dict(minimised.counts),
        rows=rows,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """Partitions that were made once and are read several times."""

    spills: tuple[Spill, ...] = field(repr=False)
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for spill in self.spills:
            yield from spill.partition(0, self.wanted)

    def narrowed(self, wanted: Wanted) -> _Held:
        """The same partitions, with the wanted columns only."""
        return _Held(self.spills, wanted)


class _Random:
    """Unpredictable 16-byte columns: keyed BLAKE2b of a counter under a key of this run alone."""

    def __init__(self, entropy: Entropy) -> None:
        self._key = entropy(32)
        self._next = 0

    def column(self, rows: int, *, person: bytes) -> pl.Series:
        counter = pl.int_range(self._next, self._next + rows, eager=True).cast(pl.String)
        self._next += rows
        return blake2b_column(counter, self._key, person=person)


def _columns(
    frame: pl.DataFrame,
    plan: Plan,
    keys: Mapping[str, OutputKeys],
    random: _Random,
    unit_key: bytes,
) -> pl.DataFrame:
    few = _few(plan)
    payload = [
        pl.col(name).cast(pl.Categorical) if name in few and kind == pl.String else pl.col(name)
        for name, kind in frame.schema.items()
        if name.startswith("payload.")
    ]
    made = [random.column(frame.height, person=_LINK).alias("link_id")]
    for output in plan.outputs:
        made += list(_identifiers(frame, output, keys[output.name], random))
    made += _marks(frame, unit_key)
    columns = frame.select(payload).get_columns() if payload else []
    return pl.DataFrame([*columns, *(_dense(each) for each in made)])


def _marks(frame: pl.DataFrame, key: bytes) -> Iterator[pl.Series]:
    """Marks of each person, and of their family or of them without one: 64 bits, keyed."""
    named = pl.format("person:{}", "person").alias("mark")
    family = pl.coalesce("family", named).alias("unit")
    for names in frame.select(named, family).get_columns():
        digests = blake2b_column(names, key, person=_UNIT)
        marks = digests.bin.slice(0, _MARK_BYTES)
        yield marks.bin.reinterpret(dtype=pl.UInt64, endianness="little").alias(names.name)


def _dense(values: pl.Series) -> pl.Series:
    """Sixteen bytes a row and nothing beside them: this is held while others are made."""
    if values.dtype != pl.Binary:
        return values
    return values.bin.reinterpret(dtype=pl.Array(pl.UInt8, 16), endianness="little")


def _few(plan: Plan) -> frozenset[str]:
    """Payload columns of few values by their rule: held as numbers until they are written."""
    return frozenset(
        f"payload.{output.name}.{rule.name}"
        for output in plan.outputs
        for rule in output.columns
        if rule.codes or rule.treat not in {"keep", "pseudonym"}
    )


def _identifiers(
    frame: pl.DataFrame, output: OutputPlan, keys: OutputKeys, random: _Random
) -> Iterator[pl.Series]:
    if output.identifiers is IdentifierForm.TOKENS:
        key = _granted(keys.token)
        for slot in range(1 + output.alias_slots):
            made = _tokens(frame, slot, output.tokens, key)
            for name in output.tokens:
                filled = _filled(made.get(name), frame.height, random)
                yield filled.alias(f"token.{output.name}.{slot}.{name}")
    if output.identifiers is IdentifierForm.PSEUDONYM:
        yield _pseudonyms(frame["person"], keys).alias(f"pseudonym.{output.name}")
    for rule in output.columns:
        if rule.treat == "pseudonym":
            subject = frame[f"subject.{output.name}.{rule.name}"]
            yield _pseudonyms(subject, keys).alias(f"payload.{output.name}.{rule.name}")


def _tokens(
    frame: pl.DataFrame, slot: int, names: Sequence[str], key: identity.TokenKey
) -> dict[str, pl.Series]:
    """Every token that can be formed, under the present name (slot 0) or a former one."""
    elements = frame.select(pl.col("^std\\..*$").name.replace("^std\\.", ""))
    if slot:
        if f"former{slot}.sn1" not in elements.columns:
            return {}
        elements = identity.alias_elements(elements, f"former{slot}")
    formed = [
        name
        for name in identity.token_names(elements.columns)
        if name in names and (not slot or of_surname(name))
    ]
    return identity.token_columns(elements, formed, key).to_dict() if formed else {}


def _filled(made: pl.Series | None, rows: int, random: _Random) -> pl.Series:
    """A random token wherever there is none."""
    if made is None:
        return random.column(rows, person=_FILL)
    missing = made.null_count()
    if not missing:
        return made
    every = pl.concat([made, random.column(missing, person=_FILL).alias(made.name)], rechunk=True)
    # The place of each row among tokens and, behind them, their filling.
    absent = made.is_null()
    place = absent.cum_sum().cast(pl.Int64) + (rows - 1)
    kept = pl.int_range(0, rows, eager=True).zip_with(~absent, place)
    return every.gather(kept)


def _pseudonyms(subject: pl.Series, keys: OutputKeys) -> pl.Series:
    """A pseudonym of each subject: of its internal id, never of a case number."""
    key = _granted(keys.pseudonym)
    internal = blake2b_column(subject, keys.subject, person=_SUBJECT)
    return identity.pseudonyms(internal.bin.encode("hex"), key)


def _granted(key: Key | None) -> Key:
    """The key, or no release: nothing at random goes in the place of what is to be linked."""
    if key is None:
        raise RefusedError(
            "pseudonymise/no-key",
            "Tokens and pseudonyms need a key, which was not granted.",
            remedy="Ask a custodian for `gateway keys grant`.",
        )
    return key
