"""Whatever is not written is refused, by document, key and remedy."""

from __future__ import annotations

import pytest

from gateway.adapters.policy_folder import read_policies
from gateway.model import Plan, Refusal
from gateway.policy import PolicyInvalid, decide, load, parse
from gateway.policy.findings import MOST
from gateway.policy.reading import read
from tests.policies import shelf
from tests.policies.shelf import EXAMPLE, codes, documents, sentences

SEX = 'sex          = { treat = "keep", clause = "4.2(c)i" }'

TWICE = '{ source = "family_progress", on = "person_id", take = "one" }]'


def test_the_example_of_the_reference_loads_as_it_is_printed() -> None:
    bundle = parse(documents())
    agreement = bundle.agreements["trafford-stronger-families"]
    assert agreement.version == 3
    assert agreement.purposes["national-impact-study"].joins is not None


def test_the_shipped_trafford_agreement_contains_the_example_word_for_word() -> None:
    """But for the parties that only its other purposes send to."""
    others = ', "trafford-partnership", "gm-research-unit", "mhclg"'
    shipped = (shelf.REPOSITORY / "policies/agreements/trafford.toml").read_text(encoding="utf-8")
    assert shelf.changed(EXAMPLE, ('"dwp", "ons"]', f'"dwp", "ons"{others}]')) in shipped


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("benefits =", "benefit =", "policy/unknown-key"),
        ('clause = "4.2"\n', "", "policy/missing-clause"),
        (SEX, 'sex = { treat = "keep" }', "policy/missing-clause"),
        ('{ clause = "3.4", reason', "{ reason", "policy/missing-clause"),
        ("ends = 2027-03-31\n", "", "policy/missing-end-date"),
        ('areas = ["Trafford"]', "areas = []", "policy/empty-list"),
        ('duties = ["research-only", ', "duties = [] #", "policy/empty-list"),
        ('tokens = ["T01..T39"]', "tokens = []", "policy/empty-list"),
        (SEX, 'ethncity = { treat = "keep", clause = "4.2(d)" }', "policy/unknown-field"),
        ('"free_text_notes"', '"fre_text_notes"', "policy/unknown-field"),
        ('"ons-research"', '"ons-reserch"', "policy/unknown-recipient"),
        ('"UKGDPR-84B"', '"UKGDPR-84Z"', "policy/unknown-legal-basis"),
        ('["T01..T39"]', '["T01..T40"]', "policy/unknown-token"),
        ('["T01..T39"]', '["T1"]', "policy/unknown-token"),
        ('"research-only"', '"reserch-only"', "policy/unknown-duty"),
        ('"programme-and-comparison"', '"programme-and-comparisn"', "policy/unknown-cohort"),
        ('spine = "family_register"', 'spine = "family_registr"', "policy/unknown-dataset"),
        ('source = "family_progress"', 'source = "family_progres"', "policy/unknown-dataset"),
        ('on = "person_id"', 'on = "persn_id"', "policy/unknown-column"),
        ('on = "person_id"', 'on = "extract_date"', "policy/join-not-on-people"),
        ('"wide-by:wave"', '"wide-by:waves"', "policy/unknown-column"),
        ('"wide-by:wave"', '"all"', "policy/value-malformed"),
        ("k = 5", "k = 1", "policy/value-malformed"),
        ("k = 5", 'k = "5"', "policy/value-malformed"),
        ("starts = 2026-04-01", 'starts = "2026-04-01"', "policy/value-malformed"),
        ("starts = 2026-04-01", "starts = 2026-04-01T00:00:00", "policy/value-malformed"),
        ('kind = "records"', 'kind = "record"', "policy/unknown-word"),
        ('participation = "objection"', 'participation = "optout"', "policy/unknown-word"),
        ('"age-band-5"', '"age-band-7"', "policy/unknown-treatment"),
        ('treat = "postcode-area" }]', 'treat = "smaller" }]', "policy/unknown-treatment"),
        (SEX, 'sex = { treat = "postcode-area", clause = "1" }', "policy/treatment-does-not-fit"),
        (SEX, 'sex = { treat = "keep", at = 2026-01-01, clause = "1" }', "policy/unexpected-at"),
        (
            SEX,
            'old = { from = "dob", treat = "age", clause = "1" }',
            "policy/age-without-date",
        ),
        (SEX, 'sex = { treat = "keep", waves = ["T0"], clause = "1" }', "policy/unexpected-waves"),
        (SEX, 'sex = { treat = "keep", source = "x", clause = "1" }', "policy/unknown-dataset"),
        (SEX, 'tenure = { treat = "keep", clause = "1" }', "policy/field-not-in-dataset"),
        ("at = 2026-04-01", 'at = "release"', "policy/unknown-column"),
        ("at = 2026-04-01", 'at = "sex"', "policy/unknown-column"),
        ('key_variables = ["age_band"', 'key_variables = ["age"', "policy/unknown-column"),
        ("l = { criteria_met = 2 }", "l = { criteria = 2 }", "policy/unknown-column"),
        ('key = { study = "nis", epoch = "2026-1" }', "", "policy/missing-key"),
        ('identifiers = "link-id"', 'identifiers = "tokens"', "policy/missing-key"),
        ('tokens = ["T01..T39"]', "", "policy/missing-key"),
        ('identifiers = "tokens"', 'identifiers = "none"', "policy/unexpected-tokens"),
        ('"wide-by:wave" }]', '"one" }, ' + TWICE, "policy/duplicate-join"),
        ("trafford.example", "trafford.gcsx.gov.uk", "policy/retired-mail-domain"),
        ('title = "National Impact Study"', 'title = " "', "policy/value-malformed"),
        ('id = "trafford', 'id = "trafford\\u202e', "policy/hidden-character"),
        ('id = "trafford', 'id = "trafford\\u2028', "policy/hidden-character"),
        ('id = "trafford', 'id = "trafford\\u2029', "policy/hidden-character"),
        ('title = "National Impact Study"', 'title = "\u2800"', "policy/value-malformed"),
        ('title = "National Impact Study"', f'title = "{"x" * 2_001}"', "policy/value-malformed"),
        ("benefits =", '"b\\u0435nefits" =', "policy/look-alike-key"),
        ("benefits =", '"bene fits!" =', "policy/key-malformed"),
        ("version = 3", "version = 3\nversion = 4", "policy/unreadable"),
    ],
)  # fmt: skip
def test_a_fault_stops_the_document_under_its_own_code(old: str, new: str, code: str) -> None:
    assert code in codes((old, new))


