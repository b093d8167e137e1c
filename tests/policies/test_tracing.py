"""A clause is found by its number and by the number of what it is a part of."""

from __future__ import annotations

import pytest

from gateway.policy import stands_under


@pytest.mark.parametrize(
    ("clause", "asked", "found"),
    [
        ("4.2(c)i", "", True),
        ("4.2(c)i", "4.2(c)i", True),
        ("4.2(c)i", "4.2(c)", True),
        ("4.2(c)i", "4.2", True),
        ("4.2(c)i", "4", True),
        ("4.2(c)i", "4.2(c)ii", False),
        ("4.2(c)ii", "4.2(c)i", False),
        ("4.21", "4.2", False),
        ("14.2", "4.2", False),
        ("3(a)ii", "3(a)", True),
        ("", "4", False),
    ],
)
def test_a_clause_stands_under_another(clause: str, asked: str, found: bool) -> None:
    assert stands_under(clause, asked) is found
