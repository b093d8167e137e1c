"""The review says what a good information lawyer would say, and only that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gateway import policy
from gateway.policy import Weight, review

POLICIES = Path(__file__).parents[2] / "policies"
SHIPPED = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
TRAFFORD = "agreements/trafford.toml"
ON = dt.date(2026, 11, 22)


def remarks(on: dt.date = ON, **changes: str) -> set[tuple[str, str, str]]:
    documents = SHIPPED | {path.replace("__", "/") + ".toml": t for path, t in changes.items()}
    found = review(policy.parse(documents), on=on)
    return {(remark.code, remark.agreement, remark.purpose) for remark in found}


def trafford(old: str, new: str, *, on: dt.date = ON) -> set[tuple[str, str, str]]:
    text = SHIPPED[TRAFFORD]
    assert old in text
    return remarks(on, agreements__trafford=text.replace(old, new, 1))


STUDY = ("trafford-stronger-families", "national-impact-study")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("retain_until = 2028-03-31", "retain_until = 2027-03-01", "lint/destroyed-while-shared"),
        ("retain_until = 2028-03-31", "retain_until = 2040-03-31", "lint/kept-long"),
        (
            'legal_bases = ["UKGDPR-6-1-e",',
            'legal_bases = ["UKGDPR-6-1-a", "UKGDPR-6-1-e",',
            "lint/consent-beside",
        ),
        ('dpia = "DPIA-2026-014"\n', "", "policy/no-dpia"),
        ('"UKGDPR-9-2-j", ', "", "policy/article-9-missing"),
        (
            'recipient = "ons-research"',
            'recipient = "trafford-stronger-families"',
            "lint/research-to-operations",
        ),
    ],
)
def test_each_fault_of_a_purpose_is_remarked(old: str, new: str, code: str) -> None:
    assert (code, *STUDY) in trafford(old, new)
    assert (code, *STUDY) not in remarks()


def test_a_provision_that_has_ended_is_a_problem() -> None:
    found = trafford('"UKGDPR-84B"', '"UKGDPR-89"')
    assert ("policy/legal-basis-expired", *STUDY) in found


def test_an_expiring_provision_is_seen_before_it_ends() -> None:
    text = SHIPPED[TRAFFORD].replace('"UKGDPR-84B"', '"UKGDPR-89"', 1)
    text = text.replace("starts = 2026-04-01", "starts = 2025-10-01", 1)
    found = remarks(dt.date(2025, 12, 1), agreements__trafford=text)
    assert ("lint/basis-expires", *STUDY) in found


def test_a_review_is_announced_three_months_before() -> None:
    due = ("lint/review-soon", "trafford-stronger-families", "")
    assert due in remarks()
    assert due not in remarks(dt.date(2026, 9, 30))


def test_an_agreement_ahead_is_reviewed_as_of_its_first_day() -> None:
    """A lead who writes next year's agreement today is not told that each purpose is a problem."""
    text = SHIPPED[TRAFFORD].replace("starts = 2026-04-01", "starts = 2026-12-01")
    found = remarks(dt.date(2026, 11, 22), agreements__trafford=text)
    assert ("lint/not-begun", "trafford-stronger-families", "") in found
    assert not [code for code, *_ in found if code.startswith("sharing/")]
    ended = text.replace("UKGDPR-84B", "UKGDPR-89")
    assert ("policy/legal-basis-expired", *STUDY) in remarks(agreements__trafford=ended)


def test_two_agreements_of_one_controller_that_contradict_are_named() -> None:
    other = SHIPPED[TRAFFORD].replace(
        'id = "trafford-stronger-families"', 'id = "trafford-protocol"', 1
    )
    other = other[: other.index("[purposes.")].replace(
        '"free_text_notes" = {', 'criteria_met = { clause = "9", reason = "Never." }\nx_notes = {'
    )
    other = other.replace("x_notes", '"free_text_notes"')
    found = remarks(agreements__protocol=other)
    assert ("lint/agreements-contradict", *STUDY) in found