def test_a_misspelt_field_is_answered_with_the_right_one() -> None:
    said = sentences((SEX, 'ethncity = { treat = "keep", clause = "4.2(d)" }'))
    assert 'agreements/example.toml, purpose "national-impact-study", output "payload"' in said
    assert 'field "ethncity" is not in the vocabulary. Did you mean "ethnicity"?' in said


def test_a_misspelt_key_is_answered_with_the_right_one_at_any_depth() -> None:
    said = sentences(('household = "drop-person"', 'houshold = "drop-person"'))
    assert 'the key "houshold" is not known. Did you mean "household"?' in said
    assert '"household" is missing' in said
    deep = sentences(("on_small_group =", "on_smal_group ="))
    assert 'Did you mean "on_small_group"?' in deep
    rule = sentences((SEX, 'sex = { treat = "keep", claus = "4.2(c)i" }'))
    assert 'Did you mean "clause"?' in rule
    join = sentences(('on = "person_id"', 'onn = "person_id"'))
    assert 'Did you mean "on"?' in join


def test_all_findings_of_a_document_come_at_once() -> None:
    found = codes((SEX, 'sx = { treat = "keep", clause = "1" }'), ('"UKGDPR-84B"', '"X"'))
    assert found == {"policy/unknown-field", "policy/unknown-legal-basis"}


