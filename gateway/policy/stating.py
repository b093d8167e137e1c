"""Any value of the documents in words, whatever its type.

What is written nowhere has to be readable too: nothing that a document may hold is
left out of a sentence because nobody thought of a form for it.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import PydanticUndefined

from gateway.policy.marks import marked
from gateway.policy.naming import Names, part_words
from gateway.policy.shapes import Document

NOTHING = "nothing"
_UNSAID: tuple[Any, ...] = (None, "", (), [], {})
_LISTS = (tuple, list, set, frozenset)


def attributes(value: Any) -> dict[str, Any] | None:
    """What a part of a document holds by its keys; None where the value has no keys of its own."""
    if isinstance(value, Document):
        return {key.rstrip("_"): getattr(value, key, None) for key in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): getattr(value, f.name, None) for f in dataclasses.fields(value)}
    return None


def is_list(value: Any) -> bool:
    """Whether a value is a list of a document."""
    return isinstance(value, _LISTS)


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: an empty text, list or table, or none at all."""
    return not isinstance(value, (bool, int, float)) and value in _UNSAID


def stated(names: Names, key: str, value: Any) -> str:
    """A value that stands at a key, in words.

    Args:
        names: what things are called.
        key: where it stands, with dots.
        value: of any type.
    """
    if is_empty(value):
        return NOTHING
    if isinstance(value, bool):
        return "*yes*" if value else "*no*"
    if isinstance(value, str):
        return names.in_part(key, str(value))
    if isinstance(value, Mapping) or is_list(value) or attributes(value) is not None:
        return _of_many(names, key, value) or NOTHING
    return marked(str(value))


def from_to(names: Names, key: str, old: Any, new: Any) -> str:
    """What a value was and what it is, never in the same words.

    Args:
        names: what things are called.
        key: where both stand, with dots.
        old: what was there.
        new: another one, or one of another kind.
    """
    before, after = stated(names, key, old), stated(names, key, new)
    if before == after:
        before, after = (f"{told} ({_kind(v)})" for told, v in ((before, old), (after, new)))
    return f"from {before} to {after}"


def _kind(value: Any) -> str:
    """What kind of value it is, where its words alone do not tell it from another."""
    if value is None:
        return "not written"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, Mapping):
        return "a table"
    found = {str: "a text", int: "a number", float: "a number with a point"}
    return "a list" if is_list(value) else found.get(type(value), "written")


def _of_many(names: Names, key: str, value: Any) -> str:
    """A table, a list or a part of a document in words."""
    if isinstance(value, Mapping):
        entries = sorted(value.items(), key=lambda each: str(each[0]))
        return "; ".join(
            f"{names.in_part(key, str(w))} {_inner(names, key, v)}" for w, v in entries
        )
    if is_list(value):
        return ", ".join(_inner(names, key, each) for each in value)
    return "; ".join(facts(names, key, value))


def facts(names: Names, key: str, value: Any, *, but: Iterable[str] = ()) -> Iterator[str]:
    """What a part of a document says, key by key, as far as it says something of its own."""
    usual = _usual(value)
    for inner, held in (attributes(value) or {}).items():
        if inner in but or is_empty(held) or (inner in usual and usual[inner] == held):
            continue
        at = f"{key}.{inner}" if key else inner
        owner = type(value).__name__
        words = part_words(at, of=owner) or part_words(inner, of=owner)
        named = at if part_words(at) else inner
        yield f"{words or inner.replace('_', ' ')} {_inner(names, named, held)}"


def _inner(names: Names, key: str, value: Any) -> str:
    """A value within another: what has parts of its own stands in brackets."""
    said = stated(names, key, value)
    return f"({said})" if _has_parts(value) else said


def _has_parts(value: Any) -> bool:
    if isinstance(value, Mapping) or attributes(value) is not None:
        return True
    return is_list(value) and len(value) > 1


def _usual(value: Any) -> dict[str, Any]:
    """What the keys of a part of a document hold where nothing is written."""
    if isinstance(value, Document):
        usual = {
            key: each.get_default(call_default_factory=True)
            for key, each in type(value).model_fields.items()
            if not each.is_required()
        }
    else:
        usual = {
            each.name: each.default
            for each in dataclasses.fields(value)
            if each.default is not dataclasses.MISSING
        }
    return {key.rstrip("_"): each for key, each in usual.items() if each is not PydanticUndefined}
