"""A finding is shown at the line that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import policy
from gateway.policy.lines import finding_lines, line_of
from gateway.policy.reading import read

POLICIES = Path(__file__).parents[2] / "policies"
TRAFFORD = (POLICIES / "agreements" / "trafford.toml").read_text(encoding="utf-8")
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
TEXT = '''# first
id = "x"
[purposes.study]   # a purpose
title = """
id = "not a key"
"""
[purposes.study.outputs."out put".fields]
sex = { treat = "keep", clause = "1" }
age.treat = "age"
[[cases]]
name = "one"
[[cases]]
name = "two"
'''


def test_what_is_no_key_is_at_no_line() -> None:
    assert line_of("= 1\na. = 2\nb = 3\n", ("b",)) == 3


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("id",), 2),
        (("purposes", "study"), 3),
        (("purposes", "study", "title"), 4),
        (("purposes", "study", "outputs", "out put", "fields", "sex"), 8),
        (("purposes", "study", "outputs", "out put", "fields", "sex", "clause"), 8),
        (("purposes", "study", "outputs", "out put", "fields", "age", "treat"), 9),
        (("purposes", "study", "outputs", "out put", "fields", "missing"), 7),
        (("cases", 0, "name"), 11),
        (("cases", 1, "name"), 13),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_a_key_is_found_at_its_line_or_at_what_holds_it(
    path: tuple[str | int, ...], line: int
) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sex          = { treat = "keep"', 'sex          = { treat = "kept"'),
        ('household = "drop-person"                    #', 'household = "drop-dog"  #'),
        ("\nversion = 3\n", '\nversion = "three"\n'),
        ('tokens = ["T01..T39"]                      #', 'tokens = ["T99"]  #'),
        ("\nmethod = ", "\nmetod = "),
        ('benefits = "Families', 'benefits = "unended\n"Families'),
    ],
)
def test_a_fault_is_shown_where_it_was_made(old: str, new: str) -> None:
    assert old in TRAFFORD
    broken = TRAFFORD.replace(old, new, 1)
    changed = [
        number
        for number, (before, after) in enumerate(
            zip(TRAFFORD.splitlines(), broken.splitlines(), strict=False), start=1
        )
        if before != after
    ]
    _, findings = policy.load(DOCUMENTS | {"agreements/trafford.toml": broken})
    mine = [finding for finding in findings if finding.document == "agreements/trafford.toml"]
    assert changed[0] in finding_lines(broken, mine)


@given(st.text(max_size=200), st.lists(st.text(max_size=5), max_size=4))
def test_any_text_gives_a_line_that_exists(text: str, path: list[str]) -> None:
    assert 1 <= line_of(text, tuple(path)) <= max(1, len(text.splitlines()))


def test_what_nests_too_deep_is_at_its_own_line() -> None:
    text = "a = 1\n[b]\nc = 1\nd = " + "{ e = " * 14 + "1" + " }" * 14
    _, findings = read("agreements/x.toml", text)
    assert [finding.code for finding in findings] == ["policy/too-deep"]
    assert finding_lines(text, findings) == [4]
