"""Does an agreement name only what the other documents know?

An unknown field, dataset, cohort, recipient, legal basis, token, duty or column
stops the agreement from loading, by name and with the nearest known one.

Source: docs/reference/policy.md, "Semantics".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping

from gateway.model import Contract, FieldClass, Role
from gateway.model.tokens import TOKEN_NAMES
from gateway.policy.agreements import CLASS_PREFIX, Agreement, Output, Purpose
from gateway.policy.column_names import column_faults
from gateway.policy.findings import Finding, bounded, name, place, suggest
from gateway.policy.knowledge import Knowledge
from gateway.policy.protocols import Protocol
from gateway.policy.resolving import WIDE, Fault, find_column, resolve_output
from gateway.policy.token_names import unknown_tokens
from gateway.policy.treatments import expand_names
from gateway.policy.vocabulary import Cohort, DateRange, Vocabulary


def agreement_faults(
    document: str, agreement: Agreement, knowledge: Knowledge, sound: Collection[str] = ()
) -> list[Finding]:
    """Every name of the agreement that the other documents do not know.

    What is found in a purpose depends on it and on the other documents alone: one that is
    known to be sound is not looked at again.
    """
    faults = _agreement(agreement, knowledge, sound)
    return bounded(document, (_finding(document, fault) for fault in faults))


def _agreement(
    agreement: Agreement, knowledge: Knowledge, sound: Collection[str]
) -> Iterator[Fault]:
    known = _prohibitable(agreement, knowledge)
    yield from _prohibition_faults(agreement.prohibitions, known)
    yield from _tier(agreement, knowledge)
    for key, purpose in agreement.purposes.items():
        for fault in _prohibition_faults(purpose.prohibitions, known):
            yield _under(fault, ("purposes", key))
        for fault in _purpose(purpose, knowledge) if key not in sound else ():
            yield _under(fault, ("purposes", key))


def protocol_faults(
    document: str, protocol: Protocol, vocabulary: Vocabulary, contracts: Mapping[str, Contract]
) -> list[Finding]:
    """Every word that a protocol forbids and nobody knows."""
    known = _known_words(vocabulary, contracts)
    return [
        _finding(document, fault) for fault in _prohibition_faults(protocol.prohibitions, known)
    ]


def cohort_faults(
    document: str, vocabulary: Vocabulary, contracts: Mapping[str, Contract]
) -> list[Finding]:
    """Every cohort that names a dataset, column or code that no contract has."""
    return [
        _finding(document, _under(fault, ("cohorts", key)))
        for key, cohort in vocabulary.cohorts.items()
        for fault in _cohort(cohort, contracts)
    ]


def _tier(agreement: Agreement, knowledge: Knowledge) -> Iterator[Fault]:
    """The protocol above, and whose signatures are dated."""
    if agreement.under is not None:
        above = (agreement.under,)
        yield from _unknown("policy/unknown-protocol", above, knowledge.protocols, ("under",))
    parties = dict.fromkeys((*agreement.controllers, *agreement.parties))
    yield from _unknown("policy/unknown-signatory", agreement.signed or (), parties, ("signed",))


def _purpose(purpose: Purpose, knowledge: Knowledge) -> Iterator[Fault]:
    yield from _unknown(
        "policy/unknown-legal-basis", purpose.legal_bases, knowledge.bases, ("legal_bases",)
    )
    yield from _unknown("policy/unknown-dataset", (purpose.spine,), knowledge.contracts, ("spine",))
    yield from _unknown(
        "policy/unknown-cohort", (purpose.subjects,), knowledge.vocabulary.cohorts, ("subjects",)
    )
    if knowledge.vocabulary.duties:
        yield from _unknown(
            "policy/unknown-duty", purpose.duties, knowledge.vocabulary.duties, ("duties",)
        )
    yield from _spine(purpose, knowledge)
    yield from _joins(purpose, knowledge)
    for key, output in purpose.outputs.items():
        for fault in _output(purpose, output, knowledge):
            yield _under(fault, ("outputs", key))


def _spine(purpose: Purpose, knowledge: Knowledge) -> Iterator[Fault]:
    cohort = knowledge.vocabulary.cohorts.get(purpose.subjects)
    if cohort is not None and cohort.from_ != purpose.spine:
        yield Fault(
            code="policy/cohort-not-of-spine",
            path=("subjects",),
            sentence=f"the cohort is of {name(cohort.from_)}, not of the spine.",
            remedy="The unit of a release is the person of the spine: name the same dataset.",
        )


def _joins(purpose: Purpose, knowledge: Knowledge) -> Iterator[Fault]:
    joins = purpose.joins or ()
    yield from _unknown(
        "policy/unknown-dataset", (j.source for j in joins), knowledge.contracts, ("joins",)
    )
    datasets = [purpose.spine, *(join.source for join in joins)]
    if len(set(datasets)) != len(datasets):
        yield Fault(
            code="policy/duplicate-join",
            path=("joins",),
            sentence="a dataset is joined twice.",
            remedy="Join each dataset once.",
        )
    for join in joins:
        contract, spine = (knowledge.contracts.get(d) for d in (join.source, purpose.spine))
        for where in (contract, spine):
            if where is not None:
                yield from _not_of_people(where, join.on)
        if contract is not None and join.take.startswith(WIDE):
            yield from _unknown_column(contract, join.take.removeprefix(WIDE), ("joins",))


def _not_of_people(contract: Contract, word: str) -> Iterator[Fault]:
    """A join is on the person id of both datasets, whatever each calls it."""
    yield from _unknown_column(contract, word, ("joins",))
    found = find_column(contract, word)
    if found is not None and found.role is not Role.PERSON_ID:
        yield Fault(
            code="policy/join-not-on-people",
            path=("joins",),
            sentence=f"{name(found.name)} of {name(contract.id)} is not its person id.",
            remedy="Join on the field of the person id, which both datasets carry.",
        )


def _output(purpose: Purpose, output: Output, knowledge: Knowledge) -> Iterator[Fault]:
    yield from _unknown(
        "policy/unknown-recipient", (output.recipient,), knowledge.recipients, ("recipient",)
    )
    yield from _tokens(output)
    resolved, faults = resolve_output(purpose, output, knowledge)
    yield from faults
    if not faults:
        yield from column_faults(output, resolved)


def _tokens(output: Output) -> Iterator[Fault]:
    for token in unknown_tokens(output.tokens or ()):
        yield Fault(
            code="policy/unknown-token",
            path=("tokens",),
            sentence=f"no token is called {name(token)}.",
            remedy=suggest(token, TOKEN_NAMES) or "Tokens are T01 to T39, TN-nhs, TN-upn, TN-nino.",
        )
    wanted = output.identifiers == "tokens"
    for key, given in (("tokens", output.tokens), ("key", output.key)):
        if wanted and given is None:
            yield Fault(
                code="policy/missing-key",
                path=(),
                sentence=f"{name(key)} is missing.",
                remedy="An output of tokens names its tokens and its study key.",
            )
        if not wanted and given is not None:
            yield Fault(
                code="policy/unexpected-tokens",
                path=(key,),
                sentence='tokens and their key belong to `identifiers = "tokens"`.',
                remedy="Remove them, or change `identifiers`.",
            )


def _prohibitable(agreement: Agreement, knowledge: Knowledge) -> frozenset[str]:
    """Fields, columns, classes, and the names that the agreement itself gives to columns."""
    given = {
        each
        for purpose in agreement.purposes.values()
        for output in purpose.outputs.values()
        for word in output.fields
        for each in expand_names(word)
    }
    return _known_words(knowledge.vocabulary, knowledge.contracts) | given


def _known_words(vocabulary: Vocabulary, contracts: Mapping[str, Contract]) -> frozenset[str]:
    columns = {c.name for contract in contracts.values() for c in contract.columns}
    classes = {f"{CLASS_PREFIX}{each.value}" for each in FieldClass}
    return frozenset({*vocabulary.fields, *columns, *classes})


def _prohibition_faults(prohibitions: Iterable[str], known: frozenset[str]) -> Iterator[Fault]:
    for word in prohibitions:
        for each in expand_names(word):
            if each not in known:
                yield Fault(
                    code="policy/unknown-field",
                    path=("prohibitions", word),
                    sentence=f"field {name(each)} is not in the vocabulary.",
                    remedy=suggest(each, known)
                    or "Correct the name: a prohibition of nothing protects nobody.",
                )


def _cohort(cohort: Cohort, contracts: Mapping[str, Contract]) -> Iterator[Fault]:
    contract = contracts.get(cohort.from_)
    if contract is None:
        yield from _unknown("policy/unknown-dataset", (cohort.from_,), contracts, ("from",))
        return
    for word, condition in cohort.where.items():
        column = find_column(contract, word)
        if column is None:
            yield from _unknown_column(contract, word, ("where",))
        elif isinstance(condition, (DateRange, dt.date)) != (column.type == "date"):
            yield Fault(
                code="policy/condition-does-not-fit",
                path=("where",),
                sentence=f"the condition does not fit the type of {name(word)}.",
                remedy="Use { from, to } for dates and a list for other columns.",
            )
        elif isinstance(condition, (tuple, str)) and column.codes:
            words = (condition,) if isinstance(condition, str) else condition
            known = dict.fromkeys(column.codes, "")
            yield from _unknown("policy/unknown-code", words, known, ("where",))


def _unknown(
    code: str, words: Iterable[str], known: Mapping[str, object], path: tuple[str, ...]
) -> Iterator[Fault]:
    kind = code.removeprefix("policy/unknown-").replace("-", " ")
    for word in words:
        if word not in known:
            yield Fault(
                code=code,
                path=path,
                sentence=f"{kind} {name(word)} is not known.",
                remedy=suggest(word, known) or "Add it to its document first, or correct the name.",
            )


def _unknown_column(contract: Contract, word: str, path: tuple[str, ...]) -> Iterator[Fault]:
    columns = [column.name for column in contract.columns]
    if find_column(contract, word) is None:
        yield Fault(
            code="policy/unknown-column",
            path=path,
            sentence=f"{name(contract.id)} has no column {name(word)}.",
            remedy=suggest(word, columns) or "Name a column of its contract.",
        )


def _under(fault: Fault, path: tuple[str, ...]) -> Fault:
    return Fault(
        code=fault.code, path=(*path, *fault.path), sentence=fault.sentence, remedy=fault.remedy
    )


def _finding(document: str, fault: Fault) -> Finding:
    return Finding(
        code=fault.code,
        document=document,
        where=place(fault.path),
        sentence=fault.sentence,
        remedy=fault.remedy,
        path=fault.path,
    )
