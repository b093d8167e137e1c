"""The privacy notice says every promise of a purpose: what is changed there is told otherwise.

N15: the text of the page is the policy. The parts are those that the review holds two
agreements to, and what a purpose reads, joins, keeps and never shares.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import policy, publishing
from gateway.policy.linting_promises import PROMISED
from gateway.policy.vocabulary import Identifier
from gateway.publishing import promises

POLICIES = Path(__file__).parents[2] / "policies"
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
TRAFFORD, STUDY = "trafford-stronger-families", "national-impact-study"
PATH = "agreements/trafford.toml"
JOINS = 'joins = [{ source = "family_progress", on = "person_id", take = "wide-by:wave" }]'
LINKED = '["PNC", "NPD", "ILR", "WPLS", "HES", "MHMDS", "IAPT", "MCDS", "NDTMS", "CMD"]'
NOTICE = 'version = "trafford-2015-04"\n'
IDENTIFIERS = 'identifiers = ["name", "address", "date_of_birth", "sex"]'

# Each change of the first purpose, by the part that it changes.
CHANGES: dict[str, list[tuple[str, str]]] = {
    "participation": [
        (f'participation = "{"objection"}"', f'participation = "{other}"')
        for other in ("consent", "opt-out", "statutory")
    ],
    "household": [('household = "drop-person"', 'household = "drop-family"')],
    "retain_until": [("retain_until = 2028-03-31", "retain_until = 2028-04-30")],
    "returns": [
        ('returns = "aggregates"', f'returns = "{other}"')
        for other in ("none", "decision", "updates")
    ],
    "notice.state": [
        ('state = "de-identified"', f'state = "{other}"')
        for other in ("anonymous", "pseudonymised", "identified")
    ],
    "notice.identifiers": [
        (IDENTIFIERS, 'identifiers = ["name", "address", "date_of_birth"]'),
        (IDENTIFIERS + "\n", ""),
    ],
    "notice.linked_with": [
        (f"linked_with = {LINKED}", 'linked_with = ["PNC"]'),
        (f"linked_with = {LINKED}\n", ""),
    ],
    "notice.level": [(NOTICE, NOTICE + 'level = "family"\n')],
    "notice.fields": [(NOTICE, NOTICE + 'fields = ["sex"]\n')],
    "joins": [
        (
            JOINS,
            "joins = []".replace(
                "[]", '[{ source = "early_help", on = "person_id", take = "latest" }]'
            ),
        ),
        (JOINS, JOINS.replace("wide-by:wave", "latest")),
        (JOINS, ""),
    ],
    "linked_with": [(JOINS, JOINS + '\nlinked_with = ["the census"]')],
    "take": [(JOINS, JOINS + '\ntake = "latest"')],
    "link_map_until": [("receipt+30d", "receipt+31d")],
    "prohibitions": [
        (JOINS, JOINS + '\nprohibitions = { nino = { clause = "1", reason = "Not needed." } }')
    ],
}


@pytest.fixture(scope="module")
def shipped() -> policy.Bundle:
    return policy.parse(DOCUMENTS)


def changed(old: str, new: str) -> policy.Bundle:
    assert old in DOCUMENTS[PATH], old
    return policy.parse(DOCUMENTS | {PATH: DOCUMENTS[PATH].replace(old, new, 1)})


def told(bundle: policy.Bundle) -> tuple[str, ...]:
    sections = publishing.notice(bundle.agreements[TRAFFORD], bundle)
    (found,) = [each for each in sections if each.heading == "National Impact Study"]
    return found.sentences


@pytest.mark.parametrize("part", [*PROMISED, *sorted(CHANGES.keys() - set(PROMISED))])
def test_a_changed_promise_is_a_changed_notice(part: str, shipped: policy.Bundle) -> None:
    notices = [told(shipped), *(told(changed(old, new)) for old, new in CHANGES[part])]
    assert len(set(notices)) == len(notices)


@pytest.mark.parametrize("part", ["returns", "notice.linked_with", "joins"])
def test_registers_follow_what_comes_back_and_what_is_linked_and_joined(
    part: str, shipped: policy.Bundle
) -> None:
    states = [shipped, *(changed(old, new) for old, new in CHANGES[part])]
    registers = [repr(publishing.agreement_register(each)) for each in states]
    records = [repr(publishing.record_of_processing(each)) for each in states]
    assert len(set(registers)) == len(set(records)) == len(states)


def test_the_study_says_what_comes_back_and_with_what_it_is_linked(shipped: policy.Bundle) -> None:
    sentences = told(shipped)
    assert (
        "Only counts and findings may come back to us. Nothing about you or your family comes "
        "back." in sentences
    )
    assert "- Police National Computer and Prisons Database (PNC)" in sentences
    assert "It is read from: The council's register of families." in sentences
    assert (
        "- Family progress, one column for each wave (when the item was collected), matched by "
        "the council's own person id" in sentences
    )


def test_no_word_of_a_document_stands_in_a_notice(shipped: policy.Bundle) -> None:
    raw = {
        *shipped.contracts,
        *shipped.vocabulary.cohorts,
        *(duty for duty in shipped.vocabulary.duties if "-" in duty),
        "wide-by",
        "receipt+",
        "class:",
        "free_text_notes",
        "(the-person)",
    } - {"health", "housing", "nominations", "pupils"}
    for agreement in shipped.agreements.values():
        text = publishing.notice_text(agreement, shipped)
        assert [word for word in sorted(raw) if word in text] == []


def test_every_word_that_a_promise_can_take_has_its_sentence() -> None:
    purpose = policy.agreements.Purpose.model_fields
    notice = policy.agreements.Notice.model_fields
    assert set(promises.RETURNS) == set(purpose["returns"].annotation.__args__)
    assert set(promises.COMING_BACK) == set(promises.RETURNS)
    assert set(promises.STATES) == set(notice["state"].annotation.__args__)
    assert set(promises.IDENTIFIERS) == set(Identifier.__args__)
