"""What the other tests of the documents pass by: each corner has its own small truth."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import rfc8785

from gateway.model import Plan, Refusal
from gateway.policy import Bundle, compare, decide, load, parse, standing
from gateway.policy.agreements import Agreement
from gateway.policy.digest import _object
from gateway.policy.shapes import known_keys
from gateway.policy.treatments import expand_names, fits, is_treatment, said
from tests.policies import shelf
from tests.policies.shelf import codes, documents, permitted


def _cohort(where: str) -> Plan:
    old = 'from = "family_register"\nwhere = { programme_arm = ["PROG", "COMP"] }'
    new = f'from = "family_register"\nwhere = {where}'
    vocabulary = shelf.changed(shelf.around()["vocabulary.toml"], (old, new))
    return permitted(vocabulary=vocabulary)


def test_a_cohort_is_equality_in_list_or_date_range_by_column_or_field() -> None:
    plan = _cohort('{ programme_arm = "PROG", date_screened = { from = 2026-01-01 } }')
    assert plan.cohort.within == (("programme_arm", ("PROG",)),)
    assert plan.cohort.between == (("assessed", dt.date(2026, 1, 1), None),)


def test_equality_with_a_date_is_a_range_of_one_day() -> None:
    plan = _cohort("{ start = 2026-01-01 }")
    assert plan.cohort.between == (("start", dt.date(2026, 1, 1), dt.date(2026, 1, 1)),)


def test_an_equality_with_an_unknown_code_is_refused() -> None:
    cohort = '\n[cohorts.c]\nfrom = "family_register"\nwhere = { programme_arm = "PROGG" }\n'
    found = codes(vocabulary=shelf.around()["vocabulary.toml"] + cohort)
    assert found == {"policy/unknown-code"}


def test_an_unreadable_vocabulary_is_named_once() -> None:
    _, findings = load({**documents(), "vocabulary.toml": "["})
    named = [f.code for f in findings if f.document == "vocabulary.toml"]
    assert named == ["policy/unreadable"]


def test_a_join_without_its_contract_is_refused_and_not_raised() -> None:
    whole = parse(documents())
    contracts = dict(whole.contracts)
    del contracts["family_progress"]
    bundle = Bundle(
        knowledge=replace(whole.knowledge, contracts=contracts), agreements=whole.agreements
    )
    decision = decide(shelf.STUDY, bundle, on=shelf.DAY)
    assert isinstance(decision, Refusal)
    assert [reason.code for reason in decision.reasons] == ["policy/unknown-dataset"]


def test_a_malformed_recipient_is_named_and_nobody_can_send_to_it() -> None:
    text = shelf.around()["recipients/ons-research.toml"].replace("expires", "expiry")
    found = codes(**{"recipients__ons-research": text})
    assert found == {"policy/unknown-key", "policy/missing-key", "policy/unknown-recipient"}


def test_a_cohort_that_moved_away_from_the_spine_is_refused() -> None:
    whole = parse(documents())
    cohorts = whole.vocabulary.cohorts
    moved = {**cohorts, "programme-and-comparison": cohorts["people-in-police-incidents"]}
    knowledge = replace(
        whole.knowledge, vocabulary=whole.vocabulary.model_copy(update={"cohorts": moved})
    )
    bundle = Bundle(knowledge=knowledge, agreements=whole.agreements)
    decision = decide(shelf.STUDY, bundle, on=shelf.DAY)
    assert isinstance(decision, Refusal)
    assert [reason.code for reason in decision.reasons] == ["policy/cohort-not-of-spine"]


def test_what_one_output_cannot_resolve_is_said_with_the_output() -> None:
    whole = parse(documents())
    register = whole.contracts["family_register"]
    fewer = replace(register, columns=tuple(c for c in register.columns if c.name != "sex"))
    bundle = Bundle(
        knowledge=replace(whole.knowledge, contracts={**whole.contracts, "family_register": fewer}),
        agreements=whole.agreements,
    )
    decision = decide(shelf.STUDY, bundle, on=shelf.DAY)
    assert isinstance(decision, Refusal)
    assert decision.reasons[0].code == "policy/field-not-in-dataset"
    assert decision.reasons[0].reason.startswith('Output "payload": ')


def test_tables_need_no_notice() -> None:
    text = (shelf.REPOSITORY / "policies/agreements/kirklees.toml").read_text(encoding="utf-8")
    notice = (
        '[purposes.progress-return.notice]\nversion = "kirklees-2015-06"\nstate = "anonymous"\n'
    )
    bundle = shelf.shipped()
    from gateway.adapters.policy_folder import read_policies

    texts = {**read_policies(shelf.REPOSITORY / "policies")}
    texts["agreements/kirklees.toml"] = shelf.changed(text, (notice, "")).encode()
    changed = parse(texts)
    request = replace(
        shelf.STUDY, purpose="progress-return", agreement="kirklees-stronger-families"
    )
    assert isinstance(decide(request, changed, on=shelf.DAY), Plan)
    assert changed.agreements != bundle.agreements


def test_the_digest_is_the_rfc_8785_form_of_the_whole() -> None:
    parts = {"b": [1, {"z": "é", "a": None}], "a": {"y": 2.0}, "c-1": "x"}
    assert _object({key: rfc8785.dumps(value) for key, value in parts.items()}) == rfc8785.dumps(
        parts
    )


@pytest.mark.parametrize(
    ("treat", "right"),
    [
        ("keep", True), ("keep:1", False), ("band:1,5,10", True), ("band:5,5", False),
        ("band:9,1", False), ("band:", False), ("threshold:0.5", True), ("round:0", False),
        ("round:5", True), ("top-code:", False), ("top-code:10", True), ("sha256", False),
        ("", False), ("hash:9", False),
    ],
)  # fmt: skip
def test_treatments_are_a_closed_set(treat: str, right: bool) -> None:
    assert is_treatment(treat) is right
    assert said(treat)


def test_numbers_are_banded_and_words_are_not() -> None:
    entry = shelf.shipped().vocabulary.fields["arrears_gbp"]
    assert fits("band:1,5", "decimal", entry)
    assert not fits("band:1,5", "text", entry)
    assert not fits("year", "integer", entry)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("FPD01..FPD03", ("FPD01", "FPD02", "FPD03")),
        ("FPD03..FPD01", ("FPD03..FPD01",)),
        ("FPD1..FPD10", ("FPD1..FPD10",)),
        ("FPD01..ABC03", ("FPD01..ABC03",)),
        ("a00001..a99999", ("a00001..a99999",)),
        ("sex", ("sex",)),
    ],
)
def test_a_range_is_every_name_of_it_or_a_name_that_nobody_knows(
    word: str, names: tuple[str, ...]
) -> None:
    assert expand_names(word) == names


def test_the_known_keys_of_no_place_are_none() -> None:
    assert known_keys(Agreement, ("title", "deeper")) == ()
    assert known_keys(Agreement, ("nowhere", 0)) == ()
    assert set(known_keys(Agreement, ("purposes", "x", "joins", 0))) == {"source", "on", "take"}


def test_what_an_agreement_reads_is_nothing_where_it_is_not() -> None:
    whole = parse(documents())
    assert standing.read_by(whole, "nobody-there") == standing.NOTHING
    gone = replace(whole, agreements={})
    mixed = standing.as_approved(whole, gone, whole, shelf.STUDY.agreement)
    assert shelf.STUDY.agreement in whole.agreements
    assert shelf.STUDY.agreement not in mixed.agreements


def test_an_entry_differs_for_whoever_reads_it() -> None:
    before = parse(documents())
    old = 'where = { programme_arm = ["PROG", "COMP"] }'
    vocabulary = shelf.changed(
        shelf.around()["vocabulary.toml"], (old, old.replace('"COMP"', '"ASSESSED"'))
    )
    after = parse(documents(vocabulary=vocabulary))
    read = standing.read_by(before, shelf.STUDY.agreement)
    assert standing.differ(read, before, after)
    assert not standing.differ(read, before, before)
    assert not standing.differ(standing.NOTHING, before, after)


def test_the_order_of_tokens_is_told() -> None:
    tokens = 'tokens = ["T01..T39"]'
    before, after = (
        parse(documents((tokens, f"tokens = [{names}]")))
        for names in ('"T01", "T02"', '"T02", "T01"')
    )
    (told,) = compare(before, after)
    assert "changes the order of" in told
    assert "T02" in told
