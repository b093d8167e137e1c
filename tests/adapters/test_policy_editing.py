"""Forms change the words of an agreement and leave its comments and order as they were."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gateway import policy
from gateway.adapters import policy_editing as editing
from gateway.adapters import policy_templates as templates
from gateway.adapters.policy_editing import FieldEdit
from gateway.errors import InputRejected, UsageError

POLICIES = Path(__file__).parents[2] / "policies"
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
PATH = "agreements/trafford.toml"
TEXT = DOCUMENTS[PATH]
STUDY = "national-impact-study"


def changes(text: str) -> list[str]:
    return policy.compare(policy.parse(DOCUMENTS), policy.parse(DOCUMENTS | {PATH: text}))


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def test_a_field_is_added_with_its_clause() -> None:
    text = editing.set_field(
        TEXT, STUDY, "payload", FieldEdit(name="intensity", treat="keep", clause="4.2(c)iv")
    )
    assert changes(text) == [
        "adds Intensity of the support (*intensity*) to National Impact Study for Office for "
        "National Statistics, Research team of the national study (*ons-research*), as it is, "
        "clause 4.2(c)iv"
    ]
    assert comments(text) == comments(TEXT)


def test_a_field_is_coarsened_in_its_place() -> None:
    field = FieldEdit(
        name="age_band",
        from_field="date_of_birth",
        treat="age-band-10",
        at=dt.date(2026, 4, 1),
        clause="4.2(c)i",
    )
    text = editing.set_field(TEXT, STUDY, "payload", field)
    (said,) = changes(text)
    assert said.startswith("changes Date of birth (*age_band*) in National Impact Study")
    assert len(text.splitlines()) == len(TEXT.splitlines())


def test_a_field_that_is_changed_keeps_what_its_form_does_not_show() -> None:
    payload = ("national-progress-study", "payload")
    rule = (
        '{ source = "family_progress", treat = "keep", clause = "4.3(c)iv", waves = ["T0"] } # Why.'
    )
    start = TEXT.index('"FPD01..FPD58" = ')
    text = f"{TEXT[:start]}FPD10 = {rule}\n{TEXT[start:]}"
    as_shown = FieldEdit(name="FPD10", treat="keep", clause="4.3(c)iv", source="family_progress")
    assert editing.set_field(text, *payload, as_shown) == text
    flag = FieldEdit(name="FPD10", treat="flag", clause="4.3(c)iv", source="family_progress")
    assert editing.set_field(text, *payload, flag) == text.replace(
        rule, rule.replace('"keep"', '"flag"')
    )


def test_a_list_loses_what_was_taken_out_of_it_alone() -> None:
    bases = '[\n  "b", # Why b.\n  # Of a:\n  "a",\n]'
    text = f'[purposes.study]\nlegal_bases = {bases} # Last.\ntitle = "A"\n'
    shown = {"legal_bases": ["a", "b"]}
    assert editing.set_purpose(text, "study", shown) == text, "nothing was changed"
    more = editing.set_purpose(text, "study", {"legal_bases": ["a", "b", "c"]})
    assert more == text.replace('"a",\n', '"a",\n  "c",\n')
    less = editing.set_purpose(text, "study", {"legal_bases": ["a"]})
    assert less == text.replace('  "b", # Why b.\n', "")


def test_a_list_whose_order_was_typed_is_written_in_that_order() -> None:
    text = 'areas = ["Trafford", "Salford"]\n'
    said = editing.set_agreement(text, {"areas": ["Salford", "Trafford"]})
    assert said == 'areas = ["Salford", "Trafford"]\n'


def test_a_field_is_taken_out() -> None:
    text = editing.remove_field(TEXT, STUDY, "payload", "district")
    assert "district          =" not in text
    with pytest.raises(UsageError, match="policy/nothing-to-edit"):
        editing.remove_field(text, STUDY, "payload", "district")


def test_participation_and_retention_are_set() -> None:
    parts = {"participation": "opt-out", "retain_until": dt.date(2028, 6, 30)}
    said = changes(editing.set_purpose(TEXT, STUDY, parts))
    assert any("participation" in sentence and "opt-out" in sentence for sentence in said)
    assert any("retain_until" in sentence and "2028-06-30" in sentence for sentence in said)


def test_limits_prohibitions_and_the_agreement_itself_are_set() -> None:
    text = editing.set_limits(TEXT, STUDY, "payload", {"k": 10, "on_small_group": "refuse"})
    text = editing.prohibit(text, "ethnicity", clause="3.5", reason="It is never needed.")
    text = editing.set_agreement(text, {"review": dt.date(2026, 12, 15)})
    text = editing.with_version(text, 4)
    said = " ".join(changes(text))
    for part in ("disclosure.k", "prohibits Ethnic", "review", "version"):
        assert part in said
    assert comments(text) == comments(TEXT)


def test_a_form_sets_only_what_forms_may_set() -> None:
    with pytest.raises(UsageError, match="policy/nothing-to-edit"):
        editing.set_purpose(TEXT, STUDY, {"outputs": "x"})
    with pytest.raises(UsageError, match="policy/nothing-to-edit"):
        editing.set_agreement(TEXT, {"id": "other"})


@pytest.mark.parametrize(("purpose", "output"), [("nothing", "payload"), (STUDY, "nothing")])
def test_what_is_not_there_cannot_be_edited(purpose: str, output: str) -> None:
    field = FieldEdit(name="sex", treat="keep", clause="1")
    with pytest.raises(UsageError, match="policy/nothing-to-edit"):
        editing.set_field(TEXT, purpose, output, field)


def test_a_text_that_is_not_toml_is_left_to_the_text_editor() -> None:
    with pytest.raises(InputRejected, match="policy/unreadable"):
        editing.with_version("id = ", 2)


def test_what_a_form_was_given_is_not_repeated_in_its_error() -> None:
    with pytest.raises(UsageError) as fault:
        editing.remove_field(TEXT, STUDY, "payload", "Kim Canary <script>")
    assert "Canary" not in str(fault.value)


def begun() -> str:
    return templates.begin(
        templates.NewAgreement(
            id="early-help",
            title="Early help in schools",
            controllers=("trafford-council",),
            parties=("trafford-schools", "gm-research-unit"),
            benefits="Pupils get help before a problem grows.",
            areas=("Trafford",),
            contact="early.help@trafford.example",
            dpia="DPIA-2026-101",
            starts=dt.date(2026, 12, 1),
            ends=dt.date(2027, 11, 30),
        )
    )


def test_a_new_agreement_loads_and_shares_nothing() -> None:
    bundle = policy.parse(DOCUMENTS | {"agreements/early-help.toml": begun()})
    assert bundle.agreements["early-help"].purposes == {}
    assert policy.traces(bundle) == policy.traces(policy.parse(DOCUMENTS))


def test_a_purpose_is_added_by_form_and_permitted_once_it_has_fields() -> None:
    purpose = templates.NewPurpose(
        id="attendance-research",
        title="Does early help raise attendance",
        clause="2.1",
        legal_bases=("UKGDPR-6-1-e", "UKGDPR-84B"),
        subjects="pupils",
        spine="school_attendance",
        participation="objection",
        household="drop-person",
        retain_until=dt.date(2028, 3, 31),
        duties=("research-only", "no-decisions"),
        notice="early-help-2026",
        state="de-identified",
        identifiers=("date_of_birth", "sex", "address"),
        output="payload",
        recipient="gm-research",
        form="link-id",
        k=10,
    )
    text = templates.add_purpose(begun(), purpose)
    text = editing.set_field(
        text, purpose.id, "payload", FieldEdit(name="sex", treat="keep", clause="2.1(a)")
    )
    bundle = policy.parse(DOCUMENTS | {"agreements/early-help.toml": text})
    (trace,) = [t for t in policy.traces(bundle) if t.agreement == "early-help"]
    assert (trace.column, trace.clause, trace.recipient) == ("sex", "2.1(a)", "gm-research")
    assert "# Who shares" in text
