"""Tiers and signatures: who is bound, from which day, and what the protocol above ends."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy import Bundle, compare, decide, explain, parse, policy_digest, traces_of
from gateway.publishing.notice import notice
from gateway.publishing.odrl import odrl_agreement
from gateway.publishing.sharing_policy import sharing_policy
from tests.policies import shelf

PROTOCOL = """
id = "tier-1"
title = "Information sharing framework"
version = 1
parties = ["trafford-council", "ons"]
starts = 2026-01-01
review = 2027-06-30
ends = 2028-12-31
contact = "framework@trafford.example"

[prohibitions]
relation = { clause = "1.5", reason = "Nobody's kin is needed." }
"""
TOP = 'dpia = "DPIA-2026-014"\n'
UNDER = (TOP, TOP + 'under = "tier-1"\n')
SIGNED = TOP + "signed = { trafford-council = 2026-04-01, ons = 2026-05-01 }\n"


def protocol(*changes: shelf.Change) -> dict[str, str]:
    return {"protocols__tier-1": shelf.changed(PROTOCOL, *changes)}


def refused(*changes: shelf.Change, on: dt.date = shelf.DAY, **others: str) -> set[str]:
    return set(shelf.refused(*changes, on=on, **others))


def test_what_stands_under_a_protocol_in_force_is_shared_with_its_parties() -> None:
    plan = shelf.permitted(UNDER, **protocol())
    assert plan.under == "tier-1"
    assert 'It stands under the protocol "tier-1".' in explain(plan)
    assert plan.senders == {"trafford-council", "ons"}


@pytest.mark.parametrize(
    "change",
    [
        ("starts = 2026-01-01", "starts = 2026-06-16"),
        ("ends = 2028-12-31", "ends = 2026-06-14"),
        ("review = 2027-06-30", "review = 2026-03-01"),
    ],
    ids=["not begun", "ended", "review overdue"],
)
def test_a_protocol_that_is_not_in_force_ends_what_is_under_it(change: shelf.Change) -> None:
    assert refused(UNDER, **protocol(change)) == {"policy/protocol-not-in-force"}


def test_nobody_outside_the_protocol_receives_anything() -> None:
    outside = protocol(('"trafford-council", "ons"', '"trafford-council", "dwp"'))
    assert refused(UNDER, **outside) == {"policy/party-outside-protocol"}


def test_what_the_protocol_forbids_leaves_under_no_clause_beneath_it() -> None:
    forbidding = protocol(("relation = {", "sex = {"))
    assert shelf.refused(UNDER, **forbidding) == {"policy/prohibited": "1.5"}
    assert isinstance(shelf.asked(**forbidding), Plan), "it stands under no protocol"


def test_an_unknown_protocol_stops_the_document() -> None:
    assert shelf.codes(UNDER) == {"policy/unknown-protocol"}


def test_a_protocol_that_is_gone_since_refuses() -> None:
    whole = parse(shelf.documents(UNDER, **protocol()))
    gone = Bundle(knowledge=parse(shelf.documents()).knowledge, agreements=whole.agreements)
    decision = decide(shelf.STUDY, gone, on=shelf.DAY)
    assert isinstance(decision, Refusal)
    codes = {reason.code for reason in decision.reasons}
    assert codes == {"policy/protocol-not-in-force", "policy/party-outside-protocol"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("relation = {", "relashion = {"), "policy/unknown-field"),
        (("framework@trafford.example", "x@trafford.gcsx.gov.uk"), "policy/retired-mail-domain"),
        (("ends = 2028-12-31\n", ""), "policy/missing-end-date"),
        (("[prohibitions]", "[purposes]"), "policy/unknown-key"),
    ],
)
def test_a_faulty_protocol_is_named_and_holds_nothing_up(change: shelf.Change, code: str) -> None:
    found = shelf.codes(UNDER, **protocol(change))
    assert found >= {code, "policy/unknown-protocol"}


def test_two_protocols_of_one_id_are_named() -> None:
    twice = {**protocol(), "protocols__other": protocol()["protocols__tier-1"]}
    assert "policy/duplicate-id" in shelf.codes(**twice)


def test_a_recipient_receives_from_the_day_on_which_it_signed() -> None:
    signed = (TOP, SIGNED)
    assert refused(signed, on=dt.date(2026, 4, 30)) == {"policy/party-not-signed"}
    assert shelf.permitted(signed, on=dt.date(2026, 5, 1))


def test_nothing_is_read_of_a_party_that_has_not_signed() -> None:
    plan = shelf.permitted((TOP, SIGNED))
    assert plan.senders == {"trafford-council", "ons"}
    assert '"dwp" is not bound yet: nothing of what it sends is read.' in plan.warnings
    assert "dwp" in shelf.permitted().senders


def test_an_agreement_that_its_controller_has_not_signed_shares_nothing() -> None:
    unsigned = (TOP, TOP + "signed = { ons = 2026-04-01 }\n")
    assert refused(unsigned) == {"policy/party-not-signed"}


def test_a_signature_of_nobody_stops_the_document() -> None:
    assert shelf.codes((TOP, TOP + "signed = {}\n")) == {"policy/empty-list"}
    stranger = (TOP, TOP + "signed = { hm-treasury = 2026-04-01 }\n")
    assert shelf.codes(stranger) == {"policy/unknown-signatory"}


def test_a_change_of_the_protocol_is_a_change_of_what_was_approved() -> None:
    one = parse(shelf.documents(UNDER, **protocol()))
    other = parse(shelf.documents(UNDER, **protocol(("ends = 2028-12-31", "ends = 2028-11-30"))))
    key = shelf.STUDY.agreement
    assert policy_digest(one, key) != policy_digest(other, key)
    changed = [
        "changes the last day (*ends*) of protocol Information sharing framework (*tier-1*) from "
        "*2028-12-31* to *2028-11-30*"
    ]
    assert compare(one, other) == changed
    apart = {**shelf.documents(), "protocols/tier-1.toml": protocol()["protocols__tier-1"]}
    assert policy_digest(parse(apart), key) == policy_digest(parse(shelf.documents()), key)


def test_the_notice_says_what_the_protocol_forbids_and_where_to_complain() -> None:
    complaints = (TOP, UNDER[1] + 'complaints = "complaints@trafford.example"\n')
    bundle = parse(shelf.documents(complaints, **protocol()))
    agreement = bundle.agreements[shelf.STUDY.agreement]
    said = [sentence for section in notice(agreement, bundle) for sentence in section.sentences]
    assert "Part in the family: Nobody's kin is needed." in said
    assert "To complain to us, write to complaints@trafford.example." in said
    restricted = sharing_policy(agreement, bundle)["Restrictions"]
    assert "odrl:use urn:gateway:field:relation" in restricted
    forbidden = {each["target"] for each in odrl_agreement(agreement, bundle)["prohibition"]}
    assert "urn:gateway:field:relation" in forbidden


def test_a_complaints_address_of_a_closed_domain_is_refused() -> None:
    closed = (TOP, TOP + 'complaints = "x@trafford.gsi.gov.uk"\n')
    assert shelf.codes(closed) == {"policy/retired-mail-domain"}


@pytest.mark.parametrize(
    "agreement",
    [
        "devon-targeted-family-support",
        "bradford-families-first-schools",
        "nottingham-priority-families-evaluation",
        "warrington-adult-safeguarding",
    ],
)
def test_each_column_of_a_real_agreement_has_its_clause_and_its_explanation(agreement: str) -> None:
    bundle = shelf.shipped()
    found = bundle.agreements[agreement]
    for trace in traces_of(found, bundle.knowledge):
        request = SharingRequest(purpose=trace.purpose, agreement=agreement)
        plan = decide(request, bundle, on=shelf.DAY)
        assert isinstance(plan, Plan)
        assert any(f"(clause {trace.clause})" in sentence for sentence in explain(plan))
    assert {trace.purpose for trace in traces_of(found, bundle.knowledge)} == set(found.purposes)
