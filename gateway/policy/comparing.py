"""What a change of the documents adds or removes, in sentences.

A governance lead reads it before proposing a version, an approver before signing:
each sentence names what, to whom and by which clause.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.policy.agreements import Agreement, FieldRule, Output, Prohibition, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.casebook import Case
from gateway.policy.differing import Differing
from gateway.policy.marks import marked, verbatim
from gateway.policy.naming import Names, part, titled
from gateway.policy.stating import attributes, from_to, is_empty, stated
from gateway.policy.token_names import expanded
from gateway.policy.treatments import expand_names, is_treatment, said

# Parts that are compared by sentences of their own.
_OWN = frozenset({"purposes", "outputs", "fields", "tokens", "prohibitions"})
# What the sentence that adds a thing says of it already.
_TOLD = frozenset({"id", "title", "clause", "recipient"})
# Parts of a new entry of which each item has a sentence.
_MANY = ("columns", "rules", "prohibitions", "criteria")


def compare(old: Bundle, new: Bundle) -> list[str]:
    """What `new` adds, removes or changes beside `old`, one sentence each, sorted by agreement.

    Whatever changes a digest is said, with what it was and what it is; what the documents
    say stands between stars (see `marks`).
    """
    names = Names(old, new)
    here = _Comparison(names, Differing(names))
    told = list(here.agreements(old.agreements, new.agreements))
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
        ("case", _cases(old), _cases(new)),
    ]
    for kind, before, after in kinds:
        told += here.entries(kind, before, after)
    version = here.differing.place("version", "the vocabulary")
    return [*told, *here.differing.part(version, *(b.vocabulary.version for b in (old, new)))]


def _cases(bundle: Bundle) -> dict[str, Case]:
    """Each case by its name; one whose name another has, with its place too."""
    found: dict[str, Case] = {}
    for document, book in sorted(bundle.casebooks.items()):
        for number, case in enumerate(book.cases, start=1):
            twice = case.name in found
            found[f"{case.name} ({document}, {number})" if twice else case.name] = case
    return found


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The sentences about agreements, in which things are called by their titles."""

    names: Names
    differing: Differing

    def entries(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        """What differs between the entries of one kind, beside the agreements."""
        for each in sorted({*old, *new}):
            named = f"{kind} {self.names.of(kind, each)}"
            if each not in old:
                yield f"adds {named}{self.content(': ', new[each])}"
                yield from self.many(new[each], named)
            elif each not in new:
                yield f"removes {named}{self.content(', which was: ', old[each])}"
            elif old[each] != new[each]:
                yield from self.entry(named, old[each], new[each])

    def content(self, lead: str, entry: Any) -> str:
        """What an entry says, but for its name and what has sentences of its own."""
        told = self.differing.content(entry, but=("id", "name", *_MANY))
        return f"{lead}{told}" if told else ""

    def many(self, new: Any, named: str) -> Iterator[str]:
        for key in _MANY:
            held = (attributes(new) or {}).get(key)
            if key == "prohibitions":
                yield from self.prohibitions({}, held or {}, named)
            elif not is_empty(held):
                yield from self.differing.part(self.differing.place(key, named), None, held)

    def entry(self, named: str, old: Any, new: Any) -> Iterator[str]:
        before, after = attributes(old), attributes(new)
        if before is None or after is None:
            yield f"changes {named} {from_to(self.names, '', old, new)}"
            return
        yield from self.differing.parts(old, new, named, but=("prohibitions",))
        rules = [each.get("prohibitions") or {} for each in (before, after)]
        yield from self.prohibitions(rules[0], rules[1], named)

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
        yield from self.parts(old, new, here)
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
        yield from self.parts(old, new, named)
        before = old.outputs if old else {}
        for each in sorted({*before, *new.outputs}):
            if each not in new.outputs:
                yield f"removes output *{each}* from {named}"
                continue
            output = new.outputs[each]
            to = f"{named} for {self.names.of('recipient', output.recipient)}"
            if each not in before:
                yield f"adds output *{each}* to {to}, clause {output.clause}"
            yield from self.parts(before.get(each), output, f"output *{each}* of {named}")
            yield from self.fields(to, before.get(each), output)
            yield from self.tokens(to, before.get(each), output)

    def parts(self, old: Any, new: Any, where: str) -> Iterator[str]:
        """What differs in an agreement, a purpose or an output, or what a new one says."""
        if old is None:
            named = verbatim(getattr(new, "title", "")) in where  # two may share a title
            yield from self.differing.sets(new, where, but=_OWN | _TOLD - {not named and "title"})
        elif old != new:
            yield from self.differing.parts(old, new, where, but=_OWN)
        rules = [getattr(each, "prohibitions", {}) for each in (old, new)]
        yield from self.prohibitions(rules[0], rules[1], where)

    def fields(self, to: str, old: Output | None, new: Output) -> Iterator[str]:
        before, after = _rules(old), _rules(new)
        for each in sorted({*before, *after}):
            rule = after[each] if each in after else before[each]
            named = self.names.of("field", rule.from_ or each, each, source=rule.source)
            if each not in after:
                yield f"removes {named} from {to}, clause {rule.clause}"
            elif each not in before:
                told = "".join(f", {fact}" for fact in self.made(rule))
                yield f"adds {named} to {to}, {said(rule.treat)}{told}, clause {rule.clause}"
            elif before[each] != rule:
                yield from self.rule(named, before[each], rule, to)
        yield from self.written(to, "fields", *(tuple(o.fields if o else ()) for o in (old, new)))

    def made(self, rule: FieldRule) -> Iterator[str]:
        """Whence and when the value of a new field is taken."""
        for key, said_ in (("from", "from"), ("source", "of"), ("at", "at"), ("waves", "at waves")):
            held = (attributes(rule) or {})[key]
            if held is not None:
                yield f"{said_} {stated(self.names, key, held)}"

    def rule(self, named: str, old: FieldRule, new: FieldRule, to: str) -> Iterator[str]:
        known = is_treatment(old.treat) and is_treatment(new.treat)
        if known and old.treat != new.treat:
            yield (
                f"changes {named} in {to}: {said(new.treat)} instead of {said(old.treat)}, "
                f"clause {new.clause}"
            )
        but = ("treat",) if known else ()
        for sentence in self.differing.parts(old, new, f"{named} in {to}", but=but):
            yield f"{sentence}, clause {new.clause}"

    def tokens(self, to: str, old: Output | None, new: Output) -> Iterator[str]:
        before, after = _tokens(old), _tokens(new)
        for verb, preposition, tokens in (
            ("adds", "to", after - before),
            ("removes", "from", before - after),
        ):
            for each in sorted(tokens):
                yield f"{verb} token {marked(each)} {preposition} {to}, clause {new.clause}"
        if before == after:
            yield from self.written(to, "tokens", *((o and o.tokens) or () for o in (old, new)))

    def written(
        self, to: str, key: str, old: tuple[str, ...], new: tuple[str, ...]
    ) -> Iterator[str]:
        """That the same is written in other words: a range instead of each name, say."""
        alike = _single(old) & _single(new)
        was = [each for each in old if each not in new and _single((each,)) <= alike]
        now = [each for each in new if each not in old and _single((each,)) <= alike]
        if was and now:
            told = [", ".join(marked(each) for each in words) for words in (now, was)]
            yield f"writes {part(key)} of {to} as {told[0]} instead of {told[1]}"
        elif key == "tokens" and sorted(old) == sorted(new) and old != new:
            yield f"changes the order of {part(key)} of {to}: now {_list(new)}; before {_list(old)}"

    def prohibitions(
        self, old: Mapping[str, Prohibition], new: Mapping[str, Prohibition], where: str
    ) -> Iterator[str]:
        for each in sorted({*old, *new}):
            named = self.names.of("field", each)
            if each not in old:
                rule = new[each]
                why = marked(rule.reason)
                yield f"prohibits {named} in {where}, clause {rule.clause}, because {why}"
            elif each not in new:
                yield f"no longer prohibits {named} in {where}, clause {old[each].clause}"
            elif old[each] != new[each]:
                at = f"the prohibition of {named} in {where}"
                yield from self.differing.parts(old[each], new[each], at)


def _rules(output: Output | None) -> dict[str, FieldRule]:
    fields = output.fields if output else {}
    return {each: rule for word, rule in fields.items() for each in expand_names(word)}


def _tokens(output: Output | None) -> set[str]:
    return _single((output and output.tokens) or ())


def _single(words: Iterable[str]) -> set[str]:
    """The single tokens or fields that words and ranges mean."""
    return {
        each for word in words for each in expanded((word,)) or expand_names(word)
    }  # a range of tokens that are not known is itself


def _list(words: Iterable[str]) -> str:
    return ", ".join(map(marked, words))
