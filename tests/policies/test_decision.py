"""Nothing is shared unless an agreement in force permits it; every decision names its clauses."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gateway.errors import UsageError
from gateway.model import FieldClass, IdentifierForm, OnSmallGroup, Plan, Refusal, SharingRequest
from gateway.policy import RecipientKey, decide, parse, policy_digest
from gateway.policy import digest as digests
from tests.policies import shelf
from tests.policies.shelf import KEYS, STUDY, documents, permitted, prohibiting, refused

SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'
AGE = 'age_band     = { from = "date_of_birth", treat = "age-band-5", at = 2026-04-01'

ENDED, OVERDUE = "sharing/agreement-ended", "sharing/review-overdue"
HASHED = "policy/low-cardinality-hash"


def _with(field: str) -> tuple[str, str]:
    return SEX, f"{SEX}\n{field}"


def test_the_example_is_permitted_and_its_plan_says_everything() -> None:
    plan = permitted(keys=KEYS)
    linkage, payload = plan.outputs
    assert (plan.controller, plan.agreement_version, plan.clause) == ("trafford-council", 3, "4.2")
    assert plan.cohort.within == (("programme_arm", ("COMP", "PROG")),)
    assert plan.joins[0].take == "wide-by:wave"
    assert (linkage.identifiers, linkage.columns) == (IdentifierForm.TOKENS, ())
    assert linkage.tokens == tuple(f"T{n:02d}" for n in range(1, 40))
    assert linkage.key is not None
    assert (linkage.key.study, linkage.key.epoch) == ("nis", "2026-1")
    assert linkage.recipient.key_id == "age1one"
    assert [c.name for c in payload.columns] == ["age_band", "criteria_met", "district", "sex"]
    assert (plan.population, plan.notice) == ("synthetic", "trafford-2015-04")
    assert {output.state for output in plan.outputs} == {"de-identified"}


def test_each_column_knows_where_it_comes_from_and_by_which_clause() -> None:
    columns = {column.name: column for column in permitted().outputs[1].columns}
    age, district, flags = columns["age_band"], columns["district"], columns["criteria_met"]
    assert (age.column, age.dataset, age.at) == ("dob", "family_register", dt.date(2026, 4, 1))
    assert (age.is_date, age.field_class) == (True, FieldClass.KEY_VARIABLE)
    assert (district.column, district.clause, district.address) == ("postcode", "4.2(c)ii", True)
    assert (flags.level, flags.combine, flags.codes[0]) == ("family", "union", "C1")
    assert flags.field_class is FieldClass.SPECIAL_CATEGORY


def test_the_limits_are_those_written() -> None:
    limits = permitted().outputs[1].limits
    assert limits is not None
    assert limits.key_variables == ("age_band", "district", "sex")
    assert (limits.k, limits.l_values) == (5, (("criteria_met", 2),))
    assert limits.on_small_group is OnSmallGroup.SUPPRESS
    assert limits.coarsen == (("district", "postcode-area"),)


def test_key_variables_and_dates_are_in_the_limits_unless_a_clause_takes_them_out() -> None:
    written = 'start = { treat = "month", clause = "4.2(e)" }'
    limits = permitted(_with(written)).outputs[1].limits
    assert limits is not None
    assert "start" in limits.key_variables
    clause = ("k = 5", 'k = 5\nnot_key = { start = "4.2(f)" }')
    out = permitted(_with(written), clause).outputs[1].limits
    assert out is not None
    assert "start" not in out.key_variables
    assert out.not_key == (("start", "4.2(f)"),)


def test_a_wide_join_gives_a_column_for_each_wave() -> None:
    plan = permitted(
        _with('off_sick = { from = "FPD12", source = "family_progress", treat = "keep", '
              'waves = ["T2", "T0"], clause = "4.2(g)" }')
    )  # fmt: skip
    wide = [c for c in plan.outputs[1].columns if c.dataset == "family_progress"]
    assert [(c.name, c.column, c.wave) for c in wide] == [
        ("off_sick_T0", "FPD12", "T0"),
        ("off_sick_T2", "FPD12", "T2"),
    ]


def test_a_range_of_fields_is_every_field_of_it_found_in_the_only_join_that_has_them() -> None:
    plan = permitted(_with('"FPD01..FPD58" = { treat = "keep", clause = "4.2(g)" }'))
    assert len(plan.outputs[1].columns) == 4 + 58 * 3


def test_abuse_health_and_offences_raise_k_to_ten_and_say_so() -> None:
    plan = permitted(_with('FPD41 = { treat = "keep", clause = "4.2(g)" }'))
    assert plan.outputs[1].limits is not None
    assert plan.outputs[1].limits.k == 10
    assert any("k is 10" in warning for warning in plan.warnings)


def test_a_name_in_the_limits_means_all_of_its_waves() -> None:
    plan = permitted(
        _with('FPD12 = { treat = "band:1,5", clause = "4.2(g)" }'),
        ('"sex", "district"]', '"sex", "district", "FPD12"]'),
    )
    assert plan.outputs[1].limits is not None
    assert {"FPD12_T0", "FPD12_T1", "FPD12_T2"} <= set(plan.outputs[1].limits.key_variables)


def test_what_stays_is_listed_with_the_clause_that_forbids_it() -> None:
    stays = {each.column: each for each in permitted().not_sent if each.dataset[-1] == "r"}
    assert stays["uprn"].reason == "It leaves only inside tokens."
    assert stays["uprn"].clause == "4.2(b)"
    assert stays["intensity"].reason == "No clause permits it."
    assert "sex" not in stays
    forbidding = prohibiting("intensity")
    forbidden = {each.column: each for each in permitted(forbidding).not_sent}
    assert (forbidden["intensity"].clause, forbidden["intensity"].reason) == ("3.9", "No.")


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        ("2026-03-31", {"sharing/agreement-not-begun"}),
        ("2027-04-01", {"sharing/agreement-ended"}),
        ("2027-04-02", {"sharing/agreement-ended", "sharing/review-overdue"}),
        ("2028-04-01", {ENDED, OVERDUE, "policy/retention-past"}),
        ("2029-01-01", {"sharing/agreement-ended", "sharing/review-overdue",
                        "policy/retention-past", "recipient/expired"}),
    ],
)  # fmt: skip
def test_outside_its_dates_nothing_is_shared_without_grace(day: str, codes: set[str]) -> None:
    assert set(refused(on=dt.date.fromisoformat(day))) == codes


@pytest.mark.parametrize("day", ["2026-04-01", "2027-03-31"])
def test_the_first_and_the_last_day_are_inside(day: str) -> None:
    assert permitted(on=dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-09-30", ""),
        ("2026-10-01", "The review is due on 1 January 2027."),
        ("2027-01-01", "The review is due on 1 January 2027."),
        ("2027-01-02", "The review was due on 1 January 2027: review it now"),
    ],
)
def test_it_warns_from_three_months_before_review(day: str, said: str) -> None:
    warnings = permitted(on=dt.date.fromisoformat(day)).warnings
    assert (warnings[0] if warnings else "").startswith(said)
    assert bool(warnings) == bool(said)


def test_three_months_after_an_omitted_review_nothing_is_shared() -> None:
    early = ("review = 2027-01-01", "review = 2026-05-31")
    assert permitted(early, on=dt.date(2026, 8, 31))
    assert set(refused(early, on=dt.date(2026, 9, 1))) == {"sharing/review-overdue"}


def test_dates_at_the_ends_of_the_calendar_do_not_break_the_decision() -> None:
    early = ("review = 2027-01-01", "review = 0001-01-01")
    late = ("review = 2027-01-01", "review = 9999-12-31")
    published = ('state = "de-id', 'published = 9999-12-31\nstate = "de-id')
    assert "sharing/review-overdue" in refused(early)
    assert permitted(late)
    assert "policy/notice-too-young" in refused(published)


def test_what_a_new_notice_promises_waits_four_weeks() -> None:
    change = ('state = "de-id', 'published = 2026-06-01\nstate = "de-id')
    assert set(refused(change, on=dt.date(2026, 6, 28))) == {"policy/notice-too-young"}
    assert permitted(change, on=dt.date(2026, 6, 29))


def test_an_unknown_agreement_or_purpose_is_refused_with_the_nearest() -> None:
    bundle = parse(documents())
    other = decide(replace(STUDY, agreement="trafford-stronger-familie"), bundle, on=shelf.DAY)
    assert isinstance(other, Refusal)
    assert other.reasons[0].code == "sharing/no-agreement"
    assert 'Did you mean "trafford-stronger-families"?' in other.reasons[0].reason
    purpose = decide(replace(STUDY, purpose="cost-benefit"), bundle, on=shelf.DAY)
    assert isinstance(purpose, Refusal)
    assert "Ask a governance lead to add the purpose." in purpose.reasons[0].reason
    assert purpose.policy_digest


def test_an_empty_agreement_shares_nothing() -> None:
    head = shelf.EXAMPLE[: shelf.EXAMPLE.index("[prohibitions]")]
    bundle = parse({**shelf.around(), "agreements/example.toml": head})
    assert isinstance(decide(STUDY, bundle, on=shelf.DAY), Refusal)


def test_an_agreement_of_another_digest_is_not_in_force() -> None:
    bundle = parse(documents())
    digest = policy_digest(bundle, STUDY.agreement)
    approved = frozenset({(STUDY.agreement, digest)})
    assert isinstance(decide(STUDY, bundle, on=shelf.DAY, approved=approved), Plan)
    for other in (
        frozenset(),
        frozenset({(STUDY.agreement, "0" * 64)}),
        frozenset({("x", digest)}),
    ):
        decision = decide(STUDY, bundle, on=shelf.DAY, approved=other)
        assert isinstance(decision, Refusal)
        assert [r.code for r in decision.reasons] == ["sharing/not-approved"]


def test_a_provision_without_its_privacy_term_has_the_digest_it_always_had() -> None:
    """The key came later: what was approved before it must not lose its approval."""
    bases = parse(documents()).legal_bases
    with_term, without = bases["UKGDPR-6-1-e"], bases["CDA98-115"]
    assert "dpv" not in digests._basis(without)
    assert digests._basis(with_term)["dpv"] == with_term.dpv


def test_the_digest_moves_with_everything_that_is_read_and_with_nothing_else() -> None:
    bundle = parse(documents())
    digest = policy_digest(bundle, STUDY.agreement)
    assert len(digest) == 64

    def moved(*changes: tuple[str, str], **others: str) -> bool:
        other = parse(documents(*changes, **others))
        return policy_digest(other, STUDY.agreement) != digest

    around = shelf.around()
    assert moved(("version = 3", "version = 4"))
    assert (
        moved(datasets__family_register=around["datasets/family_register.toml"] + "# more\n")
        is False
    )
    read = ("datasets/family_register", "version = 1", "version = 2")
    beside = ("datasets/police_incidents", "version = 1", "version = 2")
    for (path, old, new), expected in ((read, True), (beside, False)):
        text = shelf.changed(around[path + ".toml"], (old, new))
        assert moved(**{path.replace("/", "__"): text}) is expected
    assert policy_digest(bundle, STUDY.agreement, recipient_keys=KEYS) != digest
    assert policy_digest(bundle, STUDY.agreement, tables={"fold": "aa"}) != digest
    assert not moved(('"greater-manchester-police", "trafford-schools"',
                      '"trafford-schools", "greater-manchester-police"'))  # fmt: skip


def test_the_digest_of_an_unknown_agreement_is_a_wrong_request() -> None:
    with pytest.raises(UsageError, match="sharing/unknown-agreement"):
        policy_digest(parse(documents()), "nowhere")


def test_all_reasons_come_at_once_each_with_its_clause() -> None:
    reasons = refused(
        ('dpia = "DPIA-2026-014"\n', ""),
        ('"UKGDPR-84B"', '"UKGDPR-89"'),
        _with('born = { from = "date_of_birth", treat = "keep", clause = "4.2(z)" }'),
        on=dt.date(2027, 4, 1),
    )
    assert reasons == {
        "policy/no-dpia": "4.2",
        "policy/legal-basis-expired": "4.2",
        "policy/direct-identifier": "4.2(z)",
        "sharing/agreement-ended": "",
    }


@pytest.mark.parametrize(
    "word", ["sex", "date_of_birth", "dob", "age_band", "postcode", "class:special-category"]
)
def test_a_prohibition_beats_any_permission_under_every_name(word: str) -> None:
    assert refused(prohibiting(word)) == {"policy/prohibited": "3.9"}


def test_a_prohibited_field_forbids_the_tokens_made_of_it() -> None:
    assert refused(prohibiting("uprn")) == {"policy/prohibited": "3.9"}
    assert permitted(prohibiting("uprn"), ('["T01..T39"]', '["T01", "T03..T39"]'))
    assert refused(prohibiting("class:direct")) == {"policy/prohibited": "3.9"}


def test_a_range_may_be_prohibited() -> None:
    field = _with('FPD20 = { treat = "keep", clause = "4.2(g)" }')
    assert refused(prohibiting("FPD01..FPD58"), field) == {"policy/prohibited": "3.9"}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ('nhs_number = { treat = "keep", clause = "1" }', "policy/direct-identifier"),
        ('surname = { treat = "keep", clause = "1" }', "policy/direct-identifier"),
        (
            'who = { from = "surname", treat = "pseudonym", clause = "1" }',
            "policy/low-cardinality-hash",
        ),
        (
            'who = { from = "sex", treat = "pseudonym", clause = "1" }',
            "policy/low-cardinality-hash",
        ),
        (
            'who = { from = "dob", treat = "pseudonym", clause = "1" }',
            "policy/low-cardinality-hash",
        ),
        (
            'who = { from = "postcode", treat = "pseudonym", clause = "1" }',
            "policy/low-cardinality-hash",
        ),
        ('has = { from = "nhs_number", treat = "flag", clause = "1" }', "policy/beyond-notice"),
    ],
)
def test_what_may_not_leave_in_that_form(field: str, code: str) -> None:
    assert code in refused(_with(field))


def test_an_opaque_id_may_leave_as_a_pseudonym_and_an_age_at_a_date_of_the_register() -> None:
    plan = permitted(
        _with('family = { from = "family_id", treat = "pseudonym", clause = "1" }'),
        ('state = "de-identified"', 'state = "pseudonymised"'),
        (AGE, 'age_band = { from = "date_of_birth", treat = "age-band-10", at = "assessed"'),
    )
    columns = {column.name: column for column in plan.outputs[1].columns}
    assert columns["family"].field_class is FieldClass.PLAIN
    assert columns["age_band"].at == "assessed"
    assert plan.outputs[1].state == "pseudonymised"


def test_tokens_and_attributes_never_leave_in_one_file() -> None:
    fields = (
        'clause = "4.2(b)"',
        'clause = "4.2(b)"\nfields.sex = { treat = "keep", clause = "1" }',
    )
    assert refused(fields) == {"policy/linkage-with-payload": "4.2(b)"}


def test_rows_need_limits_and_an_output_needs_fields() -> None:
    start = shelf.EXAMPLE.index("[purposes.national-impact-study.outputs.payload.disclosure]")
    assert refused((shelf.EXAMPLE[start:], "")) == {"policy/no-disclosure-limits": "4.2(c)"}
    start = shelf.EXAMPLE.index("[purposes.national-impact-study.outputs.payload.fields]")
    assert "policy/nothing-to-send" in refused((shelf.EXAMPLE[start:], ""))


def test_recipient_keys_must_be_there_confirmed_current_and_the_ones_named() -> None:
    def with_key(key: RecipientKey) -> set[str]:
        return set(refused(keys={**KEYS, "ons-research": key}))

    good = KEYS["ons-research"]
    assert permitted(keys=KEYS)
    assert set(refused(keys={})) == {"recipient/no-key"}
    assert with_key(replace(good, confirmed=False)) == {"recipient/key-not-confirmed"}
    assert with_key(replace(good, expires=dt.date(2026, 1, 1))) == {"recipient/key-expired"}
    assert with_key(replace(good, fingerprint="AA")) == {"policy/outputs-meet"}
    named = shelf.around()["recipients/ons-research.toml"].replace(
        "channel", 'fingerprint = "BB"\nchannel'
    )
    assert permitted(keys=KEYS, **{"recipients__ons-research": named})
    other = named.replace('"BB"', '"CC"')
    assert set(refused(keys=KEYS, **{"recipients__ons-research": other})) == {
        "recipient/key-mismatch"
    }


def test_the_map_of_an_approval_binds_the_keys_it_was_made_with() -> None:
    bundle = parse(documents())
    digest = policy_digest(bundle, STUDY.agreement, recipient_keys=KEYS)
    request = SharingRequest(purpose=STUDY.purpose, agreement=STUDY.agreement)
    approved = frozenset({(STUDY.agreement, digest)})
    same = decide(request, bundle, on=shelf.DAY, approved=approved, recipient_keys=KEYS)
    assert isinstance(same, Plan)
    unconfirmed = {
        each: RecipientKey(key_id=key.key_id, fingerprint=key.fingerprint, confirmed=False)
        for each, key in KEYS.items()
    }
    assert policy_digest(bundle, STUDY.agreement, recipient_keys=unconfirmed) == digest
    moved = {**KEYS, "ons-research": replace(KEYS["ons-research"], fingerprint="dd")}
    other = decide(request, bundle, on=shelf.DAY, approved=approved, recipient_keys=moved)
    assert isinstance(other, Refusal)


def test_a_plan_names_each_controller_whose_approval_it_needs_once_and_in_order() -> None:
    assert permitted().controllers == ("trafford-council",)
    several = '["trafford-council", "kirklees-council", "trafford-council"]'
    change = 'controllers = ["trafford-council"]', f"controllers = {several}"
    assert permitted(change).controllers == ("kirklees-council", "trafford-council")


def test_which_row_of_the_spine_counts_is_written_and_otherwise_nobody_may_repeat() -> None:
    assert permitted().spine_take == "one"
    latest = ('spine = "family_register"', 'spine = "family_register"\ntake = "latest"')
    assert permitted(latest).spine_take == "latest"
    wide = ('spine = "family_register"', 'spine = "family_register"\ntake = "wide-by:wave"')
    assert shelf.codes(wide) == {"policy/unknown-word"}
    for purpose in ("local-attendance-research", "local-incident-research"):
        request = SharingRequest(purpose=purpose, agreement="trafford-stronger-families")
        plan = decide(request, shelf.shipped(), on=shelf.DAY)
        assert isinstance(plan, Plan)
        assert plan.spine_take == "latest"


def test_a_join_is_by_the_names_of_its_own_contract_whatever_field_its_words_name() -> None:
    """A wave that is called a term, a person id that is called a pupil: the fields are the same."""
    progress = shelf.around()["datasets/family_progress.toml"]
    assert progress.count("[columns.person_id]") == progress.count("[columns.wave]") == 1
    other = (
        progress.replace("[columns.person_id]\n", '[columns.pupil]\nfield = "person_id"\n')
        .replace("[columns.wave]\n", '[columns.term]\nfield = "wave"\n')
        .replace('["person_id", ', '["pupil", ')
        .replace('"person_id"]', '"pupil"]')
        .replace('"wave"]', '"term"]')
        .replace('role = "pupil"', 'role = "person_id"')
    )
    (join,) = permitted(datasets__family_progress=other).joins
    assert (join.on, join.take) == ("pupil", "wide-by:term")