def test_a_value_is_never_quoted() -> None:
    said = sentences(
        ('contact = "stronger.families@trafford.example"', 'contact = ["Ann Onymous"]')
    )
    assert "Ann" not in said
    assert "policy/value-malformed" in said
    strange = sentences(('"research-only"', '"ann onymous <ann@home>"'))
    assert "ann" not in strange.replace("answer", "")


def test_a_broken_agreement_stops_itself_and_no_other() -> None:
    texts = documents()
    texts["agreements/other.toml"] = EXAMPLE.replace("trafford-stronger", "x").replace("k = 5", "")
    bundle, findings = load(texts)
    assert {finding.document for finding in findings} == {"agreements/other.toml"}
    assert set(bundle.agreements) == {"trafford-stronger-families"}
    with pytest.raises(PolicyInvalid, match="policy/missing-key"):
        parse(texts)


def test_two_agreements_of_one_id_are_both_refused() -> None:
    bundle, findings = load(documents(agreements__again=EXAMPLE))
    assert {finding.code for finding in findings} == {"policy/duplicate-id"}
    assert not bundle.agreements


def test_two_contracts_or_recipients_of_one_id_are_named() -> None:
    register = shelf.around()["datasets/family_register.toml"]
    assert codes(datasets__again=register) == {"policy/duplicate-id"}
    recipient = shelf.around()["recipients/ons-research.toml"]
    assert codes(recipients__again=recipient) == {"policy/duplicate-id"}


def test_what_is_no_document_is_named() -> None:
    assert codes(notes__readme='a = "b"') == {"policy/unknown-document"}
    texts = {**documents(), "agreements/README.md": "# not a document"}
    assert load(texts)[1] == ()


def test_without_vocabulary_or_bases_nothing_loads() -> None:
    texts = documents()
    del texts["vocabulary.toml"], texts["legal-bases.toml"]
    bundle, findings = load(texts)
    missing = [f.document for f in findings if f.code == "policy/missing-document"]
    assert sorted(missing) == ["legal-bases.toml", "vocabulary.toml"]
    assert not bundle.agreements


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"a = 1\n# " + b"x" * 1_000_000, "policy/too-large"),
        ("a = 1 # " + "é" * 600_000, "policy/too-large"),
        (b"\xff\xfe\x00", "policy/unreadable"),
        ("a = " + "[" * 50 + "]" * 50, "policy/too-deep"),
        (".".join("a" * 400_000) + " = 1", "policy/too-deep"),
        ("a = " + "{ b = " * 14 + "1" + " }" * 14, "policy/too-deep"),
        ("a = ", "policy/unreadable"),
        ("[a]\n[a]", "policy/unreadable"),
        ("", "policy/missing-key"),
        ("".join(f"k{n} = 1\n" for n in range(30_000)), "policy/too-large"),
        ("k = [" + "1," * 30_000 + "]", "policy/too-large"),
        ("a = 1 # \u202eread backwards", "policy/hidden-character"),
        ("a = 1 # \u2028b = 2", "policy/hidden-character"),
    ],
)
def test_a_hostile_document_is_refused_before_it_is_understood(
    text: str | bytes, code: str
) -> None:
    _, findings = load({**shelf.around(), "agreements/x.toml": text})
    assert code in {finding.code for finding in findings}


@pytest.mark.parametrize(
    "character",
    [
        *("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180b", "\u180e", "\u180f"),
        *(
            "\u3164",
            "\ufe00",
            "\ufe0f",
            "\uffa0",
            "\ufff0",
            "\U000e0000",
            "\U000e0041",
            "\U000e01ef",
        ),
        *("\u2065", "\U000e01ef", "\U000e0fff", "\u200b", "\u00ad"),
    ],
    ids=ascii,
)
def test_a_character_that_programs_draw_as_nothing_is_refused(character: str) -> None:
    for text in (f'a = "x{character}y"', f"a = 1 # x{character}y"):
        _, findings = read("agreements/x.toml", text)
        assert [each.code for each in findings] == ["policy/hidden-character"]


