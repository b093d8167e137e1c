"""Keep the permitted columns and the token components; hide what masked people must not show.

Source: UK GDPR Art 5(1)(c), Art 25; requirement R67; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import polars as pl

from gateway.minimise.treatments import treated
from gateway.model import IdentifierForm, Plan
from gateway.model.stages import Minimised, Partitions, Willing, last_reading
from gateway.model.tokens import token_elements

ADDRESS_ELEMENTS = frozenset(f"std.{element}" for element in ("pc", "hn", "st", "town", "uprn"))
_MASKED = "~masked"
_SURNAMES = frozenset(("sn1", "sn2", "snx"))
_NOBODY = pl.lit(value=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """Who gets no token and no value derived from any part of an address, nor an alias row.

    Protected people (`protected` are person ids that the register of families marks),
    people at listed communal postcodes, and one in fifty of the others, so that a gap in
    a row marks nobody. The draw is the controller's own and stays: were it drawn anew,
    those who are masked in every release would be the protected ones.
    """

    seed: int = field(repr=False)
    communal: frozenset[str] = field(default=frozenset(), repr=False)
    protected: frozenset[str] = field(default=frozenset(), repr=False)
    one_in: int = 50

    def masked(self, columns: Collection[str]) -> pl.Expr:
        """Whether a row is masked."""
        drawn = pl.col("person").hash(seed=self.seed) % self.one_in == 0 if self.one_in else _NOBODY
        hidden = drawn | (pl.col("spine.protected").cast(pl.String) == "Y").fill_null(False)
        if self.protected:
            hidden |= pl.col("person").is_in(sorted(self.protected))
        if self.communal and "std.pc" in columns:
            hidden |= pl.col("std.pc").is_in(sorted(self.communal)).fill_null(False)
        return hidden


def minimise(willing: Willing, *, masking: Masking) -> Minimised:
    """Keep the permitted columns, treated, and the token components; drop the rest.

    Args:
        willing: who may be shared, with their source values.
        masking: who gets nothing that comes from an address.

    Returns:
        The same people in the same order. `payload.OUTPUT.COLUMN` for each column
        of each output, `std.ELEMENT` for each component of a listed token.

    Raises:
        RefusedError: a rule names a treatment that this gateway does not have.
    """
    plan = willing.plan
    keep = [pl.col("person"), pl.col("family")]
    for output in plan.outputs:
        keep += [
            _unmasked(treated(rule), rule.address).alias(f"payload.{output.name}.{rule.name}")
            for rule in output.columns
            if rule.treat != "pseudonym"
        ]
        keep += [
            _unmasked(pl.col(rule.source).cast(pl.String), rule.address).alias(
                f"subject.{output.name}.{rule.name}"
            )
            for rule in output.columns
            if rule.treat == "pseudonym"
        ]
    return Minimised(
        plan=plan,
        partitions=_Treated(willing.partitions, tuple(keep), _components(plan), masking),
        received=willing.received,
        counts=willing.counts,
    )


def linkage_elements(plan: Plan) -> tuple[str, ...]:
    """The standardised components that the Plan's tokens name, and no other."""
    needed: set[str] = set()
    for output in plan.outputs:
        if output.identifiers is IdentifierForm.TOKENS:
            for token in output.tokens:
                needed |= set(token_elements(token))
            if output.alias_slots:
                needed |= _SURNAMES
                if "alpha" in needed:
                    needed.add("fnx")  # the letters of a former name are sorted anew
    return tuple(sorted(needed))


def _components(plan: Plan) -> frozenset[str]:
    """The columns of those components, with former names in as many slots as are agreed."""
    elements = linkage_elements(plan)
    tokens = [output for output in plan.outputs if output.identifiers is IdentifierForm.TOKENS]
    slots = max((output.alias_slots for output in tokens), default=0)
    former = {f"former{n + 1}.{name}" for n in range(slots) for name in _SURNAMES}
    return frozenset(f"std.{name}" for name in (*elements, *former))


@dataclass(frozen=True, slots=True)
class _Treated:
    """Partitions of the willing, minimised as they are read."""

    source: Partitions
    keep: tuple[pl.Expr, ...]
    components: frozenset[str]
    masking: Masking

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self._treated(iter(self.source))

    def last(self) -> Iterator[pl.DataFrame]:
        """The same people for the last time."""
        return self._treated(last_reading(self.source))

    def _treated(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for whole in frames:
            frame = whole.with_columns(self.masking.masked(whole.columns).alias(_MASKED))
            present = [name for name in frame.columns if name in self.components]
            components = [_unmasked(pl.col(name), _hidden(name)) for name in present]
            yield frame.select(*self.keep, *components)


def _hidden(element: str) -> bool:
    """Whether a masked person's element is hidden: of an address, or a former name."""
    return element in ADDRESS_ELEMENTS or element.startswith("std.former")


def _unmasked(value: pl.Expr, hidden: bool) -> pl.Expr:
    """The value, or missing where it is hidden of someone who is masked."""
    return pl.when(~pl.col(_MASKED)).then(value) if hidden else value
