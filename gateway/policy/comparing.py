"""What a change of the documents adds or removes, in sentences.

A governance lead reads it before proposing a version, an approver before signing:
each sentence names what, to whom and by which clause.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.policy.agreements import Agreement, FieldRule, Output, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.cases import cases_by_name
from gateway.policy.naming import Names, part, titled
from gateway.policy.shapes import Document
from gateway.policy.token_names import expanded
from gateway.policy.treatments import expand_names, said

# Parts that are compared by sentences of their own.
_OWN = frozenset({"purposes", "outputs", "fields", "tokens", "prohibitions"})


def compare(old: Bundle, new: Bundle) -> list[str]:
    """What `new` adds, removes or changes beside `old`, one sentence each, sorted by agreement."""
    names = Names(old, new)
    said_ = list(_Comparison(names).agreements(old.agreements, new.agreements))
    kinds: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
        ("field", old.vocabulary.fields, new.vocabulary.fields),
        ("cohort", old.vocabulary.cohorts, new.vocabulary.cohorts),
        ("party", old.vocabulary.parties, new.vocabulary.parties),
        ("duty", old.vocabulary.duties, new.vocabulary.duties),
        ("legal basis", old.legal_bases, new.legal_bases),
        ("contract", old.contracts, new.contracts),
        ("recipient", old.recipients, new.recipients),
        ("protocol", old.knowledge.protocols, new.knowledge.protocols),
        ("outcome plan", old.outcome_plans, new.outcome_plans),
        ("case", cases_by_name(old), cases_by_name(new)),
    ]
    for kind, before, after in kinds:
        said_ += _entries(names, kind, before, after)
    return said_


def _entries(
    names: Names, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[str]:
    for each in sorted({*old, *new}):
        named = f"{kind} {names.of(kind, each)}"
        if each not in old:
            yield f"adds {named}"
        elif each not in new:
            yield f"removes {named}"
        elif old[each] != new[each]:
            parts = _differing(old[each], new[each])
            yield f"changes {named}{': ' + ', '.join(parts) if parts else ''}"


def _differing(old: Any, new: Any) -> list[str]:
    keys: Iterable[str] = getattr(type(old), "model_fields", None) or type(old).__slots__
    return [str(n).rstrip("_") for n in keys if getattr(old, n) != getattr(new, n)]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The sentences about agreements, in which things are called by their titles."""

    names: Names

    def agreements(
        self, old: Mapping[str, Agreement], new: Mapping[str, Agreement]
    ) -> Iterator[str]:
        for each in sorted({*old, *new}):
            if each not in old:
                yield f"adds agreement {self.names.of('agreement', each)}"
            elif each not in new:
                yield f"removes agreement {self.names.of('agreement', each)}"
                continue
            before = old.get(each)
            after = new[each]
            if before != after:
                yield from self.agreement(each, before, after)

    def agreement(self, key: str, old: Agreement | None, new: Agreement) -> Iterator[str]:
        here = self.names.of("agreement", key)
        if old is not None:
            yield from self.parts(old, new, here)
            yield from self.prohibitions(old.prohibitions, new.prohibitions, here)
        before = old.purposes if old else {}
        for each in sorted({*before, *new.purposes}):
            if each not in new.purposes:
                yield f"removes purpose {titled(before[each].title, each)} from {here}"
                continue
            purpose = new.purposes[each]
            named = titled(purpose.title, each)
            if each not in before:
                yield f"adds purpose {named} to {here}, clause {purpose.clause}"
            yield from self.purpose(named, before.get(each), purpose)

    def purpose(self, named: str, old: Purpose | None, new: Purpose) -> Iterator[str]:
        if old is not None:
            yield from self.parts(old, new, named)
            yield from self.prohibitions(old.prohibitions, new.prohibitions, named)
        before = old.outputs if old else {}
        for each in sorted({*before, *new.outputs}):
            if each not in new.outputs:
                yield f"removes output *{each}* from {named}"
                continue
            output = new.outputs[each]
            to = f"{named} for {self.names.of('recipient', output.recipient)}"
            if each not in before:
                yield f"adds output *{each}* to {to}, clause {output.clause}"
            elif before[each] != output:
                yield from self.parts(before[each], output, f"output *{each}* of {named}")
            yield from self.fields(to, before.get(each), output)
            yield from _tokens(to, before.get(each), output)

    def fields(self, to: str, old: Output | None, new: Output) -> Iterator[str]:
        before, after = _rules(old), _rules(new)
        for each in sorted({*before, *after}):
            rule = after[each] if each in after else before[each]
            named = self.names.of("field", rule.from_ or each, each, source=rule.source)
            if each not in after:
                yield f"removes {named} from {to}, clause {rule.clause}"
            elif each not in before:
                yield f"adds {named} to {to}, {said(rule.treat)}, clause {rule.clause}"
            elif before[each] != rule:
                yield from _rule(named, before[each], rule, to)

    def prohibitions(
        self, old: Mapping[str, Any], new: Mapping[str, Any], where: str
    ) -> Iterator[str]:
        for each in sorted({*old, *new}):
            named = self.names.of("field", each)
            if each not in old:
                yield f"prohibits {named} in {where}, clause {new[each].clause}"
            elif each not in new:
                yield f"no longer prohibits {named} in {where}, clause {old[each].clause}"
            elif old[each] != new[each]:
                yield f"changes the prohibition of {named} in {where}, clause {new[each].clause}"

    def parts(self, old: Document, new: Document, where: str) -> Iterator[str]:
        for key in _differing(old, new):
            if key in _OWN:
                continue
            before = getattr(old, key, getattr(old, f"{key}_", None))
            after = getattr(new, key, getattr(new, f"{key}_", None))
            yield from self.part(key, before, after, where)

    def part(self, key: str, old: Any, new: Any, where: str) -> Iterator[str]:
        if isinstance(old, Document) and isinstance(new, Document):
            for inner in _differing(old, new):
                held = inner if hasattr(old, inner) else f"{inner}_"
                pair = getattr(old, held), getattr(new, held)
                yield from self.part(f"{key}.{inner}", *pair, where)
        elif _words(old) and _words(new):
            for word in _minus(new, old):
                yield f"adds {self.names.in_part(key, word)} to {part(key)} of {where}"
            for word in _minus(old, new):
                yield f"removes {self.names.in_part(key, word)} from {part(key)} of {where}"
        elif old is None or isinstance(old, Document) or isinstance(new, Document):
            verb = "adds" if old is None else "removes" if new is None else "changes"
            yield f"{verb} {part(key)} {'to' if old is None else 'of'} {where}"
        else:
            before, after = self.show(key, old), self.show(key, new)
            yield f"changes {part(key)} of {where} from {before} to {after}"

    def show(self, key: str, value: Any) -> str:
        if isinstance(value, str):
            return self.names.in_part(key, value)
        if isinstance(value, (int, float, dt.date)):
            return f"*{value}*"
        return "what it was" if value else "nothing"


def _rule(named: str, old: FieldRule, new: FieldRule, to: str) -> Iterator[str]:
    if old.treat != new.treat:
        yield (
            f"changes {named} in {to}: {said(new.treat)} instead of {said(old.treat)}, "
            f"clause {new.clause}"
        )
    rest = [key for key in _differing(old, new) if key != "treat"]
    if rest:
        yield f"changes {', '.join(rest)} of {named} in {to}, clause {new.clause}"


def _rules(output: Output | None) -> dict[str, FieldRule]:
    fields = output.fields if output else {}
    return {each: rule for word, rule in fields.items() for each in expand_names(word)}


def _tokens(to: str, old: Output | None, new: Output) -> Iterator[str]:
    before = set(expanded(old.tokens or ())) if old else set()
    after = set(expanded(new.tokens or ()))
    for verb, preposition, tokens in (
        ("adds", "to", after - before),
        ("removes", "from", before - after),
    ):
        for each in sorted(tokens):
            yield f"{verb} token *{each}* {preposition} {to}, clause {new.clause}"


def _words(value: Any) -> bool:
    return value is None or (
        isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    )


def _minus(one: Iterable[str] | None, other: Iterable[str] | None) -> list[str]:
    return sorted(set(one or ()) - set(other or ()))