@pytest.mark.parametrize("one", ["[a{}]\n", "[[a]] # {}\n", "k{} = 1\n", "a.b{} = 1\n"])
def test_far_too_many_entries_are_refused_before_they_are_parsed(
    one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gateway.policy.reading.tomllib.loads", lambda _text: pytest.fail("it was parsed")
    )
    tree, findings = read("agreements/x.toml", "".join(one.format(n) for n in range(60_000)))
    assert not tree
    assert [finding.code for finding in findings] == ["policy/too-large"]


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ("\ufeffid = 'x'", "line 1", "byte order mark"),
        (b"\xef\xbb\xbfid = 'x'", "line 1", "byte order mark"),
        ("a = 1\nn\u0430me = 2", "line 2", "can look like another"),
        ("a = 1\n[a.\u0430b]", "line 2", "can look like another"),
        ("a = 1\n\nb = " + "9" * 5_000, "line 3", "more digits than can be read"),
        ("a = 1\na = 2", "line 2", "stands twice"),
        ("a = 1\n\nb = " + "[" * 50 + "]" * 50, "line 3", "nest deeper"),
        ("a = 1\n" + ".".join("b" * 400) + " = 1", "line 2", "nest deeper"),
        ("a = 1\nb = " + "{ c = " * 2_000 + "1" + " }" * 2_000, "line 2", "nest deeper"),
        ("[a]\n[a]", "line 2", "stands twice"),
        ("a = { b = 1, b = 2 }", "line 1", "stands twice"),
        ('a = 1\nb = "\u0430" c', "line 2", "not TOML"),
        ("a = 1\n\nb = ", "line 3", "not TOML"),
    ],
    ids=range(13),
)
def test_a_text_that_cannot_be_read_says_why_and_where(
    text: str | bytes, where: str, told: str
) -> None:
    _, findings = load({**shelf.around(), "agreements/x.toml": text})
    (mine,) = [each for each in findings if each.document == "agreements/x.toml"]
    assert mine.where == where
    assert told in mine.sentence
    assert mine.remedy
    assert ("stands twice" in mine.sentence) == (told == "stands twice")


@pytest.mark.parametrize("fault", ["k{n} = 1", 'f{n} = {{ treat = "keep", clause = "1" }}'])
def test_after_a_thousand_faults_no_more_are_looked_for(
    fault: str,
) -> None:
    head = "[purposes.national-impact-study.outputs.payload.fields]\n"
    more = "".join(f"{fault.format(n=n)}\n" for n in range(1_500))
    mine = load(documents((head, head + more)))[1]
    assert len(mine) == MOST + 1
    assert mine[-1].code == "policy/more-findings"


def test_a_cohort_of_another_dataset_than_the_spine_is_refused() -> None:
    found = codes(
        ('subjects = "programme-and-comparison"', 'subjects = "people-in-police-incidents"')
    )
    assert found == {"policy/cohort-not-of-spine"}


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ('{ programme_arm = ["PROGG"] }', "policy/unknown-code"),
        ('{ arm = ["PROG"] }', "policy/unknown-column"),
        ('{ start = ["PROG"] }', "policy/condition-does-not-fit"),
        ("{ relation = { from = 2020-01-01 } }", "policy/condition-does-not-fit"),
    ],
)
def test_a_cohort_names_only_what_its_contract_has(where: str, code: str) -> None:
    vocabulary = (
        shelf.around()["vocabulary.toml"]
        + f'\n[cohorts.c]\nfrom = "family_register"\nwhere = {where}\n'
    )
    assert codes(vocabulary=vocabulary) == {code}


