"""What no agreement can permit: each refusal has its code, and its neighbour is permitted."""

from __future__ import annotations

import pytest

from tests.policies.shelf import around, changed, permitted, refused

BASES = '["UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"]'
STATUTORY = ('participation = "objection"', 'participation = "statutory"')
INCLUDED = "policy/statutory-participation"
SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'
PSEUDONYMISED = ('state = "de-identified"', 'state = "pseudonymised"')


def _with(*fields: str) -> tuple[str, str]:
    return SEX, "\n".join([SEX, *fields])


def test_a_pseudonym_in_a_column_follows_a_person_beyond_a_notice_of_de_identified_data() -> None:
    column = _with('pid = { from = "person_id", treat = "pseudonym", clause = "1" }')
    assert refused(column) == {"policy/beyond-notice": "4.2(c)"}
    assert permitted(column, PSEUDONYMISED).outputs[1].state == "pseudonymised"


@pytest.mark.parametrize(
    "column", ["uprn", "house_no", "street", "postcode", "dob", "sex", "assessed", "forename"]
)
def test_what_anyone_can_list_is_never_a_pseudonym_alone(column: str) -> None:
    rule = _with(f'h = {{ from = "{column}", treat = "pseudonym", clause = "1" }}')
    assert "policy/low-cardinality-hash" in refused(rule, PSEUDONYMISED)


def test_nor_a_column_whose_role_says_that_it_is_an_address() -> None:
    """Whatever vocabulary entry a contract gives to it."""
    contract = changed(
        around()["datasets/family_register.toml"],
        ("[columns.street]\n", '[columns.street]\nfield = "case_id"\n'),
    )
    rule = _with('h = { from = "street", treat = "pseudonym", clause = "1" }')
    reasons = refused(rule, PSEUDONYMISED, datasets__family_register=contract)
    assert "policy/low-cardinality-hash" in reasons


@pytest.mark.parametrize(
    "bases",
    [
        BASES,
        BASES.replace("]", ', "UKGDPR-6-1-c"]'),
        '["UKGDPR-6-1-c", "DPA18-SCH1-4", "UKGDPR-9-2-f"]',
        '["UKGDPR-6-1-e", "UKGDPR-9-2-f", "DPA18-SCH1-36"]',
    ],
)
def test_nobody_is_included_against_their_word_without_a_law_that_says_so(bases: str) -> None:
    """Research never, whatever stands beside it; another purpose only by such a basis."""
    assert set(refused((BASES, bases), STATUTORY)) == {INCLUDED}


def test_a_law_in_force_that_says_so_lets_everyone_be_included() -> None:
    obligation = (BASES, '["UKGDPR-6-1-c", "UKGDPR-9-2-f", "DPA18-SCH1-36"]')
    assert permitted(obligation, STATUTORY)
    bases = changed(
        around()["legal-bases.toml"],
        (
            'that a legal obligation of the controller needs."\nsatisfies = ["article-6"]\n',
            'of an obligation."\nsatisfies = ["article-6"]\nvalid_to = 2026-06-14\n',
        ),
    )
    past = refused(obligation, STATUTORY, **{"legal-bases": bases})
    assert set(past) == {INCLUDED, "policy/article-6-missing", "policy/legal-basis-expired"}


def test_the_right_of_access_reaches_the_person_alone() -> None:
    assert "policy/basis-recipient" in refused((BASES, '["UKGDPR-15"]'))
