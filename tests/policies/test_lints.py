"""Each thing that a good information lawyer asks is asked: one fault, one remark, one remedy.

Every fault is the shipped policies with one change. The tables of docs/reference/review.md
name these cases.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import policy
from gateway.policy import Remark, Stored, Weight, review
from gateway.policy.linting_catalogue import LINTS, QUESTIONS

REPOSITORY = Path(__file__).resolve().parents[2]
POLICIES = REPOSITORY / "policies"
SHIPPED = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in sorted(POLICIES.rglob("*.toml"))
}
TRAFFORD, REGISTER = "agreements/trafford.toml", "datasets/family_register.toml"
ON = dt.date(2026, 11, 22)
UNNEEDED = "lint/column-unneeded"
BASES = 'legal_bases = ["UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"]'
PEOPLE = {
    "family_register": Stored(
        rows=20_000,
        codes={
            "sex": {"1": 10_000, "2": 9_990, "9": 10},
            "programme_arm": {"PROG": 2_000, "COMP": 3_000},
        },
    )
}
FEW = {
    "family_register": Stored(
        rows=20_000,
        codes={
            "sex": {"1": 10_000, "2": 10_000},
            "programme_arm": {"PROG": 40, "COMP": 60},
        },
    )
}
RARE = {
    "family_register": Stored(rows=20_000, codes={"sex": {"1": 10_000, "2": 9_998, "9": 2}}),
}


def bases(*names: str) -> tuple[str, str, str]:
    return TRAFFORD, BASES, "legal_bases = [" + ", ".join(f'"{name}"' for name in names) + "]"


def beside(*names: str) -> tuple[str, str, str]:
    return bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4", *names)


def once_more(text: str, new: str, old: str = "trafford-stronger-families") -> str:
    return text.replace(f'id = "{old}"', f'id = "{new}"', 1)


AGAIN = once_more(SHIPPED[TRAFFORD], "trafford-again")


def forbidding(word: str) -> str:
    """An agreement of the same council that shares nothing and forbids one word more."""
    text = once_more(SHIPPED[TRAFFORD], "trafford-forbids")
    words = f'[prohibitions]\n"{word}" = {{ clause = "9", reason = "Never." }}\n'
    return text[: text.index("[purposes.")].replace("[prohibitions]\n", words)


@dataclass(frozen=True)
class Fault:
    """The shipped policies with one thing wrong: changes (path, old, new), or whole documents."""

    changes: tuple[tuple[str, str, str], ...] = ()
    documents: Mapping[str, str | None] = field(default_factory=dict)
    stored: Mapping[str, Stored] = field(default_factory=lambda: PEOPLE)
    on: dt.date = ON

    def texts(self) -> dict[str, str]:
        texts = {k: v for k, v in (SHIPPED | dict(self.documents)).items() if v is not None}
        for path, old, new in self.changes:
            assert old in texts[path], old
            texts[path] = texts[path].replace(old, new, 1)
        return texts


FAULTS: dict[str, Fault] = {
    "policy/article-9-missing": Fault(
        (bases("UKGDPR-6-1-e", "UKGDPR-84B", "DPA18-SCH1-4"),),
    ),
    "policy/article-10-missing": Fault((bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B"),)),
    "policy/no-dpia": Fault(((TRAFFORD, 'dpia = "DPIA-2026-014"\n', ""),)),
    "policy/s115-recipient": Fault((beside("CDA98-115"),)),
    "policy/basis-recipient": Fault((beside("DEA17-35-MD"),)),
    "policy/too-few-factors": Fault((beside("DEA17-35-MD"),)),
    "policy/basis-sender": Fault(
        (
            beside("DEA17-35-MD"),
            (
                "vocabulary.toml",
                'Trafford Council"\nclass = ["council", "relevant-authority", "specified-person"]',
                'Trafford Council"\nclass = ["council"]',
            ),
        )
    ),
    "policy/legal-basis-expired": Fault(
        (bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-89", "DPA18-SCH1-4"),)
    ),
    "policy/linkage-with-payload": Fault(
        (
            (
                TRAFFORD,
                'clause = "4.2(b)"\n',
                'clause = "4.2(b)"\nfields = { sex = { treat = "keep", clause = "4.2(b)" } }\n',
            ),
        )
    ),
    "policy/beyond-notice": Fault(
        ((TRAFFORD, 'state = "de-identified"  ', 'state = "anonymous"  '),)
    ),
    "policy/no-notice": Fault(
        (
            (
                TRAFFORD,
                SHIPPED[TRAFFORD][
                    SHIPPED[TRAFFORD].index("[purposes.national-impact-study.notice]") : SHIPPED[
                        TRAFFORD
                    ].index("[purposes.national-impact-study.outputs.linkage]")
                ],
                "",
            ),
        )
    ),
    "policy/consent-basis": Fault(
        (bases("UKGDPR-6-1-a", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"),)
    ),
    "lint/consent-beside": Fault((beside("UKGDPR-6-1-a"),)),
    "lint/consent-apart": Fault(
        ((TRAFFORD, 'participation = "objection"', 'participation = "consent"'),)
    ),
    "lint/link-map-outlives": Fault(
        ((TRAFFORD, 'link_map_until = "receipt+30d"', 'link_map_until = "receipt+9999d"'),)
    ),
    "lint/basis-expires": Fault(
        (
            bases("UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-89", "DPA18-SCH1-4"),
            (TRAFFORD, "starts = 2026-04-01", "starts = 2025-10-01"),
        ),
        on=dt.date(2025, 12, 1),
    ),
    "lint/destroyed-while-shared": Fault(
        ((TRAFFORD, "retain_until = 2028-03-31", "retain_until = 2027-03-01"),)
    ),
    "lint/token-not-made": Fault(((REGISTER, 'role = "street"\n', ""),)),
    "lint/kept-long": Fault(
        ((TRAFFORD, "retain_until = 2028-03-31", "retain_until = 2040-03-31"),)
    ),
    "lint/research-to-operations": Fault(
        ((TRAFFORD, 'recipient = "ons-research"', 'recipient = "trafford-stronger-families"'),)
    ),
    "lint/identifiers-beside-facts": Fault(documents={"agreements/again.toml": AGAIN}),
    "lint/k-out-of-reach": Fault(stored=FEW),
    "lint/value-too-rare": Fault(stored=RARE),
    "lint/column-unneeded": Fault(
        (
            (
                REGISTER,
                "[columns.relation]",
                '[columns.shoe_size]\ntype = "text"\nfield = "town"\n\n[columns.relation]',
            ),
        )
    ),
    "lint/dataset-unread": Fault(
        documents={
            "datasets/again.toml": once_more(SHIPPED[REGISTER], "again", old="family_register")
        }
    ),
    "lint/agreements-contradict": Fault(
        documents={"agreements/forbids.toml": forbidding("criteria_met")}
    ),
    "lint/promises-differ": Fault(
        documents={
            "agreements/again.toml": AGAIN.replace(
                'participation = "objection"', 'participation = "opt-out"', 1
            )
        }
    ),
    "lint/finer-elsewhere": Fault(
        (
            (
                TRAFFORD,
                'from = "date_of_birth", treat = "age-band-5"',
                'from = "date_of_birth", treat = "age-band-10"',
            ),
        ),
        documents={"agreements/again.toml": AGAIN},
    ),
    "lint/no-case": Fault(documents={"cases/trafford.toml": None}),
    "lint/nobody-sends": Fault(((TRAFFORD, '"greater-manchester-police", ', ""),)),
    "lint/not-begun": Fault(
        (
            (TRAFFORD, "starts = 2026-04-01", "starts = 2026-12-01"),
            (TRAFFORD, "\nversion = 3\n", "\nversion = 1\n"),
        )
    ),
    "lint/party-not-signed": Fault(on=dt.date(2026, 8, 2)),
    "lint/protocol-ends-first": Fault(
        (("protocols/warrington-tier-1.toml", "ends = 2028-12-31", "ends = 2028-03-30"),)
    ),
    "lint/protocol-review-soon": Fault(on=dt.date(2027, 3, 30)),
    "lint/recipient-expires": Fault(
        (("recipients/ons-research.toml", "expires = 2028-12-31", "expires = 2027-01-31"),)
    ),
    "lint/review-soon": Fault(on=dt.date(2027, 3, 30)),
    "lint/review-overdue": Fault(on=dt.date(2027, 2, 15)),
    "lint/review-after-end": Fault(((TRAFFORD, "review = 2027-01-01", "review = 2027-06-01"),)),
    "lint/ends-before-starts": Fault(((TRAFFORD, "ends = 2027-03-31", "ends = 2026-03-31"),)),
    "lint/tables-not-made": Fault(documents={"agreements/again.toml": AGAIN}),
}


def remarks(fault: Fault) -> set[Remark]:
    return set(review(policy.parse(fault.texts()), on=fault.on, stored=fault.stored))


@pytest.fixture(scope="module")
def known() -> set[Remark]:
    return remarks(Fault())


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault(code: str, known: set[Remark]) -> None:
    found = [remark for remark in remarks(FAULTS[code]) - known if remark.code == code]
    assert found
    for remark in found:
        assert remark.sentence.endswith(".")
        assert remark.remedy.endswith(".")
        weight = LINTS[code][0] if code in LINTS else Weight.PROBLEM
        assert remark.weight is weight


def test_consent_beside_another_condition_of_article_9_is_said_too(known: set[Remark]) -> None:
    found = remarks(Fault((beside("UKGDPR-9-2-a"),))) - known
    told = [each.sentence for each in found if each.code == "lint/consent-beside"]
    assert told == ['"UKGDPR-9-2-a" is consent, and "UKGDPR-9-2-j" stands beside it.']


def test_a_map_that_ends_on_the_day_of_the_data_is_not_remarked_on(known: set[Remark]) -> None:
    days = (dt.date(2028, 3, 31) - ON).days
    for more, said in ((0, False), (1, True)):
        kept = f'link_map_until = "receipt+{days + more}d"'
        told = remarks(Fault(((TRAFFORD, 'link_map_until = "receipt+30d"', kept),))) - known
        assert ({each.code for each in told} == {"lint/link-map-outlives"}) is said


def test_an_output_is_said_to_carry_what_it_carries(known: set[Remark]) -> None:
    fields = "[purposes.national-impact-study.outputs.payload.fields]\n"
    kept = f'{fields}person_id = {{ treat = "keep", clause = "4" }}\n'
    text = SHIPPED[TRAFFORD]
    assert fields in text
    alone = Fault(documents={TRAFFORD: text.replace(fields, kept, 1)})
    told = [each.sentence for each in remarks(alone) - known]
    assert [each for each in told if each.startswith('Output "payload" carries person_id beside ')]


def test_whatever_a_lawyer_asks_has_a_fault_here() -> None:
    asked = {code for _, codes in QUESTIONS for code in codes}
    assert set(FAULTS) == asked | set(LINTS)


def test_the_catalogue_holds_every_remark_of_the_code_and_no_other() -> None:
    written = {
        node.value
        for path in (REPOSITORY / "gateway" / "policy").glob("linting*.py")
        if path.name != "linting_catalogue.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("lint/")
    }
    assert written == set(LINTS)


def test_the_shipped_policies_are_warned_of_what_is_so_and_of_nothing_else(
    known: set[Remark],
) -> None:
    """Their notices do name people beside facts to practitioners, and keep long by law."""
    warned = {remark.code for remark in known if remark.weight is not Weight.ADVICE}
    assert warned == {"lint/identifiers-beside-facts", "lint/kept-long"}


def test_each_token_that_cannot_be_made_is_named_with_what_it_lacks(known: set[Remark]) -> None:
    found = remarks(FAULTS["lint/token-not-made"]) - known
    said = {each.sentence for each in found if each.code == "lint/token-not-made"}
    named = 'the role "street": T34, T35, T38 of output "linkage" will join nobody.'
    assert said == {f'No column of "family_register" has {named}'}


def test_a_purpose_that_is_refused_says_why_and_what_to_do() -> None:
    text = SHIPPED[TRAFFORD].replace('dpia = "DPIA-2026-014"\n', "", 1)
    found = review(policy.parse(SHIPPED | {TRAFFORD: text}), on=dt.date(2031, 1, 1))
    problems = [remark for remark in found if remark.weight is Weight.PROBLEM]
    assert {"sharing/agreement-ended", "sharing/review-overdue"} <= {r.code for r in problems}
    assert [remark for remark in problems if not remark.remedy] == []


SPARE = Fault(
    (
        (
            REGISTER,
            "[columns.relation]",
            '[columns.shoe_size]\ntype = "text"\nfield = "town"\n\n[columns.relation]',
        ),
    )
)


def test_what_no_purpose_needs_is_said_of_all_agreements_together() -> None:
    bundle = policy.parse(SPARE.texts())
    told = {remark.sentence for remark in review(bundle, on=ON) if remark.code == UNNEEDED}
    assert any("shoe_size" in sentence for sentence in told)


def test_a_change_of_documents_is_told_what_it_leaves_without_a_need() -> None:
    shipped = policy.parse(SHIPPED)
    (told,) = policy.newly_unneeded(shipped, policy.parse(SPARE.texts()))
    assert told.code == UNNEEDED
    assert "shoe_size" in told.sentence
    unread = policy.parse(FAULTS["lint/dataset-unread"].texts())
    assert [r.code for r in policy.newly_unneeded(shipped, unread)] == ["lint/dataset-unread"]
    assert policy.newly_unneeded(shipped, shipped) == ()


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (dt.date(2027, 1, 1), "lint/review-soon"),
        (dt.date(2027, 1, 2), "lint/review-overdue"),
        (dt.date(2027, 4, 1), "lint/review-overdue"),
        (dt.date(2027, 4, 2), "sharing/review-overdue"),
    ],
)
def test_on_every_day_from_three_months_before_a_review_is_spoken_of(
    on: dt.date, code: str
) -> None:
    text = SHIPPED[TRAFFORD].replace("ends = 2027-03-31", "ends = 2027-12-31", 1)
    found = review(
        policy.parse(SHIPPED | {TRAFFORD: text}), on=on, agreement="trafford-stronger-families"
    )
    assert {r.code for r in found if "/review-" in r.code} == {code}


def test_the_contradictory_days_are_named() -> None:
    (ends,) = {
        r.sentence
        for r in remarks(FAULTS["lint/ends-before-starts"])
        if r.code == "lint/ends-before-starts"
    }
    assert "31 March 2026" in ends
    assert "1 April 2026" in ends


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('state = "de-identified"  ', 'state = "anonymous"  ', "the notice promised anonymous"),
        ('state = "de-identified"  ', 'level = "family"\nstate = "de-identified"  ', ""),
        (
            'identifiers = ["name", "address", "date_of_birth", "sex"]',
            'identifiers = ["name", "address", "date_of_birth"]',
            "sex",
        ),
        (
            'returns = "aggregates"  ',
            'linked_with = ["PNC", "CENSUS"]\nreturns = "aggregates"  ',
            '"CENSUS"',
        ),
    ],
    ids=["state", "level", "identifiers", "databases"],
)
def test_each_promise_of_a_notice_is_held_against_the_purpose(
    old: str, new: str, words: str
) -> None:
    fact = 'FPD51 = { treat = "keep", clause = "1" }'
    person = (TRAFFORD, "sex          = {", f"{fact}\nsex = {{")
    changes = ((TRAFFORD, old, new), *([] if words else [person]))
    found = {r.sentence for r in remarks(Fault(changes)) if r.code == "policy/beyond-notice"}
    assert [sentence for sentence in found if (words or "family level") in sentence]


@pytest.mark.parametrize("word", ["criteria_met", "class:special-category", "date_of_birth", "dob"])
def test_a_contradiction_is_seen_under_every_name_of_what_leaves(word: str) -> None:
    found = remarks(Fault(documents={"agreements/forbids.toml": forbidding(word)}))
    assert {r.purpose for r in found if r.code == "lint/agreements-contradict"} >= {
        "national-impact-study"
    }


def test_a_contradiction_is_told_to_both_agreements_each_in_its_own_words() -> None:
    bundle = policy.parse(
        Fault(documents={"agreements/forbids.toml": forbidding("criteria_met")}).texts()
    )

    def told(agreement: str) -> list[tuple[str, str, str]]:
        return [
            (r.agreement, r.clause, r.sentence)
            for r in review(bundle, on=ON, agreement=agreement)
            if r.code == "lint/agreements-contradict"
        ]

    sends = told("trafford-stronger-families")
    assert (
        "trafford-stronger-families",
        "4.2(c)iii",
        '"criteria_met" leaves here, and "trafford-forbids" forbids it (clause 9).',
    ) in sends
    (forbids,) = told("trafford-forbids")
    assert forbids[:2] == ("trafford-forbids", "9")
    words = '"criteria_met" is forbidden here, and under "trafford-stronger-families" it leaves: '
    assert forbids[2].startswith(words)
    assert '"criteria_met" for "national-impact-study" (clause 4.2(c)iii)' in forbids[2]
    assert told("") == [forbids, *sends]


def test_of_much_that_is_forbidden_in_vain_five_are_named() -> None:
    word = "class:key-variable"
    bundle = policy.parse(Fault(documents={"agreements/forbids.toml": forbidding(word)}).texts())
    found = review(bundle, on=ON, agreement="trafford-forbids")
    (told,) = (r.sentence for r in found if r.code == "lint/agreements-contradict")
    assert told.count("(clause ") == 5
    assert told.endswith(", 2 more.")


def test_people_of_another_controller_contradict_nobody() -> None:
    other = forbidding("criteria_met").replace('["trafford-council"]', '["leeds-council"]')
    found = remarks(Fault(documents={"agreements/forbids.toml": other}))
    assert "lint/agreements-contradict" not in {remark.code for remark in found}


def test_the_counts_that_a_remark_tells_are_rounded_and_name_no_value() -> None:
    for stored in (FEW, RARE):
        for remark in remarks(Fault(stored=stored)):
            if remark.code in {"lint/k-out-of-reach", "lint/value-too-rare"}:
                assert "9,998" not in remark.sentence
                assert '"9"' not in remark.sentence
    (few,) = {
        remark.sentence
        for remark in remarks(Fault(stored=FEW))
        if remark.code == "lint/k-out-of-reach" and remark.purpose == "national-impact-study"
        and remark.agreement == "trafford-stronger-families"
    }  # fmt: skip
    assert "about 100 rows" in few


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(0, 5_000), rare=st.integers(0, 30))
def test_more_people_never_bring_a_remark_about_small_groups(rows: int, rare: int) -> None:
    bundle = policy.load(SHIPPED)[0]

    def small(rows: int) -> set[tuple[str, str, str]]:
        codes = {"sex": {"1": rows, "2": rows}, "programme_arm": {"PROG": rows, "COMP": rare}}
        stored = {"family_register": Stored(rows=2 * rows + rare, codes=codes)}
        found = review(bundle, on=ON, agreement="trafford-stronger-families", stored=stored)
        return {(r.code, r.purpose, r.clause) for r in found if r.code == "lint/k-out-of-reach"}

    # With none of a value there are fewer groups: the least is one of each.
    assert small(2 * rows + 2) <= small(rows + 1)