def test_a_cohort_of_no_dataset_is_named() -> None:
    vocabulary = shelf.around()["vocabulary.toml"] + '\n[cohorts.c]\nfrom = "nowhere"\n'
    assert codes(vocabulary=vocabulary) == {"policy/unknown-dataset"}


def test_a_recipient_with_a_retired_mail_domain_is_refused_by_name() -> None:
    text = shelf.changed(
        shelf.around()["recipients/ons-research.toml"],
        ("ons-research@recipient.example", "team@dept.gsi.gov.uk"),
    )
    said = sentences(**{"recipients__ons-research": text})
    assert '"gsi" was closed in March 2019' in said
    assert "policy/unknown-recipient" in said


SFTP = 'address = "sftp://files.example:22/in"'
KEY = 'host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"'


@pytest.mark.parametrize(
    ("channel", "delivery", "said"),
    [
        ("sftp", "", "sftp://"),
        ("https", "", "https://"),
        ("sftp", 'address = "https://in.example"', "sftp://"),
        ("https", SFTP, "https://"),
        ("sftp", SFTP, "host_key"),
        ("sftp", f"{SFTP}\n{KEY}", ""),
        ("https", 'address = "https://in.example"', ""),
        ("folder", "", ""),
        ("portal", "", ""),
    ],
    ids=[
        *("sftp to nowhere", "https to nowhere", "sftp to a website", "https to a file server"),
        *("sftp to any host", "sftp", "https", "folder", "portal"),
    ],
)
def test_a_channel_that_needs_an_address_and_has_none_is_refused_by_name(
    channel: str, delivery: str, said: str
) -> None:
    text = shelf.changed(
        shelf.around()["recipients/ons-research.toml"],
        ('channel = "folder"', f'channel = "{channel}"'),
    )
    table = f"\n[delivery]\n{delivery}\n" if delivery else ""
    bundle, findings = load(documents(**{"recipients__ons-research": text + table}))
    answer = decide(shelf.STUDY, bundle, on=shelf.DAY)
    if not said:
        assert (findings, isinstance(answer, Plan)) == ((), True)
        return
    (found,) = findings
    assert (found.code, found.where) == ("recipient/no-address", "channel")
    assert said in found.sentence
    assert "portal" in found.remedy
    assert isinstance(answer, Refusal)
    (why,) = answer.reasons
    assert (why.code, said in why.reason) == ("recipient/no-address", True)


def test_a_field_twice_in_one_output_is_refused() -> None:
    rule = '{ treat = "keep", clause = "1" }'
    again = f'{SEX}\n"FPD01..FPD02" = {rule}\nFPD01 = {rule}'
    assert "policy/duplicate-field" in codes((SEX, again))


def test_a_wave_that_the_contract_does_not_know_is_refused() -> None:
    wide = SEX + '\nFPD01 = { treat = "keep", waves = ["T9"], clause = "1" }'
    assert codes((SEX, wide)) == {"policy/unknown-wave"}
    by_relation = ('take = "wide-by:wave"', 'take = "wide-by:FPD01"')
    assert codes((SEX, wide), by_relation) == {"policy/unknown-wave"}


def test_a_long_list_of_findings_ends_with_a_count() -> None:
    fields = "\n".join(f'nofield{n} = {{ treat = "keep", clause = "1" }}' for n in range(150))
    with pytest.raises(PolicyInvalid, match="and 50 more"):
        parse(documents((SEX, SEX + "\n" + fields)))


def test_a_fault_that_several_forms_of_a_value_share_is_said_once() -> None:
    shipped = read_policies(shelf.REPOSITORY / "policies")
    path, right = "cases/kirklees.toml", 'reasons = ["policy/clear-recipient"]'
    text = shipped[path].decode()
    assert right in text
    _, found = load({**shipped, path: text.replace(right, "reasons = [5, 5]", 1)})
    assert {each.document for each in found} == {path}
    assert len(set(found)) == len(found)
