"""What no agreement can permit: each refusal has its code, and its neighbour is permitted."""

from __future__ import annotations

import pytest

from gateway import minimise
from gateway.adapters.policy_folder import read_policies
from gateway.model import Plan, SharingRequest
from gateway.policy import Bundle, decide, parse
from gateway.policy.treatments import LADDERS
from tests.policies.shelf import (
    DAY,
    REPOSITORY,
    around,
    changed,
    codes,
    permitted,
    refused,
    shipped,
)

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


def _k(purpose: str, bundle: Bundle) -> int:
    request = SharingRequest(purpose=purpose, agreement="trafford-stronger-families")
    plan = decide(request, bundle, on=DAY)
    assert isinstance(plan, Plan), plan
    assert plan.outputs[0].limits is not None
    return plan.outputs[0].limits.k


def test_being_on_a_list_of_offences_raises_k_to_ten_whatever_columns_leave() -> None:
    documents = {p: t.decode() for p, t in read_policies(REPOSITORY / "policies").items()}
    path = "agreements/trafford.toml"
    start = documents[path].index("[purposes.local-incident-research.outputs.incidents.fields]")
    end = documents[path].index("# P11. The progress return")
    plain = (
        "[purposes.local-incident-research.outputs.incidents.fields]\n"
        'sex = { treat = "keep", clause = "6.3(a)i" }\n'
        "[purposes.local-incident-research.outputs.incidents.disclosure]\n"
        'key_variables = ["sex"]\nk = 2\non_small_group = "suppress"\n\n'
    )
    documents[path] = changed(documents[path], (documents[path][start:end], plain))
    assert _k("local-incident-research", parse(documents)) == 10
    for kind in ("cohorts", "datasets"):  # either declaration is enough
        fewer = {
            p: t.replace('harm = "offence"\nfrom', "from") if p == "vocabulary.toml" else t
            for p, t in documents.items()
        }
        if kind == "datasets":
            contract = "datasets/police_incidents.toml"
            fewer = {**documents, contract: documents[contract].replace('harm = "offence"\n', "")}
        assert _k("local-incident-research", parse(fewer)) == 10


def test_that_somebody_stands_in_such_a_dataset_raises_k_too() -> None:
    progress = changed(
        around()["datasets/family_progress.toml"],
        ('population = "synthetic"', 'population = "synthetic"\nharm = "health"'),
    )
    seen = _with('seen = { from = "FPD12", treat = "flag", clause = "1" }')
    for given, least in (({}, 5), ({"datasets__family_progress": progress}, 10)):
        limits = permitted(seen, **given).outputs[1].limits
        assert limits is not None
        assert limits.k == least


def test_the_register_of_families_keeps_the_k_of_its_agreement() -> None:
    limits = permitted().outputs[1].limits
    assert limits is not None
    assert limits.k == 5


@pytest.mark.parametrize("taken", ["link_id", "pseudonym", "slot", "Link_ID"])
def test_no_column_takes_a_name_that_the_gateway_writes_itself(taken: str) -> None:
    rule = _with(f'{taken} = {{ from = "relation", treat = "keep", clause = "4" }}')
    assert codes(rule) == {"policy/reserved-name"}


STEP = 'coarsen = [{ field = "district", treat = "postcode-area" }]'


@pytest.mark.parametrize(
    "steps",
    [
        '{ field = "district", treat = "keep" }',
        '{ field = "district", treat = "year" }',
        '{ field = "district", treat = "postcode-sector" }',
        '{ field = "district", treat = "postcode-district" }',
        '{ field = "sex", treat = "flag" }',
        '{ field = "age_band", treat = "age" }',
        '{ field = "district", treat = "postcode-area" }, '
        '{ field = "district", treat = "postcode-area" }',
    ],
)
def test_a_step_that_is_not_strictly_coarser_does_not_load(steps: str) -> None:
    assert codes((STEP, f"coarsen = [{steps}]")) == {"policy/not-coarser"}


def test_steps_from_finer_to_coarser_load() -> None:
    sector = ('treat = "postcode-district"', 'treat = "postcode-sector"')
    steps = ", ".join(
        f'{{ field = "{field}", treat = "{treat}" }}'
        for field, treat in [
            ("district", "postcode-district"),
            ("age_band", "age-band-10"),
            ("district", "postcode-area"),
        ]
    )
    assert codes(sector, (STEP, f"coarsen = [{steps}]")) == set()


