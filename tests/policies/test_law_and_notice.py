"""Legal bases, notices and recipients: what the law and the promise allow."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.model import IdentifierForm, Plan, Refusal, SharingRequest
from gateway.policy import Bundle, decide, parse
from gateway.policy.checks_outputs import OPERATIONAL
from gateway.policy.remedies import remedy_of
from tests.policies import shelf
from tests.policies.shelf import documents, permitted, refused, shipped

BASES = '["UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"]'
SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'

SEPARATION = "policy/no-functional-separation"


def _bases(*names: str) -> tuple[str, str]:
    return BASES, "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _codes(agreement: str, purpose: str, bundle: Bundle | None = None) -> set[str]:
    request = SharingRequest(purpose=purpose, agreement=agreement)
    decision = decide(request, bundle or shipped(), on=dt.date(2026, 6, 15))
    return set() if isinstance(decision, Plan) else {reason.code for reason in decision.reasons}


def test_article_89_and_section_19_ended_when_article_84b_began() -> None:
    old = _bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-89", "DPA18-S19", "DPA18-SCH1-4")
    begun = ("starts = 2026-04-01", "starts = 2025-04-01")
    assert set(refused(old)) == {"policy/legal-basis-expired"}
    # On the last day of the old law only the later undertaking of the recipients is missing.
    assert set(refused(old, begun, on=dt.date(2026, 2, 5))) == {SEPARATION}
    early = refused(begun, on=dt.date(2026, 2, 4))
    assert set(early) == {"policy/legal-basis-not-begun", SEPARATION}


@pytest.mark.parametrize(
    ("bases", "codes"),
    [
        (("UKGDPR-6-1-e",), {"policy/article-9-missing", "policy/article-10-missing"}),
        (("UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"), {"policy/article-6-missing"}),
        (
            ("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B"),
            {"policy/article-10-missing", "policy/condition-missing"},
        ),
        (("UKGDPR-6-1-e", "UKGDPR-9-2-j", "DPA18-SCH1-4"), {"policy/condition-missing"}),
        (("UKGDPR-6-1-a", "UKGDPR-9-2-a", "DPA18-SCH1-4"), {"policy/consent-basis"}),
        (("UKGDPR-6-1-e", "UKGDPR-9-2-c", "DPA18-SCH1-4"), {"policy/basis-kind"}),
    ],
)
def test_special_and_criminal_data_need_their_own_conditions(
    bases: tuple[str, ...], codes: set[str]
) -> None:
    """Membership of the cohort alone is such data: no column of it needs to leave."""
    assert set(refused(_bases(*bases))) == codes


def test_special_or_criminal_data_need_an_impact_assessment() -> None:
    assert refused(('dpia = "DPIA-2026-014"\n', "")) == {"policy/no-dpia": "4.2"}


def test_a_plain_cohort_needs_its_conditions_only_for_what_leaves() -> None:
    plain = shelf.changed(
        shelf.around()["vocabulary.toml"],
        ('where = { programme_arm = ["PROG", "COMP"] }',
         'where = { programme_arm = ["PROG", "COMP"] }\nmembership = "plain"'),
    )  # fmt: skip
    public = _bases("UKGDPR-6-1-e")
    assert set(refused(public, vocabulary=plain)) == {"policy/article-9-missing"}
    without = ('criteria_met = { treat = "keep", clause = "4.2(c)iii" }\n', "")
    limits = ("l = { criteria_met = 2 }\n", "")
    dpia = ('dpia = "DPIA-2026-014"\n', "")
    assert permitted(public, without, limits, dpia, vocabulary=plain)


def test_nothing_about_a_person_comes_back_from_research() -> None:
    for back in ("decision", "updates"):
        change = ('returns = "aggregates"', f'returns = "{back}"')
        assert set(refused(change)) == {"policy/research-decision"}


def test_the_crime_and_disorder_act_reaches_relevant_authorities_only() -> None:
    bases = _bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4", "CDA98-115")
    assert refused(bases) == {"policy/s115-recipient": "4.2(c)"}
    assert _codes("kirklees-stronger-families", "crime-and-disorder") == set()


def test_multiple_disadvantages_need_specified_persons_and_two_factors() -> None:
    bases = _bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4", "DEA17-35-MD")
    assert set(refused(bases)) == {"policy/basis-recipient", "policy/too-few-factors"}
    other = ('controllers = ["trafford-council"]', 'controllers = ["nobody-known"]')
    assert "policy/basis-sender" in refused(bases, other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('["T01..T39"]', '["T01..T39", "TN-nhs"]'),
        ('["T01..T39"]', '["TN-nino"]'),
        ('state = "de-identified"', 'state = "anonymous"'),
        ('identifiers = ["name", "address", "date_of_birth", "sex"]', 'identifiers = ["name"]'),
        ('identifiers = ["name", "address", "date_of_birth", "sex"]\n', ""),
        ('identifiers = "link-id"', 'identifiers = "pseudonym"'),
        ('returns = "aggregates"', 'returns = "aggregates"\nlinked_with = ["PNC", "XYZ"]'),
        ('clause = "4.2(b)"', 'clause = "4.2(b)"\nlinked_with = ["XYZ"]'),
        ('state = "de-identified"', 'state = "de-identified"\nfields = ["sex", "postcode", "dob"]'),
    ],
)
def test_nothing_goes_beyond_the_notice(old: str, new: str) -> None:
    assert set(refused((old, new))) == {"policy/beyond-notice"}


def test_a_notice_of_family_level_lets_no_fact_about_one_person_out() -> None:
    family = ('state = "de-identified"', 'state = "de-identified"\nlevel = "family"')
    assert permitted(family)
    fact = (SEX, SEX + '\nFPD51 = { treat = "keep", clause = "1" }')
    assert set(refused(family, fact)) == {"policy/beyond-notice"}


def test_what_the_notice_names_is_permitted() -> None:
    assert permitted(('returns = "aggregates"', 'returns = "aggregates"\nlinked_with = ["PNC"]'))


def test_a_purpose_without_a_notice_shares_nothing_about_a_person() -> None:
    start = shelf.EXAMPLE.index("[purposes.national-impact-study.notice]")
    end = shelf.EXAMPLE.index("[purposes.national-impact-study.outputs.linkage]")
    assert refused((shelf.EXAMPLE[start:end], "")) == {"policy/no-notice": "4.2"}


def _recipient(name: str, *changes: tuple[str, str]) -> dict[str, str]:
    text = shelf.changed(shelf.around()[f"recipients/{name}.toml"], *changes)
    return {f"recipients__{name}": text}


def test_one_organisation_needs_an_approved_undertaking_and_one_key_is_refused_always() -> None:
    text = shelf.around()["recipients/ons-linkage-unit.toml"]
    section = text[text.index("# Staff, systems") :]
    without = _recipient("ons-linkage-unit", (section, ""))
    assert set(refused(**without)) == {SEPARATION}
    later = _recipient("ons-linkage-unit", ("approved = 2026-03-01", "approved = 2026-07-01"))
    assert set(refused(**later)) == {SEPARATION}
    another = _recipient("ons-linkage-unit", ('["ons-research"]', '["someone-else"]'))
    assert set(refused(**another)) == {SEPARATION}
    purpose = (
        'participation = "objection"',
        'participation = "objection"\n'
        'functional_separation = { reference = "FS-1", approved = 2026-01-01, clause = "9" }',
    )
    assert permitted(purpose, **without)
    apart = _recipient("ons-research", ('organisation = "ons"', 'organisation = "another"'))
    listed = ('"dwp", "ons"]', '"dwp", "ons", "another"]')
    assert permitted(listed, **{**without, **apart})
    same = ('recipient = "ons-research"', 'recipient = "ons-linkage-unit"')
    assert set(refused(same)) == {"policy/outputs-meet"}
    keyed = {
        **_recipient("ons-linkage-unit", ("channel", 'key_id = "k"\nchannel')),
        **_recipient("ons-research", ("channel", 'key_id = "K"\nchannel')),
    }
    assert set(refused(**keyed)) == {"policy/outputs-meet"}


def test_made_up_people_reach_only_recipients_of_class_synthetic() -> None:
    real = _recipient(
        "ons-research", ('"accredited-processor", "synthetic"', '"accredited-processor"')
    )
    assert refused(**real) == {"policy/synthetic-only": "4.2(c)"}


def test_a_class_may_be_plain_text() -> None:
    plain = _recipient(
        "ons-research",
        ('class = ["secure-setting", "accredited-processor", "synthetic"]', 'class = "synthetic"'),
    )
    plan = permitted(**plain)
    assert plan.outputs[1].recipient.classes == {"synthetic"}


def test_residents_never_reach_a_recipient_of_made_up_people_only() -> None:
    live = {
        f"datasets__{name}": shelf.changed(
            shelf.around()[f"datasets/{name}.toml"],
            ('population = "synthetic"', 'population = "residents"'),
        )
        for name in ("family_register", "family_progress")
    }
    assert permitted(**live).population == "residents"
    only = _recipient(
        "ons-research", ('["secure-setting", "accredited-processor", "synthetic"]', '"synthetic"')
    )
    assert set(refused(**live, **only)) == {"policy/synthetic-recipient"}


def test_an_expired_recipient_gets_nothing() -> None:
    past = _recipient("ons-research", ("expires = 2028-12-31", "expires = 2026-06-14"))
    assert refused(**past) == {"recipient/expired": "4.2(c)"}


def test_an_organisation_that_is_no_party_of_the_agreement_gets_nothing() -> None:
    apart = _recipient("ons-research", ('organisation = "ons"', 'organisation = "another"'))
    assert refused(**apart) == {"policy/recipient-not-a-party": "4.2(c)"}
    listed = ('"dwp", "ons"]', '"dwp", "ons", "another"]')
    assert permitted(listed, **apart)


@pytest.mark.parametrize("class_", ["public", "data-subject"])
def test_calling_a_team_public_or_the_person_makes_it_no_party(class_: str) -> None:
    """Rows go to organisations, and those are named in the agreement."""
    called = _recipient(
        "ons-research",
        ('organisation = "ons"', 'organisation = "another"'),
        ('class = ["secure-setting", "accredited-processor", "synthetic"]',
         f'class = ["{class_}", "synthetic"]'),
    )  # fmt: skip
    assert "policy/recipient-not-a-party" in refused(**called)


def _clear(
    approval: str, *, fields: str = "surname", recipient: str = "ons-linkage-unit"
) -> Plan | Refusal:
    text = shelf.EXAMPLE
    start = text.index('recipient = "ons-linkage-unit"')
    end = text.index("[purposes.national-impact-study.outputs.payload]")
    rules = "\n".join(f'fields.{f} = {{ treat = "keep", clause = "1" }}' for f in fields.split())
    output = (
        f'recipient = "{recipient}"\nidentifiers = "sealed-clear"\nclause = "4.2(b)"\n'
        f"{approval}\n{rules}\n"
    )
    return shelf.asked((text[start:end], output))


APPROVED = 'approval = { reference = "R1", approved = 2026-05-01, clause = "4.2(h)" }'


def test_clear_identifiers_need_their_own_approval_and_a_linkage_unit() -> None:
    plan = _clear(APPROVED)
    assert isinstance(plan, Plan)
    assert plan.outputs[0].identifiers is IdentifierForm.SEALED_CLEAR
    assert plan.outputs[0].state == "de-identified"

    def codes(*arguments: str, **more: str) -> set[str]:
        decision = _clear(*arguments, **more)
        assert isinstance(decision, Refusal)
        return {reason.code for reason in decision.reasons}

    assert codes("") == {"policy/clear-not-approved"}
    assert codes(APPROVED.replace("2026-05-01", "2026-07-01")) == {"policy/clear-not-approved"}
    assert codes(APPROVED, fields="surname criteria_met") == {"policy/linkage-with-payload"}
    assert "policy/clear-recipient" in codes(APPROVED, recipient="trafford-mash")
    no = _clear(APPROVED, recipient="trafford-mash")
    assert isinstance(no, Refusal)
    (said,) = [each.reason for each in no.reasons if each.code == "policy/clear-recipient"]
    assert said.endswith("only to a recipient of class linkage-unit.")
    assert all(kind in remedy_of("policy/clear-recipient") for kind in OPERATIONAL)


def test_a_table_purpose_sends_tables_and_no_other_purpose_does() -> None:
    bundle = shipped()
    plan = decide(
        SharingRequest(purpose="progress-return", agreement="kirklees-stronger-families"),
        bundle,
        on=dt.date(2026, 6, 15),
    )
    assert isinstance(plan, Plan)
    (output,) = plan.outputs
    assert (output.state, output.recipient.id) == ("anonymous", "dfe-families-return")
    assert output.tables[0].name == "families-by-arm"
    table = 'tables.t = { count = "people", by = ["sex"], clause = "1" }'
    change = ('clause = "4.2(c)"', f'clause = "4.2(c)"\n{table}')
    assert set(refused(change)) == {"policy/tables-only"}


def test_an_answer_carries_no_file_of_tokens() -> None:
    change = ('kind = "records"', 'kind = "answer"')
    assert set(refused(change)) == {"policy/answer-only"}


def test_public_tables_and_answers_need_no_key() -> None:
    for purpose in ("published-stats", "cohort-lookup"):
        request = SharingRequest(purpose=purpose, agreement="trafford-stronger-families")
        decision = decide(request, shipped(), on=dt.date(2026, 6, 15), recipient_keys={})
        assert isinstance(decision, Plan)


def test_a_decision_over_documents_that_do_not_fit_refuses_and_does_not_raise() -> None:
    """A bundle put together by hand, without the checks of loading."""
    whole = parse(documents())
    empty = parse(shelf.around())
    knowledge = empty.knowledge
    bare = type(knowledge)(
        vocabulary=knowledge.vocabulary.model_construct(
            fields={}, cohorts={}, parties={}, duties={}
        ),
        bases={},
        contracts={},
        recipients={},
    )
    decision = decide(
        shelf.STUDY, Bundle(knowledge=bare, agreements=whole.agreements), on=shelf.DAY
    )
    assert isinstance(decision, Refusal)
    codes = {reason.code for reason in decision.reasons}
    assert {"policy/unknown-dataset", "policy/unknown-cohort", "policy/unknown-recipient"} <= codes
    assert "policy/unknown-legal-basis" in codes
    assert "policy/unknown-field" in codes
