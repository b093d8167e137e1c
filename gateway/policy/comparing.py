"""What a change of the documents adds or removes, in sentences.

A governance lead reads it before proposing a version, an approver before signing:
each sentence names what, to whom and by which clause.

Source: docs/reference/policy.md, "Decision, explanation, comparison".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.policy.agreements import Agreement, FieldRule, Output, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.shapes import Document
from gateway.policy.token_names import expanded
from gateway.policy.treatments import expand_names, said

# Parts that are compared by sentences of their own.
_OWN = frozenset({"purposes", "outputs", "fields", "tokens", "prohibitions"})


def compare(old: Bundle, new: Bundle) -> list[str]:
    """What `new` adds, removes or changes beside `old`, one sentence each, sorted by agreement."""
    said_ = list(_agreements(old.agreements, new.agreements))
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
    ]
    for kind, before, after in kinds:
        said_ += _entries(kind, before, after)
    return said_


def _entries(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for each in sorted({*old, *new}):
        if each not in old:
            yield f"adds {kind} *{each}*"
        elif each not in new:
            yield f"removes {kind} *{each}*"
        elif old[each] != new[each]:
            parts = _differing(old[each], new[each])
            yield f"changes {kind} *{each}*{': ' + ', '.join(parts) if parts else ''}"


def _differing(old: Any, new: Any) -> list[str]:
    names: Iterable[str] = getattr(type(old), "model_fields", None) or type(old).__slots__
    return [str(n).rstrip("_") for n in names if getattr(old, n) != getattr(new, n)]


def _agreements(old: Mapping[str, Agreement], new: Mapping[str, Agreement]) -> Iterator[str]:
    for each in sorted({*old, *new}):
        if each not in old:
            yield f"adds agreement *{each}*"
        elif each not in new:
            yield f"removes agreement *{each}*"
            continue
        before = old.get(each)
        after = new[each]
        if before != after:
            yield from _agreement(each, before, after)


def _agreement(key: str, old: Agreement | None, new: Agreement) -> Iterator[str]:
    if old is not None:
        yield from _parts(old, new, f"*{key}*")
        yield from _prohibitions(old.prohibitions, new.prohibitions, f"*{key}*")
    before = old.purposes if old else {}
    for each in sorted({*before, *new.purposes}):
        if each not in new.purposes:
            yield f"removes purpose *{each}* from *{key}*"
            continue
        if each not in before:
            yield f"adds purpose *{each}* to *{key}*, clause {new.purposes[each].clause}"
        yield from _purpose(each, before.get(each), new.purposes[each])


def _purpose(key: str, old: Purpose | None, new: Purpose) -> Iterator[str]:
    if old is not None:
        yield from _parts(old, new, f"*{key}*")
        yield from _prohibitions(old.prohibitions, new.prohibitions, f"*{key}*")
    before = old.outputs if old else {}
    for each in sorted({*before, *new.outputs}):
        if each not in new.outputs:
            yield f"removes output *{each}* from *{key}*"
            continue
        output = new.outputs[each]
        if each not in before:
            yield (
                f"adds output *{each}* to *{key}* for *{output.recipient}*, clause {output.clause}"
            )
        elif before[each] != output:
            yield from _parts(before[each], output, f"output *{each}* of *{key}*")
        yield from _fields(key, before.get(each), output)
        yield from _tokens(key, before.get(each), output)


def _fields(purpose: str, old: Output | None, new: Output) -> Iterator[str]:
    before, after = _rules(old), _rules(new)
    for each in sorted({*before, *after}):
        to = f"*{purpose}* for *{new.recipient}*"
        if each not in after:
            yield f"removes *{each}* from {to}, clause {before[each].clause}"
        elif each not in before:
            rule = after[each]
            yield f"adds *{each}* to {to}, {said(rule.treat)}, clause {rule.clause}"
        elif before[each] != after[each]:
            yield from _rule(each, before[each], after[each], to)


def _rule(each: str, old: FieldRule, new: FieldRule, to: str) -> Iterator[str]:
    if old.treat != new.treat:
        yield (
            f"changes *{each}* in {to}: {said(new.treat)} instead of {said(old.treat)}, "
            f"clause {new.clause}"
        )
    rest = [part for part in _differing(old, new) if part != "treat"]
    if rest:
        yield f"changes {', '.join(rest)} of *{each}* in {to}, clause {new.clause}"


def _rules(output: Output | None) -> dict[str, FieldRule]:
    fields = output.fields if output else {}
    return {each: rule for word, rule in fields.items() for each in expand_names(word)}


def _tokens(purpose: str, old: Output | None, new: Output) -> Iterator[str]:
    before = set(expanded(old.tokens or ())) if old else set()
    after = set(expanded(new.tokens or ()))
    for verb, preposition, names in (
        ("adds", "to", after - before),
        ("removes", "from", before - after),
    ):
        for each in sorted(names):
            yield (
                f"{verb} token *{each}* {preposition} *{purpose}* for *{new.recipient}*, "
                f"clause {new.clause}"
            )


def _prohibitions(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[str]:
    for each in sorted({*old, *new}):
        if each not in old:
            yield f"prohibits *{each}* in {where}, clause {new[each].clause}"
        elif each not in new:
            yield f"no longer prohibits *{each}* in {where}, clause {old[each].clause}"
        elif old[each] != new[each]:
            yield f"changes the prohibition of *{each}* in {where}, clause {new[each].clause}"


def _parts(old: Document, new: Document, where: str) -> Iterator[str]:
    for part in _differing(old, new):
        if part in _OWN:
            continue
        before = getattr(old, part, getattr(old, f"{part}_", None))
        after = getattr(new, part, getattr(new, f"{part}_", None))
        yield from _part(part, before, after, where)


def _part(part: str, old: Any, new: Any, where: str) -> Iterator[str]:
    if isinstance(old, Document) and isinstance(new, Document):
        for inner in _differing(old, new):
            key = inner if hasattr(old, inner) else f"{inner}_"
            yield from _part(f"{part}.{inner}", getattr(old, key), getattr(new, key), where)
    elif _words(old) and _words(new):
        yield from (f"adds {_show(w)} to {part} of {where}" for w in _minus(new, old))
        yield from (f"removes {_show(w)} from {part} of {where}" for w in _minus(old, new))
    elif old is None or isinstance(old, Document) or isinstance(new, Document):
        verb = "adds" if old is None else "removes" if new is None else "changes"
        yield f"{verb} {part} {'to' if old is None else 'of'} {where}"
    else:
        yield f"changes {part} of {where} from {_show(old)} to {_show(new)}"


def _words(value: Any) -> bool:
    return value is None or (
        isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    )


def _minus(one: Iterable[str] | None, other: Iterable[str] | None) -> list[str]:
    return sorted(set(one or ()) - set(other or ()))


def _show(value: Any) -> str:
    if isinstance(value, (str, int, float, dt.date)):
        return f"*{value}*"
    return "what it was" if value else "nothing"
