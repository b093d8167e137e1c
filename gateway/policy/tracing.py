"""Every column that may leave, with the clause that lets it: read in both directions.

From a column to its clause, legal bases and recipient; from a clause to every
column, token, table and output that stands on it. An output field cannot be
written without a clause, so that a column without one cannot be built.

Source: UK GDPR Art 5(1)(b), (c), 5(2); docs/reference/policy.md, "Traceability".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.policy.agreements import Agreement, Output, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.column_names import SLOT
from gateway.policy.knowledge import Knowledge
from gateway.policy.resolving import Resolved, resolve_output
from gateway.policy.token_names import expanded, token_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One thing that may leave: what, from where, treated how, to whom, by which clause.

    `column` is its name in the output; `kind` column, token, slot (the number of the spelling
    that a row of tokens is made from) or table; `sources` the contract columns it is made of,
    as (dataset, column).
    """

    agreement: str
    version: int
    purpose: str
    output: str
    recipient: str
    kind: str
    column: str
    sources: tuple[tuple[str, str], ...]
    field: str
    treat: str
    clause: str
    legal_bases: tuple[str, ...]
    field_class: str
    dpv: str = ""


def traces(bundle: Bundle) -> tuple[Trace, ...]:
    """Every column, token and table of every agreement that loads, in a fixed order."""
    return tuple(
        trace
        for key in sorted(bundle.agreements)
        for trace in traces_of(bundle.agreements[key], bundle.knowledge)
    )


def traces_of(agreement: Agreement, knowledge: Knowledge) -> tuple[Trace, ...]:
    """The same of one agreement."""
    return tuple(
        trace
        for key, purpose in sorted(agreement.purposes.items())
        for name, output in sorted(purpose.outputs.items())
        for trace in _output(_Place(agreement, key, purpose, name, output), knowledge)
    )


def by_clause(found: tuple[Trace, ...]) -> Mapping[tuple[str, str], tuple[Trace, ...]]:
    """The other direction: what stands on each clause of each agreement."""
    standing: dict[tuple[str, str], list[Trace]] = {}
    for trace in found:
        standing.setdefault((trace.agreement, trace.clause), []).append(trace)
    return MappingProxyType({key: tuple(each) for key, each in sorted(standing.items())})


def stands_under(clause: str, asked: str) -> bool:
    """Whether a clause is the one that is asked for, or a part of it: 4.2(c)i is one of 4.2.

    Args:
        clause: as an agreement numbers it.
        asked: a clause; every one if empty.
    """
    end, rest = asked[-1:], clause[len(asked) :][:1]
    goes_on = (end.isdigit() and rest.isdigit()) or (end.isalpha() and rest.isalpha())
    return clause.startswith(asked) and not goes_on


@dataclass(frozen=True, slots=True)
class _Place:
    agreement: Agreement
    purpose_id: str
    purpose: Purpose
    name: str
    output: Output


def _output(place: _Place, knowledge: Knowledge) -> Iterator[Trace]:
    resolved, _faults = resolve_output(place.purpose, place.output, knowledge)
    for rule in resolved:
        yield from _columns(place, rule)
    yield from _tokens(place, knowledge)
    yield from _tables(place)


def _columns(place: _Place, rule: Resolved) -> Iterator[Trace]:
    for column in rule.columns():
        yield _trace(
            place,
            kind="column",
            column=column.name,
            sources=((column.dataset, column.column),),
            field=column.field,
            treat=column.treat,
            clause=column.clause,
            field_class=rule.entry.class_,
            dpv=rule.entry.dpv,
        )


def _tokens(place: _Place, knowledge: Knowledge) -> Iterator[Trace]:
    spine = knowledge.contracts.get(place.purpose.spine)
    carried = {column.field: column.name for column in spine.columns} if spine else {}
    if place.output.tokens:
        yield _trace(
            place,
            kind="slot",
            column=SLOT,
            sources=(),
            field="",
            treat="keep",
            clause=place.output.clause,
            field_class="plain",
        )
    for token in expanded(place.output.tokens or ()):
        fields = [field for field in sorted(token_fields(token)) if field in carried]
        yield _trace(
            place,
            kind="token",
            column=token,
            sources=tuple((place.purpose.spine, carried[field]) for field in fields),
            field=" ".join(fields),
            treat="token",
            clause=place.output.clause,
            field_class="direct",
        )


def _tables(place: _Place) -> Iterator[Trace]:
    for name, table in sorted(place.output.tables.items()):
        yield _trace(
            place,
            kind="table",
            column=name,
            sources=(),
            field=" ".join(table.by),
            treat=f"round:{table.round}",
            clause=table.clause,
            field_class="plain",
        )


def _trace(
    place: _Place,
    *,
    kind: str,
    column: str,
    sources: tuple[tuple[str, str], ...],
    field: str,
    treat: str,
    clause: str,
    field_class: str,
    dpv: str = "",
) -> Trace:
    return Trace(
        agreement=place.agreement.id,
        version=place.agreement.version,
        purpose=place.purpose_id,
        output=place.name,
        recipient=place.output.recipient,
        kind=kind,
        column=column,
        sources=sources,
        field=field,
        treat=treat,
        clause=clause,
        legal_bases=tuple(sorted(place.purpose.legal_bases)),
        field_class=field_class,
        dpv=dpv,
    )
