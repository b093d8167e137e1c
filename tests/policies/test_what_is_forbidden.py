"""What no agreement can permit: each refusal has its code, and its neighbour is permitted."""

from __future__ import annotations

import pytest

from tests.policies.shelf import around, changed, permitted, refused

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
