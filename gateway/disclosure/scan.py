"""The last gate: an independent look at what is about to leave, which can only say no.

It knows nothing of how the output was made. It reads the very cells that are
being written and stops them when a cell is an identifier, one of the batch's own
people, or a value that was never assessed. A finding names the column and the
grammar, never the cell.

Source: security point 18; UK GDPR Art 32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import polars as pl

from gateway.disclosure.directs import Directs, folded, unsalted
from gateway.disclosure.grammars import grammars_of
from gateway.disclosure.token_cells import of_token_form, token_cells
from gateway.errors import IntegrityError
from gateway.model import OutputPlan

# Cells of one column that were found clean are not looked at again, while they are few.
MOST_CLEARED: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRules:
    """What the Plan and the assessment say about an output's columns.

    `identifiers` hold tokens or link ids and must have their form, in every cell;
    `pseudonyms` of a field have it where they are, for the field may be missing;
    `clear` are exempt by name (`sealed-clear`, link slots); `dates` may hold full
    dates; `allowed` are the values that were assessed, per column, where few.
    """

    identifiers: frozenset[str] = frozenset()
    pseudonyms: frozenset[str] = frozenset()
    clear: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leak:
    """One finding: a column, the rule that it broke, and how many distinct cells did."""

    column: str
    rule: str
    cells: int


class Scan:
    """Looks at each block while it is serialised."""

    def __init__(
        self, rules: ScanRules, directs: Directs, digests: pl.Series | None = None
    ) -> None:
        """Scan one output against its rules and the batch's own direct identifiers.

        Args:
            rules: of this output.
            directs: of the batch.
            digests: `unsalted(directs)`, where several outputs share them.
        """
        self._rules = rules
        self._directs = directs
        self._digests = unsalted(directs) if digests is None else digests
        self._cleared: dict[str, pl.Series] = {}

    @cached_property
    def _token_digests(self) -> pl.Series:
        return of_token_form(self._digests)

    def check(self, block: pl.DataFrame) -> None:
        """Let a block pass in silence, or stop the release.

        Args:
            block: n rows as they are about to be written, text or typed.

        Raises:
            IntegrityError: a cell may not leave. Names column and rule, never the cell.
        """
        found = self.leaks(block)
        if found:
            raise IntegrityError(
                "disclosure/leak",
                "The last scan stopped the release: "
                + "; ".join(f'column "{leak.column}": {leak.rule}' for leak in found)
                + ".",
                remedy="Nothing has left. Correct the policy or the extract, then share again.",
                columns=len({leak.column for leak in found}),
            )

    def leaks(self, block: pl.DataFrame) -> tuple[Leak, ...]:
        """All findings in a block; an empty tuple lets it pass."""
        rules = self._rules
        seen = [name for name in block.columns if name not in rules.clear]
        found = {name: self._identifiers(block[name]) for name in seen if name in rules.identifiers}
        # Of a field that may be missing, nothing is written.
        mine = [name for name in seen if name in rules.pseudonyms]
        found |= {name: self._identifiers(block[name].drop_nulls()) for name in mine}
        fresh = {name: self._fresh(name, block[name]) for name in seen if name not in found}
        found |= self._columns({name: texts for name, texts in fresh.items() if texts.len()})
        return tuple(
            Leak(name, rule, cells) for name in seen for rule, cells in found.get(name, {}).items()
        )

    def _fresh(self, name: str, values: pl.Series) -> pl.Series:
        """The distinct cells that no block has shown before."""
        texts = _texts(values.unique())
        cleared = self._cleared.get(name)
        return texts if cleared is None else texts.filter(~texts.is_in(cleared.implode()))

    def _columns(self, fresh: Mapping[str, pl.Series]) -> dict[str, dict[str, int]]:
        """The findings of each column; what is clean is remembered."""
        unlisted = {name: self._unlisted(name, texts) for name, texts in fresh.items()}
        grammars: dict[str, dict[str, int]] = {}
        for dates in (True, False):
            names = [name for name in fresh if (name in self._rules.dates) is dates]
            told = grammars_of([unlisted[name] for name in names], dates=dates) if names else []
            grammars |= dict(zip(names, told, strict=True))
        found = {}
        for name, texts in fresh.items():
            found[name] = grammars[name] | self._texts(name, texts, unlisted[name])
            cleared = self._cleared.get(name, texts.clear())
            if not found[name] and cleared.len() < MOST_CLEARED:
                self._cleared[name] = pl.concat([cleared, texts])
        return found

    def _unlisted(self, name: str, texts: pl.Series) -> pl.Series:
        listed = self._rules.codes.get(name)
        return texts if listed is None else texts.filter(~_of_codes(texts, listed))

    def _texts(self, name: str, texts: pl.Series, unlisted: pl.Series) -> dict[str, int]:
        """The findings among distinct cells, but for those of a grammar."""
        found = self._own_people(unlisted, dates=name in self._rules.dates)
        found |= _among(texts, self._digests)
        allowed = self._rules.allowed.get(name)
        if allowed is not None and (strange := _outside(texts, allowed)):
            found["value-not-assessed"] = strange
        return found

    def _identifiers(self, values: pl.Series) -> dict[str, int]:
        """Every cell has the form of a token, and none is a bare digest."""
        wrong, met = token_cells(values, self._token_digests)
        if wrong:
            return {"not-a-token": wrong} | _among(values, self._digests)
        # A cell of the form of a token can be no digest of another form.
        return {"unsalted-digest": met} if met else {}

    def _own_people(self, texts: pl.Series, *, dates: bool) -> dict[str, int]:
        """Whole cells that are a name, date of birth, postcode or number of this batch."""
        cells = texts.alias("text").to_frame().select(folded(pl.col("text"))).to_series()
        if dates:
            cells = cells.filter(~cells.str.contains(r"^\d{8}$"))
        count = self._directs.known(cells)
        return {"direct-identifier": count} if count else {}


def scan_rules(
    output: OutputPlan,
    *,
    identifiers: Iterable[str],
    clear: Iterable[str] = (),
    values: Mapping[str, frozenset[str]] | None = None,
) -> ScanRules:
    """The rules of one output.

    Args:
        output: its column rules say which columns are dates and which have code lists.
        identifiers: the columns that hold tokens, pseudonyms or link ids.
        clear: columns that are exempt by name.
        values: the assessed values by column (`AssessedOutput.values`).
    """
    rules = output.columns
    return ScanRules(
        identifiers=frozenset(identifiers),
        pseudonyms=frozenset(rule.name for rule in rules if rule.treat == "pseudonym"),
        clear=frozenset(clear),
        dates=frozenset(rule.name for rule in rules if rule.is_date and rule.treat == "keep"),
        codes={rule.name: frozenset(rule.codes) for rule in rules if rule.codes},
        allowed=values or {},
    )


def _among(texts: pl.Series, digests: pl.Series) -> dict[str, int]:
    count = int(texts.is_in(digests.implode()).sum()) if texts.len() and digests.len() else 0
    return {"unsalted-digest": count} if count else {}


def _texts(values: pl.Series) -> pl.Series:
    return values.drop_nulls().cast(pl.String)


def _of_codes(texts: pl.Series, codes: frozenset[str]) -> pl.Series:
    """Whether each cell is a code of the column's list, or a set of them."""
    known = pl.Series([*codes], dtype=pl.String).implode()
    parts = texts.alias("text").to_frame().select(pl.col("text").str.split(";"))
    return parts.select(pl.col("text").list.eval(pl.element().is_in(known)).list.all()).to_series()


def _outside(texts: pl.Series, allowed: frozenset[str]) -> int:
    known = pl.Series([*allowed], dtype=pl.String).implode()
    return int((~texts.is_in(known)).sum())
