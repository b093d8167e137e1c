"""A decision and a change, in sentences that a governance lead can sign."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from gateway.model import Plan, SharingRequest
from gateway.policy import compare, decide, explain, parse
from tests.policies import shelf
from tests.policies.shelf import documents, permitted

SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'


# As people call them, the id in brackets where it says more.
NIS, AGE = "National Impact Study", "Date of birth (*age_band*)"
AGREEMENT = "Stronger Families information sharing agreement (*trafford-stronger-families*)"
ONS = "Office for National Statistics"
RESEARCH = f"{ONS}, Research team of the national study (*ons-research*)"
UNIT = f"{ONS}, Linkage unit of the national study (*ons-linkage-unit*)"
ANOTHER = "*another*"


def _said(*changes: tuple[str, str], **others: str) -> list[str]:
    return compare(parse(documents()), parse(documents(*changes, **others)))


def test_a_plan_is_explained_field_by_field_with_its_clause() -> None:
    said = explain(permitted())
    assert '"sex" is kept: it leaves as it is for "ons-research" (clause 4.2(c)i).' in said
    assert (
        '"district", from postcode of family_register, is coarsened: it leaves as the postcode '
        'district for "ons-research" (clause 4.2(c)ii).' in said
    )
    assert any(s.startswith('"criteria_met" is kept for the family') for s in said)
    assert any("T01 to T39" in s and '"nis"' in s for s in said)
    assert '"intensity" of "family_register" is withheld: No clause permits it.' in said


def test_a_plan_is_explained_in_titles_and_meanings_and_in_no_word_of_the_documents() -> None:
    for agreement in shelf.shipped().agreements.values():
        for purpose in agreement.purposes:
            request = SharingRequest(purpose=purpose, agreement=agreement.id)
            plan = decide(request, shelf.shipped(), on=dt.date(2026, 6, 15))
            assert isinstance(plan, Plan)
            text = " ".join(explain(plan, shelf.shipped().knowledge))
            assert not [each for each in ("wide-by", "receipt+", *plan.duties) if each in text]
            assert f'"{plan.cohort.name}"' not in text
    said = explain(permitted(), shelf.shipped().knowledge)
    assert any(s.endswith('is joined on "person_id", one column for each wave.') for s in said)
    assert any(s.endswith("the map of link ids 30 days after receipt.") for s in said)
    assert any("Destroy it by the date given and return a signed certificate." in s for s in said)


def test_days_and_legal_bases_are_said_as_people_say_them() -> None:
    knowledge = shelf.shipped().knowledge
    for agreement in shelf.shipped().agreements.values():
        for purpose in agreement.purposes:
            request = SharingRequest(purpose=purpose, agreement=agreement.id)
            plan = decide(request, shelf.shipped(), on=agreement.review)
            text = " ".join(explain(plan, knowledge))
            assert not re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
            for key in plan.legal_bases if isinstance(plan, Plan) else ():
                assert f"{knowledge.bases[key].provision} ({key})" in text
    said = explain(permitted(), knowledge)
    assert any(s.startswith("It is destroyed by 31 March 2028; the map") for s in said)
    assert any("as a five-year age band at 1 April 2026 for" in s for s in said)


def test_every_column_of_every_source_is_kept_coarsened_or_withheld() -> None:
    for agreement in shelf.shipped().agreements.values():
        for purpose in agreement.purposes:
            request = SharingRequest(purpose=purpose, agreement=agreement.id)
            plan = decide(request, shelf.shipped(), on=dt.date(2026, 6, 15))
            assert isinstance(plan, Plan)
            sent = {(c.dataset, c.column) for o in plan.outputs for c in o.columns}
            stays = {(each.dataset, each.column) for each in plan.not_sent}
            assert not sent & stays
            sources = {plan.cohort.dataset, *(join.dataset for join in plan.joins)}
            columns = {(s, c.name) for s in sources for c in shelf.shipped().contracts[s].columns}
            assert sent | stays == columns
            assert len(explain(plan)) > len(stays)


def test_a_refusal_is_explained_reason_by_reason() -> None:
    decision = decide(replace(shelf.STUDY, purpose="x"), parse(documents()), on=shelf.DAY)
    said = explain(decision)
    assert said[0] == "Nothing may be shared."
    assert said[1].endswith("[sharing/no-agreement]")


def test_tables_limits_tokens_and_treatments_are_said() -> None:
    request = SharingRequest(purpose="published-stats", agreement="trafford-stronger-families")
    plan = decide(request, shelf.shipped(), on=dt.date(2026, 6, 15))
    assert any("rounded to 5 (clause 7.2(a)ii)" in s for s in explain(plan))
    loose = permitted(
        ('["T01..T39"]', '["T01", "T03"]'),
        ("k = 5", 'k = 5\nnot_key = { sex = "4.2(f)" }'),
        (SEX, SEX + '\nwhen = { from = "FPD12", treat = "band:1,5", clause = "1" }'),
    )
    said = explain(loose)
    assert any("tokens are T01 and T03" in s for s in said)
    assert any('carries "slot"' in s for s in said)
    assert any("tokens and a random link id" in s for s in said)
    assert '"sex" does not count as a key variable (clause 4.2(f)).' in said
    assert any("at wave T0" in s and "as a band (from 1, 5)" in s for s in said)
    between = explain(replace(loose, cohort=replace(
        loose.cohort, between=(("start", None, dt.date(2026, 1, 1)),), within=()
    )))  # fmt: skip
    assert any("start from any day to 1 January 2026" in s for s in between)
    nothing = explain(replace(loose, cohort=replace(loose.cohort, within=()), duties=()))
    assert 'The people are "programme-and-comparison" of "family_register".' in nothing
    assert any("Duties: none." in s for s in nothing)


def test_nothing_differs_between_equal_documents() -> None:
    assert _said() == []


def test_an_added_field_is_said_as_the_reference_says_it() -> None:
    added = (SEX, SEX + '\nintensity = { treat = "keep", clause = "4.2(d)" }')
    assert _said(added) == [
        f"adds Intensity of the support (*intensity*) to {NIS} for {RESEARCH}, as it is, "
        "clause 4.2(d)"
    ]


def test_each_change_has_its_sentence() -> None:
    study, payload = NIS, RESEARCH
    pairs = {
        (SEX, ""): "removes Sex at registration (*sex*) from "
        f"{study} for {payload}, clause 4.2(c)i",
        ('"age-band-5"', '"age-band-10"'): f"changes {AGE} in {study} for {payload}: as a "
        "ten-year age band instead of as a five-year age band, clause 4.2(c)i",
        ("at = 2026-04-01", "at = 2026-05-01"): "changes the day at which it is told (*at*) of "
        f"{AGE} in {study} for {payload} from *2026-04-01* to *2026-05-01*, clause 4.2(c)i",
        ('["T01..T39"]', '["T01..T38"]'): f"removes token *T39* from {study} for "
        f"{UNIT}, clause 4.2(b)",
        ("ends = 2027-03-31", "ends = 2027-12-31"): f"changes the last day (*ends*) of {AGREEMENT} "
        "from *2027-03-31* to *2027-12-31*",
        ('dpia = "DPIA-2026-014"\n', ""): "changes the impact assessment (*dpia*) of "
        f"{AGREEMENT} from *DPIA-2026-014* to nothing",
        ('"trafford-schools", ', ""): "removes Schools of Trafford (*trafford-schools*) from "
        f"the parties of {AGREEMENT}",
        ('clause = "3.4"', 'clause = "3.5"'): "changes the clause of the prohibition of Narrative "
        f"of any kind (*free_text_notes*) in {AGREEMENT} from *3.4* to *3.5*",
        ("k = 5", "k = 6"): "changes the least number of families in a group "
        f"(*disclosure.k*) of output *payload* of {study} from *5* to *6*",
        ('state = "de-id', 'published = 2026-01-01\nstate = "de-id'): "adds the day of the notice "
        f"(*notice.published*) to {study}: *2026-01-01*",
        ("l = { criteria_met = 2 }\n", ""): "removes Which of the six problems the family has "
        "(*criteria_met*) from the least number of values in a group (*disclosure.l*) of output "
        f"*payload* of {study}, which was: *2*",
    }  # fmt: skip
    for change, sentence in pairs.items():
        extra = [('"sex", "district"]', '"district"]')] if change[0] == SEX else []
        assert sentence in _said(change, *extra), change


def test_prohibitions_purposes_outputs_and_agreements_come_and_go() -> None:
    before, after = parse(documents()), parse(documents(shelf.prohibiting("sex")))
    where = f"Sex at registration (*sex*) in {AGREEMENT}, clause 3.9"
    assert f"prohibits {where}, because *No.*" in compare(before, after)
    assert f"no longer prohibits {where}" in compare(after, before)
    start = shelf.EXAMPLE.index("[purposes.national-impact-study.outputs.linkage]")
    end = shelf.EXAMPLE.index("[purposes.national-impact-study.outputs.payload]")
    less = parse(documents((shelf.EXAMPLE[start:end], "")))
    assert f"removes output *linkage* from {NIS}" in compare(before, less)
    assert f"adds output *linkage* to {NIS} for {UNIT}, clause 4.2(b)" in compare(less, before)
    head = shelf.EXAMPLE[: shelf.EXAMPLE.index("[purposes")]
    bare = parse({**shelf.around(), "agreements/example.toml": head})
    assert f"adds purpose {NIS} to {AGREEMENT}, clause 4.2" in compare(bare, before)
    assert f"removes purpose {NIS} from {AGREEMENT}" in compare(before, bare)
    none = parse(shelf.around())
    assert f"adds agreement {AGREEMENT}" in compare(none, before)
    assert f"removes agreement {AGREEMENT}" in compare(before, none)


def test_the_documents_beside_an_agreement_are_compared_too() -> None:
    vocabulary = shelf.around()["vocabulary.toml"]
    old = 'meaning = "Part in the family."\nclass = "plain"'
    harder = shelf.changed(vocabulary, (old, old.replace("plain", "direct")))
    assert _said(vocabulary=harder) == [
        "changes the class of field Part in the family (*relation*) from *plain* to *direct*",
        "changes the class of its field (*field_class*) of Part in the family (*relation*) in the "
        "columns of contract The council's register of families (*family_register*) from *plain* "
        "to *direct*",
    ]
    recipient = shelf.around()["recipients/ons-research.toml"]
    other = recipient.replace('id = "ons-research"', 'id = "another"')
    (added,) = _said(recipients__other=other)
    (removed,) = compare(parse(documents(recipients__other=other)), parse(documents()))
    content = added.removeprefix(f"adds recipient {ANOTHER}: ")
    assert content.startswith(f"the organisation {ONS}")
    assert "*secure-setting*" in content
    assert removed == f"removes recipient {ANOTHER}, which was: {content}"


def test_a_longitudinal_key_and_a_removed_section_are_said() -> None:
    key = ('epoch = "2026-1" }', 'epoch = "2026-1", longitudinal = { clause = "4.9" } }')
    assert permitted(key).outputs[0].longitudinal == "4.9"
    rounds = "the clause that lets one study key span rounds (*key.longitudinal*)"
    assert _said(key) == [f"adds {rounds} to output *linkage* of {NIS}: the clause *4.9*"]
    back = compare(parse(documents(key)), parse(documents()))
    assert back == [f"removes {rounds} of output *linkage* of {NIS}, which was: the clause *4.9*"]


def test_two_things_of_one_title_and_those_without_one_are_called_by_their_ids() -> None:
    vocabulary = shelf.around()["vocabulary.toml"]
    old = 'meaning = "Sex at registration: 1 male'
    twice = shelf.changed(
        vocabulary, (old, old), ('meaning = "Intensity of the support', old.replace("1 male", "x"))
    )
    added = (SEX, SEX + '\nintensity = { treat = "keep", clause = "4.2(d)" }')
    (_, said) = sorted(_said(added, vocabulary=twice), key=lambda each: "adds" in each)
    assert said.startswith("adds *intensity* to")


def test_a_rule_that_names_a_column_is_called_by_its_field() -> None:
    added = (
        SEX,
        SEX + '\nborn = { from = "dob", source = "family_register", treat = "year", clause = "4" }',
    )
    assert _said(added)[0].startswith("adds Date of birth (*born*) to")


def test_a_title_cannot_pass_for_a_name() -> None:
    """A star in a title would begin what the pages show as an id."""
    old = ('title = "Stronger Families information', 'title = "A *sealed-clear* information')
    assert all(said.count("*") % 2 == 0 for said in _said(old))
