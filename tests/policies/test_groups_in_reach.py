"""Whether groups can be reached is told from the least number that the key variables can form."""

from __future__ import annotations

import pytest

from gateway.policy import Stored
from tests.policies.test_lints import AGAIN, TRAFFORD, Fault, remarks

AGREEMENT = "trafford-stronger-families"
STUDY = "local-attendance-research"
ATTENDANCE = "datasets/school_attendance.toml"
KEYS = 'key_variables = ["sex", "age_band", "district"]\nk = 5'


def groups(keys: str, *, rows: int, more: tuple[str, str, str] | None = None) -> list[str]:
    """What is said of the study's groups with `rows` pupils, of whom two sexes are known."""
    changes = ((TRAFFORD, KEYS, f"key_variables = [{keys}]\nk = 5"), *((more,) if more else ()))
    stored = {"school_attendance": Stored(rows=rows, codes={"sex": {"1": rows, "2": 9, "9": 0}})}
    found = remarks(Fault(changes, stored=stored))
    about = "lint/k-out-of-reach", AGREEMENT, STUDY
    return [r.sentence for r in found if (r.code, r.agreement, r.purpose) == about]


@pytest.mark.parametrize(
    ("keys", "least"),
    [
        # Two sexes (one code stands in no row), sixteen ages, and places that nobody has counted.
        ('"sex"', 2 * 16),
        # A threshold is met or not.
        ('"excluded"', 2 * 16 * 2),
        # Bands at 1, 5, 15 and 30 are five: none, 1 to 4, 5 to 14, 15 to 29, 30 and more.
        ('"authorised"', 2 * 16 * 5),
        ('"authorised", "unauthorised", "excluded"', 2 * 16 * 5 * 5 * 2),
    ],
)
def test_groups_are_out_of_reach_below_k_rows_to_each_and_not_from_there(
    keys: str, least: int
) -> None:
    (told,) = groups(keys, rows=5 * least - 1)
    assert f"can form {least} groups or more" in told
    assert groups(keys, rows=5 * least) == []


@pytest.mark.parametrize(
    ("least", "most", "bands"),
    [("0", "140", 5), ("1", "140", 4), ("0", "29", 4), ("5", "14", 1), ("", "", 5)],
)
def test_a_band_that_no_agreed_number_reaches_is_no_group(
    least: str, most: str, bands: int
) -> None:
    agreed = f"min = {least}\nmax = {most}\n" if least else ""
    column = (
        '[columns.authorised]\nfield = "authorised_absence"\ntype = "integer"\nrequired = true\n'
    )
    rows = 5 * 2 * 16 * bands
    text = f"{column}min = 0\nmax = 140\n", f"{column}{agreed}"
    (told,) = groups('"authorised"', rows=rows - 1, more=(ATTENDANCE, *text))
    assert f"can form {2 * 16 * bands} groups or more" in told
    assert groups('"authorised"', rows=rows, more=(ATTENDANCE, *text)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "trafford-2015-04"', 'version = "trafford-2026-01"'),
        ('identifiers = ["address", "date_of_birth", "sex"]', None),
        ('state = "pseudonymised"', 'state = "anonymous"'),
    ],
    ids=["another version", "another order", "another promise"],
)
def test_only_what_people_were_told_makes_two_agreements_differ(old: str, new: str | None) -> None:
    start = AGAIN.index(f"[purposes.{STUDY}.notice]")
    text = new or 'identifiers = ["sex", "date_of_birth", "address"]'
    assert old in AGAIN[start:]
    again = AGAIN[:start] + AGAIN[start:].replace(old, text, 1)
    found = remarks(Fault(documents={"agreements/again.toml": again}))
    told = [r for r in found if r.code == "lint/promises-differ" and r.purpose == STUDY]
    assert bool(told) is ("anonymous" in text)
