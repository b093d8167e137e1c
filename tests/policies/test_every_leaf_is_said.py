"""Nothing that an approver signs changes in silence: each leaf of each document is said."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from gateway.model import Contract
from gateway.policy import Bundle, compare
from gateway.policy.casebook import CaseBook
from gateway.policy.differing import Differing
from gateway.policy.knowledge import Knowledge
from gateway.policy.marks import unmarked
from gateway.policy.naming import Names
from gateway.policy.stating import attributes
from gateway.policy.vocabulary import Vocabulary
from tests.policies import shelf

# A text that no document holds; its star must not be taken for a mark.
NEW = "zq*7"


class Change(NamedTuple):
    """A value with one leaf changed: where, and what was there and is there."""

    value: Any
    at: str
    old: str = ""
    new: str = ""


def changes(value: Any, at: str) -> Iterator[Change]:
    """Each way to change one leaf of a value."""
    held = attributes(value)
    if held is not None:
        yield from _of_part(value, at)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            for each in changes(inner, f"{at}.{key}"):
                yield each._replace(value={**value, key: each.value})
            yield Change({k: v for k, v in value.items() if k != key}, f"{at}.-{key}", old=key)
    elif isinstance(value, tuple):
        yield from _of_list(value, at)
    elif isinstance(value, bool):
        yield Change(not value, at, *("yes", "no") if value else ("no", "yes"))
    elif isinstance(value, (int, float)):
        yield Change(value + 1, at, str(value), str(value + 1))
    elif isinstance(value, dt.date):
        later = value + dt.timedelta(days=1)
        yield Change(later, at, str(value), str(later))
    elif isinstance(value, str):
        yield Change(f"{value}{NEW}", at, str(value), f"{value}{NEW}")


def _of_part(value: Any, at: str) -> Iterator[Change]:
    for key in getattr(type(value), "model_fields", None) or value.__dataclass_fields__:
        inner = getattr(value, key)
        for each in changes(inner, f"{at}.{key}"):
            yield each._replace(value=_with(value, key, each.value))
        if inner is None:
            new = (NEW,) if key == "tokens" else NEW
            yield Change(_with(value, key, new), f"{at}.+{key}", new=NEW)
        elif key in usual_of(value) and inner != usual_of(value)[key]:
            usual = usual_of(value)[key]
            yield Change(_with(value, key, usual), f"{at}.-{key}", old=_leaf(_beside(inner, usual)))


def _beside(value: Any, usual: Any) -> Any:
    """What a list holds that it does not hold where it is left out."""
    if not isinstance(value, tuple) or not usual:
        return value
    return tuple(each for each in value if each not in usual)


def usual_of(value: Any) -> dict[str, Any]:
    """What the keys of a part hold where they are left out."""
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    return {
        key: each.get_default(call_default_factory=True)
        for key, each in type(value).model_fields.items()
        if not each.is_required()
    }


def _with(value: Any, key: str, inner: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{key: inner})  # type: ignore[type-var]
    return value.model_copy(update={key: inner})


def _of_list(value: tuple[Any, ...], at: str) -> Iterator[Change]:
    for n, inner in enumerate(value):
        for each in changes(inner, f"{at}.{n}"):
            yield each._replace(value=(*value[:n], each.value, *value[n + 1 :]))
        yield Change((*value[:n], *value[n + 1 :]), f"{at}.-{n}", old=_leaf(inner))
    if len(value) > 1:
        yield Change(value[::-1], f"{at}.reversed")
    if value and all(isinstance(each, str) for each in value):
        yield Change((NEW, *value), f"{at}.first", new=NEW)


def _leaf(value: Any) -> str:
    """A text or a number that stands in a value."""
    held = attributes(value)
    if held is not None:
        return next((_leaf(each) for each in held.values() if _leaf(each)), "")
    if isinstance(value, Mapping):
        return str(next(iter(value), ""))
    if isinstance(value, tuple):
        return _leaf(value[0]) if value else ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


NONE = Bundle(
    knowledge=Knowledge(
        vocabulary=Vocabulary.model_construct(fields={}, cohorts={}, parties={}, duties={}),
        bases={},
        contracts={},
        recipients={},
    )
)


def only(kind: str, key: str, value: Any) -> Bundle:
    """A bundle of one document."""
    if kind in {"agreements", "outcome_plans", "casebooks"}:
        return dataclasses.replace(NONE, **{kind: {key: value}})
    held = value if kind == "vocabulary" else {key: value}
    return dataclasses.replace(NONE, knowledge=dataclasses.replace(NONE.knowledge, **{kind: held}))


def every() -> Iterator[tuple[str, str, Any]]:
    """Each document that ships, with where a bundle holds it."""
    bundle = shelf.shipped()
    for kind in ("bases", "contracts", "recipients", "protocols"):
        for key, value in getattr(bundle.knowledge, kind).items():
            yield kind, key, _shorter(value) if kind == "contracts" else value
    for kind in ("agreements", "outcome_plans", "casebooks"):
        for key, value in getattr(bundle, kind).items():
            yield kind, key, value
    vocabulary = bundle.vocabulary
    yield "vocabulary", "", vocabulary.model_copy(update={"fields": {}})
    fields = list(vocabulary.fields.items())
    for at in range(0, len(fields), 40):  # in parts, to compare less each time
        yield (
            "vocabulary",
            str(at),
            NONE.vocabulary.model_copy(update={"fields": dict(fields[at : at + 40])}),
        )


def _shorter(contract: Contract) -> Contract:
    """A contract with one column of each kind: what is said of a hundred is said of one."""
    kinds = {}
    for column in contract.columns:
        usual = usual_of(column)
        said = {key for key in usual if getattr(column, key) != usual[key]}
        kinds.setdefault(frozenset(said), column)
    return dataclasses.replace(contract, columns=tuple(kinds.values()))


def _plain(text: str) -> str:
    """As read: an id and its title with spaces count as the same."""
    return re.sub(r"[-_.]", " ", text).casefold()


def _in(word: str, said: str, at: str) -> bool:
    if ".." in word and re.search(r"tokens|\.fields\.", at):
        word = word.partition("..")[0]  # each of a range is said
    return _plain(word) in said


@pytest.mark.parametrize(
    "kind", ["bases", "contracts", "recipients", "protocols", "agreements", "outcome_plans",
             "casebooks", "vocabulary"]
)  # fmt: skip
def test_each_changed_leaf_of_each_document_is_said_with_what_it_was_and_is(kind: str) -> None:
    tried = 0
    for each, key, value in every():
        if each != kind:
            continue
        before = only(kind, key, value)
        for change in changes(value, key):
            if change.value == value or _counts_for_nothing(kind, change.at):
                continue
            told = compare(before, only(kind, key, change.value))
            assert told, change.at
            said = _plain("\n".join(map(unmarked, told)))
            assert _in(change.old, said, change.at), (change.at, change.old, told)
            assert _in(change.new, said, change.at), (change.at, change.new, told)
            tried += 1
    assert tried > 20


def _counts_for_nothing(kind: str, at: str) -> bool:
    """Tables that are left empty, for a vocabulary; the order of cases, which means nothing."""
    return (kind == "vocabulary" and re.fullmatch(r"\d*\.-\w+", at) is not None) or (
        kind == "casebooks" and at.endswith(".cases.reversed")
    )


@pytest.mark.parametrize("odd", [None, 3, 2.5, True, "text", dt.date(2026, 1, 1), (), ("a", 1),
    {"a": (1,)}, {}, [{"b": None}], {"x"}, b"octets", object(), CaseBook, ({"a": 1}, {"b": 2}),
])  # fmt: skip
def test_no_value_whatever_its_type_stops_a_page(odd: object) -> None:
    here = Differing(Names(NONE))
    rule = next(iter(shelf.shipped().agreements.values())).prohibitions
    for other in (None, 3, "text", ("b",), {"a": "b"}, rule, NONE.vocabulary, object()):
        for old, new in ((odd, other), (other, odd)):
            told = list(here.part(here.place("key", "thing"), old, new))
            assert told or old == new
