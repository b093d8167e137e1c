"""No two outputs of one run can be joined by whoever receives both."""

from __future__ import annotations

import pytest

from gateway.model import Plan
from tests.policies.shelf import EXAMPLE, around, asked, changed, permitted, refused

PAYLOAD = "[purposes.national-impact-study.outputs.payload]"
MEET, SEPARATION = "policy/outputs-meet", "policy/no-functional-separation"
UNDERTAKING = (
    'participation = "objection"',
    'participation = "objection"\n'
    'functional_separation = { reference = "FS-1", approved = 2026-01-01, clause = "9" }',
)
PSEUDONYMISED = ('state = "de-identified"', 'state = "pseudonymised"')
RESEARCH_TWO = changed(
    around()["recipients/ons-research.toml"], ('id = "ons-research"', 'id = "ons-research-2"')
)


def _second(form: str, recipient: str = "ons-research", fields: str = "relation") -> str:
    section = PAYLOAD.replace("payload", "second")
    approval = (
        'approval = { reference = "x", approved = 2026-03-12, clause = "5" }\n'
        if form == "sealed-clear"
        else ""
    )
    limits = "" if approval else f'{section[:-1]}.disclosure]\nk = 5\non_small_group = "suppress"\n'
    rules = "".join(f'{f} = {{ treat = "keep", clause = "4.2(d)" }}\n' for f in fields.split())
    return (
        f'{section}\nrecipient = "{recipient}"\nidentifiers = "{form}"\nclause = "4.2(d)"\n'
        f"{approval}{section[:-1]}.fields]\n{rules}{limits}\n"
    )


def _with(second: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return ((f"{PAYLOAD}\n", f"{second}{PAYLOAD}\n"), *more)


def test_two_payloads_with_link_ids_may_not_go_to_one_recipient() -> None:
    """Joined by link id they would be rows of which no group was ever counted."""
    assert refused(*_with(_second("link-id"))) == {MEET: "4.2(d)"}


def test_nor_to_two_recipients_of_one_organisation_without_an_undertaking() -> None:
    change = _with(_second("link-id", "ons-research-2"))
    assert set(refused(*change, recipients__two=RESEARCH_TWO)) == {SEPARATION}
    assert permitted(*change, UNDERTAKING, recipients__two=RESEARCH_TWO)
    keyed = {
        "recipients__two": RESEARCH_TWO.replace("channel", 'key_id = "k"\nchannel'),
        "recipients__ons-research": around()["recipients/ons-research.toml"].replace(
            "channel", 'key_id = "K"\nchannel'
        ),
    }
    assert set(refused(*change, UNDERTAKING, **keyed)) == {MEET}


def test_two_payloads_with_the_same_pseudonym_may_not_meet_either() -> None:
    unit = ('identifiers = "link-id"', 'identifiers = "pseudonym"')
    assert set(refused(*_with(_second("pseudonym"), unit, PSEUDONYMISED))) == {MEET}
    rule = 'relation = { treat = "keep", clause = "4.2(d)" }'
    column = 'pid = { from = "person_id", treat = "pseudonym", clause = "4.2(d)" }'
    named = (rule, f"{rule}\n{column}")
    both = _with(_second("none"), named, unit, PSEUDONYMISED)
    assert set(refused(*both)) == {MEET}


def test_rows_without_any_id_in_common_are_not_joined() -> None:
    assert permitted(*_with(_second("none")))


@pytest.mark.parametrize("recipient", ["ons-linkage-unit"])
def test_tokens_and_names_in_clear_may_not_meet(recipient: str) -> None:
    """Together they tell whose each token is."""
    clear = _second("sealed-clear", recipient, "forename surname")
    assert MEET in refused(*_with(clear))


def test_two_lists_in_clear_hide_nothing_from_each_other() -> None:
    start = EXAMPLE.index("[purposes.national-impact-study.outputs.linkage]")
    clear = _second("sealed-clear", "ons-linkage-unit", "forename surname")
    both = clear + clear.replace("outputs.second", "outputs.third")
    assert isinstance(asked((EXAMPLE[start:], both)), Plan)
