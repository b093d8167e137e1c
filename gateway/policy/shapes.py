"""What every governed document shares: strict frozen models and named kinds of text.

An unknown key refuses; nothing is converted from one type to another; a list may
not be empty; a value is never quoted in an error.

Source: docs/reference/policy.md.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from gateway.model.unseen import is_blank
from gateway.policy.findings import Finding, bounded, name, place, suggest
from gateway.policy.reading import Tree


class Document(BaseModel):
    """A part of a governed document."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        regex_engine="rust-regex",
    )


Item = TypeVar("Item")
Shape = TypeVar("Shape", bound=Document)


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("this may not be blank.")
    return text


Some = Annotated[tuple[Item, ...], Field(min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
KeyLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+*-]{0,79}$")]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_not_blank)
]
Clause = Annotated[str, StringConstraints(pattern=r"^\S(.{0,78}\S)?$")]
# A value of a code list: anything but the semicolon that separates values in an extract.
Code = Annotated[str, StringConstraints(pattern=r"^[^;\s]([^;]{0,78}[^;\s])?$")]
Share = Annotated[float, Field(ge=0, le=1)]
# A class of the Data Privacy Vocabulary or of its extension for personal data.
Term = Annotated[str, StringConstraints(pattern=r"^((dpv|pd):[A-Z][A-Za-z]{1,78})?$")]
Days = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}[dwmy]$")]

_MISSING = {"clause": "policy/missing-clause", "ends": "policy/missing-end-date"}
_SPEECH = {
    "date_type": "this must be a date such as 2026-04-01, without quotes.",
    "string_type": "this must be text in quotes.",
    "int_type": "this must be a whole number, without quotes.",
    "float_type": "this must be a number, without quotes.",
    "bool_type": "this must be true or false, without quotes.",
    "tuple_type": "this must be a list in square brackets.",
    "dict_type": "this must be a table.",
    "model_type": "this must be a table.",
    "string_too_short": "this may not be empty.",
    "string_pattern_mismatch": "this is not in the form that the reference gives for it.",
}


def shape(model: type[Shape], document: str, tree: Tree) -> tuple[Shape | None, list[Finding]]:
    """The tree as a model, or every finding that forbids it."""
    try:
        return model.model_validate(tree), []
    except ValidationError as fault:
        errors = fault.errors(include_url=False, include_input=False, include_context=True)
        said = (_finding(model, document, tree, error) for error in errors)
        return None, bounded(document, _distinct(said))


def _distinct(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding once: a value that might have had several forms fails each of them."""
    seen: set[Finding] = set()
    for finding in findings:
        if finding not in seen:
            seen.add(finding)
            yield finding


def _finding(model: type[Document], document: str, tree: Tree, error: Any) -> Finding:
    kind, path = str(error["type"]), _real(tree, tuple(error["loc"]))
    if kind in {"extra_forbidden", "missing"}:
        path = tuple(error["loc"])
        code, sentence, remedy = _key_fault(kind, model, path)
        return replace(_say(code, document, path[:-1], sentence, remedy), path=path)
    if kind == "too_short":
        return _say(
            "policy/empty-list",
            document,
            path,
            "the list is empty.",
            "Name at least one, or ask for none.",
        )
    if kind == "literal_error":
        return _literal(document, tree, path, str(error["ctx"]["expected"]))
    if kind == "value_error":
        return _say("policy/value-malformed", document, path, str(error["ctx"]["error"]), "")
    if kind == "string_too_long":
        most = f"this is longer than {error['ctx']['max_length']:,} characters."
        return _say("policy/value-malformed", document, path, most, "Say it in fewer words.")
    sentence = _SPEECH.get(kind, f"this is not as the reference asks ({kind.replace('_', ' ')}).")
    return _say("policy/value-malformed", document, path, sentence, "See docs/reference/policy.md.")


def _key_fault(
    kind: str, model: type[Document], path: tuple[str | int, ...]
) -> tuple[str, str, str]:
    key = str(path[-1])
    if kind == "missing":
        return (
            _MISSING.get(key, "policy/missing-key"),
            f"{name(key)} is missing.",
            f"Add {name(key)}: what is not written is refused.",
        )
    near = suggest(key, known_keys(model, path[:-1]))
    return "policy/unknown-key", f"the key {name(key)} is not known.", near or "Remove it."


def _literal(document: str, tree: Tree, path: tuple[str | int, ...], expected: str) -> Finding:
    words = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    word = _at(tree, path)
    near = suggest(word, words) if isinstance(word, str) else ""
    said = f"{name(word)} is not one of its words." if isinstance(word, str) else "not a word."
    return _say(
        "policy/unknown-word", document, path, said, f"{near} It is one of {expected}.".strip()
    )


def _say(
    code: str, document: str, path: tuple[str | int, ...], sentence: str, remedy: str
) -> Finding:
    return Finding(
        code=code,
        document=document,
        where=place(path),
        sentence=sentence,
        remedy=remedy,
        path=path,
    )


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def _real(tree: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path as far as the document has it: pydantic appends the branch of a union."""
    for depth, part in enumerate(path):
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return path[:depth]
    return path


def known_keys(model: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that a document may have at this place."""
    kinds = [model]
    for part in path:
        kinds = [step for kind in kinds for step in _steps(kind, part)]
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return tuple(field.alias or key for kind in found for key, field in kind.model_fields.items())


def _steps(kind: Any, part: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for key, field in kind.model_fields.items():
            if part in {key, field.alias}:
                return _branches(field.annotation)
        return []
    arguments = typing.get_args(kind)
    return _branches(arguments[0 if isinstance(part, int) else -1]) if arguments else []


def _branches(kind: Any) -> list[Any]:
    if typing.get_origin(kind) is Annotated:
        return _branches(typing.get_args(kind)[0])
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        return [branch for each in typing.get_args(kind) for branch in _branches(each)]
    return [kind]