def test_a_purpose_without_cases_is_told_so() -> None:
    documents = {path: text for path, text in SHIPPED.items() if path != "cases/trafford.toml"}
    found = review(policy.parse(documents), on=ON, agreement="trafford-stronger-families")
    missing = {remark.purpose for remark in found if remark.code == "lint/no-case"}
    assert missing == set(policy.parse(SHIPPED).agreements["trafford-stronger-families"].purposes)


def test_a_column_that_no_purpose_needs_is_named() -> None:
    (found,) = [
        remark
        for remark in review(policy.parse(SHIPPED), on=ON)
        if remark.code == "lint/column-unneeded" and '"police_incidents"' in remark.sentence
    ]
    assert "outcome" in found.sentence
    assert "dob" not in found.sentence


def test_a_column_that_the_gateway_itself_reads_is_never_called_unneeded() -> None:
    register = "datasets/family_register.toml"
    # Without its rules, nothing in the contract itself says that these are needed.
    text = SHIPPED[register].partition("[[rules]]")[0]
    (found,) = [
        remark
        for remark in review(policy.parse(SHIPPED | {register: text}), on=ON)
        if remark.code == "lint/column-unneeded" and '"family_register"' in remark.sentence
    ]
    spare = found.sentence.rpartition(": ")[2].rstrip(".").split(", ")
    read = {"participation", "participation_date", "protected", "programme_arm", "start"}
    assert "address_line1" in spare
    assert read.isdisjoint(spare), spare


def test_the_shipped_policies_have_no_problem() -> None:
    assert not [r for r in review(policy.parse(SHIPPED), on=ON) if r.weight is Weight.PROBLEM]


def test_problems_come_first_and_the_order_of_documents_changes_nothing() -> None:
    text = SHIPPED[TRAFFORD].replace('dpia = "DPIA-2026-014"\n', "", 1)
    documents = SHIPPED | {TRAFFORD: text}
    found = review(policy.parse(documents), on=ON)
    assert found[0].weight is Weight.PROBLEM
    assert found == review(policy.parse(dict(reversed(documents.items()))), on=ON)


def test_a_purpose_of_tables_is_said_not_to_be_made() -> None:
    told = {each for each in remarks() if each[0] == "lint/tables-not-made"}
    bundle = policy.parse(SHIPPED)
    assert {(agreement, purpose) for _, agreement, purpose in told} == {
        (key, name)
        for key, agreement in bundle.agreements.items()
        for name, purpose in agreement.purposes.items()
        if purpose.kind == "tables"
    }


def test_a_party_that_has_not_signed_is_named_until_its_day() -> None:
    fire = ("lint/party-not-signed", "warrington-adult-safeguarding", "")
    assert fire in remarks(dt.date(2026, 8, 2))
    assert fire not in remarks(dt.date(2026, 8, 5))
    assert ("lint/party-not-signed", "devon-targeted-family-support", "") in remarks()


@pytest.mark.parametrize(
    ("on", "old", "new", "code"),
    [
        (ON, "ends = 2028-12-31", "ends = 2028-03-30", "lint/protocol-ends-first"),
        (dt.date(2027, 3, 30), "2027-06-30", "2027-06-30", "lint/protocol-review-soon"),
        (dt.date(2027, 9, 30), "2027-06-30", "2027-06-30", "lint/protocol-review-soon"),
    ],
)
def test_a_protocol_that_ends_or_is_reviewed_first_is_named(
    on: dt.date, old: str, new: str, code: str
) -> None:
    text = SHIPPED["protocols/warrington-tier-1.toml"]
    assert old in text
    changed = {"protocols__warrington-tier-1": text.replace(old, new)}
    told = (code, "warrington-adult-safeguarding", "")
    assert told in remarks(on, **changed)
    assert told not in remarks(ON)


def test_one_agreement_can_be_reviewed_alone() -> None:
    found = review(policy.parse(SHIPPED), on=ON, agreement="knowsley-stronger-families")
    assert {remark.agreement for remark in found} <= {"", "knowsley-stronger-families"}
    # What is said of none is said of the datasets that it reads.
    of_none = {remark.code for remark in found if not remark.agreement}
    assert of_none <= {"lint/column-unneeded"}