def test_policy_and_minimising_know_the_same_ladders() -> None:
    assert LADDERS == (minimise.POSTCODE_STEPS, minimise.DATE_STEPS, minimise.AGE_STEPS)


def test_a_family_value_that_nobody_can_make_anew_does_not_leave() -> None:
    """It would still hold the evidence of the member who objected."""
    vocabulary = changed(around()["vocabulary.toml"], ('combine = "union"\n', ""))
    assert refused(vocabulary=vocabulary) == {"policy/family-value-not-combinable": "4.2(c)iii"}


def test_the_size_of_a_household_is_counted_anew() -> None:
    """A partner's number counts the member who stays out too."""
    assert shipped().vocabulary.fields["household_size"].combine == "count"


def _l(*changes: tuple[str, str]) -> dict[str, int]:
    limits = permitted(*changes).outputs[1].limits
    assert limits is not None
    return dict(limits.l_values)


WRITTEN = "l = { criteria_met = 2 }\n"


def test_no_sensitive_flag_may_be_shared_by_a_whole_group_written_or_not() -> None:
    assert _l() == _l((WRITTEN, "")) == {"criteria_met": 2}
    assert _l((WRITTEN, "l = { criteria_met = 3 }\n")) == {"criteria_met": 3}
    flags = _with(
        'arm = { from = "programme_arm", treat = "keep", clause = "1" }',
        'FPD08 = { treat = "keep", waves = ["T0"], clause = "1" }',
        'safe = { from = "FPD51", treat = "flag", waves = ["T1"], clause = "1" }',
        'relation = { treat = "keep", clause = "1" }',
    )
    assert _l(flags) == {"FPD08_T0": 2, "arm": 2, "criteria_met": 2, "safe_T1": 2}


def test_a_key_variable_makes_its_own_group_and_is_spared() -> None:
    arm = _with('arm = { from = "programme_arm", treat = "keep", clause = "1" }')
    key = ('"sex", "district"]', '"sex", "district", "arm"]')
    assert _l(arm, key) == {"criteria_met": 2}


def test_what_not_key_takes_out_is_no_key_variable_even_if_it_is_named() -> None:
    limits = permitted(("k = 5", 'k = 5\nnot_key = { sex = "9" }')).outputs[1].limits
    assert limits is not None
    assert limits.key_variables == ("age_band", "district")


ALL_OUT = (
    'key_variables = ["age_band", "sex", "district"]',
    'not_key = { age_band = "9", sex = "9", district = "9" }',
)


def test_rows_without_any_key_variable_go_to_a_secure_setting_only() -> None:
    assert permitted(ALL_OUT)
    team = changed(around()["recipients/ons-research.toml"], ('"secure-setting", ', ""))
    open_ = {"recipients__ons-research": team}
    assert refused(ALL_OUT, **open_) == {"policy/no-key-variable": "4.2(c)"}
    one = (ALL_OUT[0], ALL_OUT[1].replace('sex = "9", ', ""))
    assert permitted(one, **open_)


@pytest.mark.parametrize("field", ["protected", "participation", "participation_date"])
@pytest.mark.parametrize("treat", ["keep", "flag"])
def test_what_protects_people_never_leaves(field: str, treat: str) -> None:
    rule = _with(f'x = {{ from = "{field}", treat = "{treat}", clause = "7" }}')
    assert refused(rule) == {"policy/protection-field": "7"}


def test_nor_does_it_under_another_name_of_the_vocabulary() -> None:
    contract = changed(
        around()["datasets/family_register.toml"],
        ("[columns.protected]\n", '[columns.protected]\nfield = "on_roll"\n'),
    )
    rule = _with('x = { from = "protected", treat = "keep", clause = "7" }')
    assert refused(rule, datasets__family_register=contract) == {"policy/protection-field": "7"}


def test_a_person_hears_what_they_said_themselves() -> None:
    request = SharingRequest(purpose="subject-rights", agreement="trafford-stronger-families")
    plan = decide(request, shipped(), on=DAY)
    assert isinstance(plan, Plan)
    assert "participation" in {column.name for column in plan.outputs[0].columns}
