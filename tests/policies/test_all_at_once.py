"""Every finding of an agreement comes at once, and none that only follows from another."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.policy import Finding, load, readable
from gateway.policy.agreements import Agreement
from gateway.policy.bundle import build_agreement
from gateway.policy.reading import read
from gateway.policy.shapes import shape
from tests.policies.shelf import EXAMPLE, codes, documents

SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'
FOUR = """sex = { treat = "keep" }
ethncity = { treat = "keep", clause = "4.2(d)" }
gender = { from = "sex", treat = "keeep", clause = "4.2(d)" }
same = { from = "sex", treat = "keep", clause = "" }"""
LATER = ['"ons-research"', '"UKGDPR-84B"', '"programme-and-comparison"', '"research-only"']


def found(*changes: tuple[str, str]) -> list[str]:
    return sorted(finding.code for finding in load(documents(*changes))[1])


def test_a_missing_clause_hides_no_unknown_field_or_treatment() -> None:
    assert {*found((SEX, FOUR))} >= {
        "policy/missing-clause",
        "policy/value-malformed",
        "policy/unknown-field",
        "policy/unknown-treatment",
    }


@pytest.mark.parametrize("broken", ["ends = 2027-03-31\n", 'areas = ["Trafford"]\n', "k = 5\n"])
@pytest.mark.parametrize("name", LATER)
def test_a_missing_key_hides_no_unknown_name(broken: str, name: str) -> None:
    alone = found((name, name[:-1] + '-x"'))
    missing = found((broken, ""))
    assert found((broken, ""), (name, name[:-1] + '-x"')) == sorted([*missing, *alone])


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of a document."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def broken_at(tree: Any, path: tuple[Any, ...], how: str) -> Any:
    """The document with one key away, misspelt, or with a value that cannot be."""
    made = copy.deepcopy(tree)
    table = made
    for part in path[:-1]:
        table = table[part]
    if how == "gone":
        del table[path[-1]]
    elif how == "misspelt":
        table[f"{path[-1]}x"] = table.pop(path[-1])
    else:
        table[path[-1]] = 0.5
    return made


@pytest.mark.parametrize("how", ["gone", "misspelt", "malformed"])
def test_what_only_follows_is_not_said(how: str) -> None:
    """One fault of the shape in a document that is sound otherwise is all that is said."""
    document = "agreements/trafford.toml"
    tree, _ = read(document, EXAMPLE)
    knowledge = load(documents())[0].knowledge
    broken = [broken_at(tree, path, how) for path in places(tree)]
    tried = 0
    for each in broken:
        shapeless, faults = shape(Agreement, document, each)
        if shapeless is None:
            tried += 1
            assert build_agreement(document, each, knowledge)[1] == faults
    assert tried > 30
    assert codes() == set()


def broken_and(*more: tuple[str, str]) -> list[str]:
    """What is found in the example with a last day that cannot be, and more changes."""
    return found(("ends = 2027-03-31\n", "ends = 0.5\n"), *more)


def test_who_signed_is_looked_up_where_the_parties_are_known() -> None:
    signed = ("[prohibitions]", "[signed]\n'nobody-there' = 2026-01-01\n\n[prohibitions]")
    assert len(broken_and(signed)) == len(broken_and()) + len(found(signed))
    parties = re.search(r"^parties = .*\n", EXAMPLE, re.MULTILINE)
    assert parties is not None
    away = (parties[0], "")
    assert found(away, signed) == found(away), "whether they are a party is not known"


def test_a_prohibition_is_not_judged_by_purposes_that_cannot_be_read() -> None:
    prohibited = ("free_text_notes", "free_text_notez")
    assert "policy/unknown-field" in found(prohibited)
    spine = re.search(r"^spine += .*\n", EXAMPLE, re.MULTILINE)
    assert spine is not None
    away = (spine[0], "")
    assert found(away, prohibited) == found(away)


def test_what_is_broken_once_the_first_is_set_aside_is_set_aside_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its one output a purpose has none, which is no purpose; the rest is looked up."""
    purpose = "purposes.national-impact-study"
    end = EXAMPLE.index(f"[{purpose}.outputs.")
    text = f"{EXAMPLE[:end]}[{purpose}.outputs]\npayload = 5\n"
    unknown = text.replace("\ncontrollers = ", '\nunder = "nobody-there"\ncontrollers = ', 1)
    alone, both = ({finding.code for finding in _of(each)} for each in (text, unknown))
    assert alone == {"policy/value-malformed"}
    assert both == {"policy/value-malformed", "policy/unknown-protocol"}
    monkeypatch.setattr(readable, "ROUNDS", 1)
    assert {finding.code for finding in _of(unknown)} == alone


def _of(text: str) -> list[Finding]:
    return list(load({**documents(), "agreements/example.toml": text})[1])
