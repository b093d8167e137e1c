"""The governance leads' cases: every one of them is decided as they expect."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from gateway.model import SharingRequest
from gateway.policy import CaseResult, decide, parse, run_cases
from gateway.policy.cases import cases_by_name
from gateway.policy.decision import expected
from tests.policies import shelf

RESULTS = run_cases(shelf.shipped())


@pytest.mark.parametrize("result", RESULTS, ids=[result.name for result in RESULTS])
def test_a_case_is_decided_as_its_governance_lead_expects(result: CaseResult) -> None:
    assert result.held, result.faults


def test_each_purpose_has_a_permit_and_a_refusal() -> None:
    outcomes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for result in RESULTS:
        outcomes[result.agreement, result.purpose].add(result.outcome)
    for agreement in shelf.shipped().agreements.values():
        for purpose in agreement.purposes:
            assert outcomes[agreement.id, purpose] == {"permit", "refuse"}, (agreement.id, purpose)


CASE = """
[[cases]]
name = "c"
agreement = "trafford-stronger-families"
purpose = "national-impact-study"
on = 2026-06-15
"""


def _one(text: str) -> CaseResult:
    (result,) = run_cases(parse(shelf.documents(cases__one=CASE + text)))
    return result


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('expect = "refuse"', "It is permitted, and was expected to be refused."),
        ('expect = "permit"\nremove = ["dpia"]',
         "It is refused, and was expected to be permitted."),
        ('expect = "refuse"\nremove = ["dpia"]\nreasons = ["policy/beyond-notice"]',
         'The reason "policy/beyond-notice" is not given.'),
        ('expect = "permit"\nsends.ons-research = ["sex"]',
         'Other columns than expected go to "ons-research".'),
        ('expect = "permit"\nsends.nobody = ["sex"]',
         'Other columns than expected go to "nobody".'),
        ('expect = "permit"\nchange.starts = 2026-09-01',
         "Its day is before the agreement's first: give it a later day."),
        ('expect = "permit"\nchange.ends = 2026-06-01',
         "Its day is after the agreement's last: give it an earlier day."),
    ],
)  # fmt: skip
def test_a_case_that_comes_otherwise_says_how(text: str, fault: str) -> None:
    result = _one(text)
    assert not result.held
    assert fault in result.faults


def test_a_change_that_does_not_load_is_a_refusal_with_its_codes() -> None:
    result = _one('expect = "refuse"\nreasons = ["policy/missing-end-date"]\nremove = ["ends"]')
    assert result.held
    assert result.reasons == ("policy/missing-end-date",)


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert _one('expect = "permit"\nremove = ["nothing.at.all", "title.deeper"]').held


def test_a_case_about_an_unknown_agreement_is_refused() -> None:
    elsewhere = CASE.replace("trafford-stronger-families", "unknown")
    text = elsewhere + 'expect = "refuse"\nremove = ["x"]'
    (result,) = run_cases(parse(shelf.documents(cases__one=text)))
    assert result.held


def test_a_change_that_leaves_no_purposes_is_a_refusal() -> None:
    result = _one('expect = "refuse"\nchange.purposes = "none"')
    assert result.held
    assert result.reasons == ("policy/value-malformed",)


@pytest.mark.parametrize("case", sorted(cases_by_name(shelf.shipped())))
def test_a_case_is_decided_as_a_release_would_be_approvals_and_keys_apart(case: str) -> None:
    bundle = shelf.shipped()
    found = cases_by_name(bundle)[case]
    request = SharingRequest(purpose=found.purpose, agreement=found.agreement)
    whole = decide(request, bundle, on=found.on)
    short = expected(request, bundle, on=found.on)
    assert whole.policy_digest
    assert short == replace(whole, policy_digest=short.policy_digest)
