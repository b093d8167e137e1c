"""What the documents say together that none says alone: contradictions, and what is not needed.

Source: UK GDPR Art 5(1)(b), (c); ICO data sharing code; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import Contract
from gateway.policy.agreements import CLASS_PREFIX
from gateway.policy.bundle import Bundle
from gateway.policy.findings import name
from gateway.policy.remarks import Remark, Weight
from gateway.policy.tracing import Trace, traces, traces_of
from gateway.policy.treatments import expand_names

# What a contract asks for to tell rows, days and senders apart.
HOUSEKEEPING = frozenset({"src_row_id", "source_row", "extract_date", "source_org"})
# What the gateway itself reads to leave people out: never sent, and never to be taken out.
READ_TO_PROTECT = frozenset({"participation", "participation_date", "protected"})
# What it reads to tell whom a purpose is about, and families from persons.
READ_TO_CHOOSE = frozenset({"programme_arm", "criteria_met", "person_id", "family_id"})
NEEDED_HERE = HOUSEKEEPING | READ_TO_PROTECT | READ_TO_CHOOSE


def contradictions(bundle: Bundle, agreement: str = "") -> Iterator[Remark]:
    """What one agreement of a controller forbids, another of the same controller permits.

    Args:
        bundle: the documents that load.
        agreement: what leaves under this one; empty for all.
    """
    for key in sorted(bundle.agreements):
        if agreement in ("", key):
            yield from _forbidden_elsewhere(bundle, key)


def _forbidden_elsewhere(bundle: Bundle, agreement: str) -> Iterator[Remark]:
    here = bundle.agreements[agreement]
    others = [
        other
        for key, other in sorted(bundle.agreements.items())
        if key != agreement and not set(other.controllers).isdisjoint(here.controllers)
    ]
    if not any(other.prohibitions for other in others):
        return
    leaving: dict[str, list[Trace]] = {}
    for trace in traces_of(here, bundle.knowledge):
        for word in _words(trace):
            leaving.setdefault(word, []).append(trace)
    for other in others:
        for written, rule in other.prohibitions.items():
            for trace in (each for w in expand_names(written) for each in leaving.get(w, ())):
                yield Remark(
                    weight=Weight.WARNING,
                    code="lint/agreements-contradict",
                    agreement=trace.agreement,
                    purpose=trace.purpose,
                    clause=trace.clause,
                    sentence=f"{name(trace.column)} leaves here, and {name(other.id)} forbids it "
                    f"(clause {rule.clause}).",
                    remedy="Ask the controllers which of the two they meant.",
                )


def _words(trace: Trace) -> frozenset[str]:
    """Every name under which a prohibition may meet what leaves."""
    columns = {column for _, column in trace.sources}
    kind = {CLASS_PREFIX + trace.field_class}
    return frozenset({trace.column, *trace.field.split(), *columns, *kind})


def unneeded(bundle: Bundle) -> Iterator[Remark]:
    """Columns that partners send and no purpose of any agreement needs: not to be collected."""
    needed = _leaving(bundle) | _choosing(bundle)
    read = {each.partition(".")[0] for each in needed}
    for contract in sorted(bundle.contracts.values(), key=lambda each: each.id):
        spare = _spare(contract, needed)
        if contract.id not in read:
            yield _advice(
                "lint/dataset-unread",
                f"No purpose reads {name(contract.id)}.",
                "Keep it only if the council itself needs it, under a retention of its own.",
            )
        elif spare:
            yield _advice(
                "lint/column-unneeded",
                f"{name(contract.id)} asks for columns that leave for no purpose: "
                f"{', '.join(spare)}.",
                "Take them out of the contract, unless the council itself needs them.",
            )


def newly_unneeded(before: Bundle, after: Bundle) -> tuple[Remark, ...]:
    """What a change of documents leaves without a need: the remark of each dataset it touches."""
    known = set(unneeded(before))
    return tuple(remark for remark in unneeded(after) if remark not in known)


def _spare(contract: Contract, needed: frozenset[str]) -> list[str]:
    kept = {column for rule in contract.rules for column in rule.columns}
    kept |= {column for together in contract.unique_together for column in together}
    kept |= {contract.protected_column}
    return [
        column.name
        for column in contract.columns
        if column.role is None
        and column.field not in NEEDED_HERE
        and column.name not in kept | HOUSEKEEPING
        and f"{contract.id}.{column.name}" not in needed
    ]


def _leaving(bundle: Bundle) -> frozenset[str]:
    return frozenset(f"{dataset}.{column}" for t in traces(bundle) for dataset, column in t.sources)


def _choosing(bundle: Bundle) -> frozenset[str]:
    """Columns that choose a cohort, join a dataset or say on which day an age is taken."""
    purposes = [p for each in bundle.agreements.values() for p in each.purposes.values()]
    chosen = {
        f"{cohort.from_}.{word}"
        for cohort in bundle.vocabulary.cohorts.values()
        for word in cohort.where
    }
    joins = {
        f"{dataset}.{word}"
        for purpose in purposes
        for join in purpose.joins or ()
        for dataset in (join.source, purpose.spine)
        for word in (join.on, join.take.partition(":")[2])
    }
    days = {
        f"{purpose.spine}.{rule.at}"
        for purpose in purposes
        for output in purpose.outputs.values()
        for rule in output.fields.values()
        if isinstance(rule.at, str)
    }
    return frozenset(chosen | joins | days)


def _advice(code: str, sentence: str, remedy: str) -> Remark:
    return Remark(
        weight=Weight.ADVICE,
        code=code,
        agreement="",
        purpose="",
        clause="",
        sentence=sentence,
        remedy=remedy,
    )
