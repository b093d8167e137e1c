"""What the documents say together that none says alone: contradictions, and what is not needed.

Source: UK GDPR Art 5(1)(b), (c); ICO data sharing code; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import Contract
from gateway.policy.agreements import CLASS_PREFIX, Agreement
from gateway.policy.bundle import Bundle
from gateway.policy.findings import name
from gateway.policy.remarks import Remark, Weight
from gateway.policy.tracing import Trace, traces, traces_of
from gateway.policy.treatments import expand_names

# How many of the columns that leave elsewhere are named.
MOST_TOLD = 5
_ASK = "Ask the controllers which of the two they meant."
# What a contract asks for to tell rows, days and senders apart.
HOUSEKEEPING = frozenset({"src_row_id", "source_row", "extract_date", "source_org"})
# What the gateway itself reads to leave people out: never sent, and never to be taken out.
READ_TO_PROTECT = frozenset({"participation", "participation_date", "protected"})
# What it reads to tell whom a purpose is about, and families from persons.
READ_TO_CHOOSE = frozenset({"programme_arm", "criteria_met", "person_id", "family_id"})
NEEDED_HERE = HOUSEKEEPING | READ_TO_PROTECT | READ_TO_CHOOSE


def contradictions(bundle: Bundle, agreement: str = "") -> Iterator[Remark]:
    """What one agreement of a controller forbids, another of the same controller permits.

    Both are told: the one of what leaves under it, the other of what it forbids in vain.

    Args:
        bundle: the documents that load.
        agreement: remarks on this one only; empty for all.
    """
    here = [agreement] if agreement in bundle.agreements else []
    leaving = _Leaving(bundle)
    for key in here if agreement else sorted(bundle.agreements):
        for other in _kin(bundle, key):
            yield from _forbidden_elsewhere(leaving, bundle.agreements[key], other)
            yield from _leaves_elsewhere(leaving, bundle.agreements[key], other)


def _kin(bundle: Bundle, agreement: str) -> list[Agreement]:
    """The other agreements of the same controllers."""
    here = bundle.agreements[agreement]
    return [
        other
        for key, other in sorted(bundle.agreements.items())
        if key != agreement and not set(other.controllers).isdisjoint(here.controllers)
    ]


class _Leaving:
    """What leaves under each agreement, by every name that forbids it; worked out once each."""

    def __init__(self, bundle: Bundle) -> None:
        self._knowledge = bundle.knowledge
        self._found: dict[str, dict[str, list[Trace]]] = {}

    def under(self, agreement: Agreement, written: str) -> list[Trace]:
        """What leaves under an agreement although a word, or a range of words, forbids it."""
        if agreement.id not in self._found:
            known: dict[str, list[Trace]] = {}
            for trace in traces_of(agreement, self._knowledge):
                for word in _words(trace):
                    known.setdefault(word, []).append(trace)
            self._found[agreement.id] = known
        words = self._found[agreement.id]
        return [trace for word in expand_names(written) for trace in words.get(word, ())]


def _forbidden_elsewhere(leaving: _Leaving, here: Agreement, other: Agreement) -> Iterator[Remark]:
    for written, rule in other.prohibitions.items():
        for trace in leaving.under(here, written):
            yield Remark(
                weight=Weight.WARNING,
                code="lint/agreements-contradict",
                agreement=trace.agreement,
                purpose=trace.purpose,
                clause=trace.clause,
                sentence=f"{name(trace.column)} leaves here, and {name(other.id)} forbids it "
                f"(clause {rule.clause}).",
                remedy=_ASK,
            )


def _leaves_elsewhere(leaving: _Leaving, here: Agreement, other: Agreement) -> Iterator[Remark]:
    """One remark for each word that is forbidden here, whatever leaves under it there."""
    for written, rule in here.prohibitions.items():
        found = leaving.under(other, written)
        places = sorted({(each.purpose, each.column, each.clause) for each in found})
        if not places:
            continue
        shown = [f"{name(c)} for {name(p)} (clause {clause})" for p, c, clause in places]
        more = [f"{len(shown) - MOST_TOLD} more"] if len(shown) > MOST_TOLD else []
        yield Remark(
            weight=Weight.WARNING,
            code="lint/agreements-contradict",
            agreement=here.id,
            purpose="",
            clause=rule.clause,
            sentence=f"{name(written)} is forbidden here, and under {name(other.id)} it leaves: "
            f"{', '.join([*shown[:MOST_TOLD], *more])}.",
            remedy=_ASK,
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
