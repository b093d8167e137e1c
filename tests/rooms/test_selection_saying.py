"""A "no" counts wherever it stands: in rows beside the cohort, in joins, in replaced extracts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from gateway.adapters.replaced_extracts import called_then, not_asked
from gateway.adapters.spill import ScratchDirectory
from gateway.model import Contract, JoinRule, Participation, Plan, Role
from gateway.model.extracts import ExtractRecord, meanings
from gateway.model.stages import BEFORE, BEFORE_AT
from gateway.objections import honour
from gateway.objections.register import empty_register
from gateway.objections.resolve import Resolution, decide
from gateway.selection import Replaced, Source, select
from gateway.workflows.previewing import together
from tests.rooms.test_selection import REGISTER, Counted, Stored, column, contract, plan, rule

LATEST = contract(
    "family_register",
    column("person_id", Role.PERSON_ID, required=True),
    *REGISTER.columns[1:],
    column("extract_date"),
)
COLUMNS = ["person_id", "family_id", "arm", "sex", "participation", "protected", "extract_date"]
AT, LATER = "2026-03-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00"
Row = tuple[str, str, str, str, str | None, str, str]


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[ScratchDirectory]:
    with ScratchDirectory(tmp_path) as room:
        yield room


def row(person: str, arm: str, word: str | None, *, protected: str = "N", month: int = 1) -> Row:
    return (person, f"f{person}", arm, "1", word, protected, f"2026-{month:02d}-01")


def stored(*rows: Row) -> Stored:
    return Stored([pl.DataFrame(rows, schema=COLUMNS, orient="row")])


def told(
    scratch: ScratchDirectory, source: Source, asked: Plan, **joins: Source
) -> dict[str, dict[str, str | None]]:
    """What the rows of the cohort say, by person."""
    cohort = select(asked, {"family_register": source, **joins}, scratch, elements=())
    return {each["person"]: each for part in cohort.partitions for each in part.to_dicts()}


def latest() -> Plan:
    return dataclasses.replace(plan([rule("family_register", "sex")]), spine_take="latest")


def test_a_no_and_a_mark_in_a_row_that_the_cohort_leaves_out_are_heard(
    scratch: ScratchDirectory,
) -> None:
    source = Source(
        LATEST,
        (
            stored(
                row("later", "PROG", "NONE"),
                row("later", "OUT", "OPTOUT", month=2),
                row("before", "OUT", "OBJECTED"),
                row("before", "PROG", "NONE", month=2),
                row("agreed", "PROG", "CONSENT"),
                row("agreed", "OUT", "OPTOUT", month=2),
                row("hidden", "PROG", "NONE"),
                row("hidden", "OUT", None, protected="Y", month=2),
                row("doubt", "OUT", "PERHAPS"),
                row("doubt", "PROG", "CONSENT", month=2),
                row("silent", "PROG", "CONSENT"),
                row("silent", "OUT", "NONE", protected="N", month=2),
                row("outside", "OUT", "OPTOUT"),
            ),
        ),
    )
    found = told(scratch, source, latest())
    words = {person: each["spine.participation"] for person, each in found.items()}
    assert words == {
        "later": "OPTOUT",
        "before": "OBJECTED",
        "agreed": "OPTOUT",
        "hidden": "NONE",
        "doubt": "PERHAPS",
        "silent": "CONSENT",
    }
    marks = {person for person, each in found.items() if each["spine.protected"] == "Y"}
    assert marks == {"hidden"}


def test_an_unknown_word_in_an_older_row_of_the_cohort_is_a_doubt_still(
    scratch: ScratchDirectory,
) -> None:
    rows = (row("p", "PROG", "PERHAPS"), row("p", "PROG", "NONE", month=2))
    asked = dataclasses.replace(latest(), cohort=dataclasses.replace(latest().cohort, within=()))
    for which in (latest(), asked):
        found = told(scratch, Source(LATEST, (stored(*rows),)), which)
        assert found["p"]["spine.participation"] == "PERHAPS"


def test_a_joined_dataset_says_no_as_the_spine_does(scratch: ScratchDirectory) -> None:
    survey = contract(
        "survey",
        column("pid", Role.PERSON_ID, field="person_id"),
        column("view", field="participation"),
        column("score"),
    )
    answers = Stored(
        [
            pl.DataFrame(
                {
                    "pid": ["a", "b", "c", None],
                    "view": ["optout ", "CONSENT", None, "OPTOUT"],
                    "score": ["1", "2", "3", "4"],
                }
            )
        ]
    )
    rows = [row(person, "PROG", "NONE") for person in "abcd"]
    join = JoinRule(dataset="survey", on="pid", take="one")
    asked = plan([rule("family_register", "sex"), rule("survey", "score")], joins=[join])
    found = told(
        scratch, Source(REGISTER, (stored(*rows),)), asked, survey=Source(survey, (answers,))
    )
    assert {person: each["spine.participation"] for person, each in found.items()} == {
        "a": "OPTOUT",
        "b": "NONE",
        "c": "NONE",
        "d": "NONE",
    }


SURVEY = contract(
    "survey",
    column("pid", Role.PERSON_ID, field="person_id"),
    column("view", field="participation"),
    column("score"),
)
SURVEYED = ("pid", "view", "score", "std.nhs")


def surveyed(pid: str | None, view: str | None, nhs: str | None = None) -> Stored:
    schema = dict.fromkeys(SURVEYED, pl.String)
    return Stored([pl.DataFrame([(pid, view, "1", nhs)], schema=schema, orient="row")])


def asks_survey(rule_: Participation = Participation.OBJECTION) -> Plan:
    join = JoinRule(dataset="survey", on="pid", take="one")
    asked = plan([rule("family_register", "sex"), rule("survey", "score")], joins=[join])
    return dataclasses.replace(asked, participation=rule_)


def test_a_no_in_a_replaced_extract_of_a_joined_dataset_is_heard(scratch: ScratchDirectory) -> None:
    rows = stored(row("a", "PROG", "NONE"), row("b", "PROG", "NONE"))
    old = Replaced(surveyed("a", "OPTOUT"), AT)
    survey = Source(SURVEY, (surveyed("a", None),), (old,))
    sources = {"family_register": Source(REGISTER, (rows,)), "survey": survey}
    found = told(scratch, sources["family_register"], asks_survey(), survey=survey)
    before = {person: (each[BEFORE], each[BEFORE_AT]) for person, each in found.items()}
    assert before == {"a": ("OPTOUT", AT), "b": (None, None)}
    cohort = select(asks_survey(), sources, scratch, elements=())
    assert dict(honour(cohort, empty_register()).counts) == {"opted-out": 1}
    noted = told(
        scratch, sources["family_register"], asks_survey(Participation.STATUTORY), survey=survey
    )
    assert BEFORE not in noted["a"]


def test_a_joined_row_without_person_id_is_heard_by_its_number(scratch: ScratchDirectory) -> None:
    (rows,) = stored(row("a", "PROG", "NONE")).blocks
    spine = Source(REGISTER, (Stored([rows.with_columns(pl.lit("9434765919").alias("std.nhs"))]),))
    survey = Source(SURVEY, (surveyed(None, "OPTOUT", "9434765919"),))
    assert (
        told(scratch, spine, asks_survey(), survey=survey)["a"]["spine.participation"] == "OPTOUT"
    )


def test_what_a_replaced_extract_said_is_told_with_the_day_of_the_newest(
    scratch: ScratchDirectory,
) -> None:
    rows = [row(person, "PROG", "NONE") for person in ("a", "b", "c")]
    replaced = (
        Replaced(stored(row("a", "OUT", "OPTOUT"), row("b", "PROG", "OBJECTED")), AT),
        Replaced(stored(row("a", "PROG", "PERHAPS"), row("c", "PROG", "CONSENT")), LATER),
    )
    source = Source(REGISTER, (stored(*rows),), replaced)
    found = told(scratch, source, plan([rule("family_register", "sex")]))
    before = {person: (each[BEFORE], each[BEFORE_AT]) for person, each in found.items()}
    assert before == {"a": ("OPTOUT", LATER), "b": ("OBJECTED", AT), "c": (None, None)}
    assert {each["spine.participation"] for each in found.values()} == {"NONE"}


def test_under_a_statutory_rule_no_replaced_extract_is_read(scratch: ScratchDirectory) -> None:
    old = Counted(stored(row("a", "PROG", "OPTOUT")).blocks)
    source = Source(REGISTER, (stored(row("a", "PROG", "NONE")),), (Replaced(old, AT),))
    asked = plan([rule("family_register", "sex")])
    told(scratch, source, dataclasses.replace(asked, participation=Participation.STATUTORY))
    assert old.readings == 0
    told(scratch, source, asked)
    assert old.readings == 1


def test_a_statutory_version_is_not_read_together_with_one_that_hears_what_was_said() -> None:
    asked = plan([rule("family_register", "sex")])
    noted = dataclasses.replace(asked, participation=Participation.STATUTORY)
    opted = dataclasses.replace(asked, participation=Participation.OPT_OUT)
    assert together(noted, asked) is None
    assert together(asked, noted) is None
    assert together(noted, noted) is not None
    assert together(opted, asked) is not None


@pytest.mark.parametrize(
    ("rule_", "word", "since", "reason"),
    [
        (Participation.OBJECTION, "OPTOUT", None, "opted-out"),
        (Participation.OBJECTION, "OBJECTED", None, "objected"),
        (Participation.OPT_OUT, "PERHAPS", None, "doubtful-match"),
        (Participation.OBJECTION, "OPTOUT", "2026-02-01T00:00:00+00:00", "opted-out"),
        (Participation.OBJECTION, "OPTOUT", AT, "opted-out"),
        (Participation.OBJECTION, "OPTOUT", LATER, None),
        (Participation.CONSENT, "OPTOUT", LATER, None),
        (Participation.CONSENT, "OPTOUT", None, "opted-out"),
        (Participation.STATUTORY, "OPTOUT", None, None),
    ],
)
def test_what_was_said_before_holds_until_a_later_consent_is_recorded(
    rule_: Participation, word: str, since: str | None, reason: str | None
) -> None:
    frame = pl.DataFrame(
        {
            "person": ["p", "q"],
            "spine.participation": ["CONSENT", "CONSENT"],
            BEFORE: [word, None],
            BEFORE_AT: [AT, None],
        }
    )
    nobody = pl.DataFrame(schema={"person": pl.String, "reason": pl.String})
    known = pl.DataFrame(
        {"person": ["p"] if since else [], "since": [since] if since else []},
        schema={"person": pl.String, "since": pl.String},
    )
    resolution = Resolution(rule_, nobody, known, nobody)
    assert decide(frame, resolution).to_list() == [reason, None]


def record(agreed: dict[str, str]) -> ExtractRecord:
    return ExtractRecord(
        id="x",
        dataset="family_register",
        party="council",
        state="accepted",
        received_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        content_digest="",
        contract_digest="",
        rows=1,
        accepted=1,
        quarantined=0,
        dropped_columns=(),
        findings=(),
        profile={},
        evidence={"agreed": agreed} if agreed else {},
    )


def then(**names: str) -> Contract:
    """The register's contract with columns called otherwise."""
    columns = [
        dataclasses.replace(each, name=names.get(each.name, each.name)) for each in REGISTER.columns
    ]
    return contract("family_register", *columns)


def without(name: str) -> Contract:
    return contract("family_register", *(each for each in REGISTER.columns if each.name != name))


def test_a_replaced_extract_is_read_by_what_its_contract_meant(scratch: ScratchDirectory) -> None:
    called = called_then(REGISTER, record(meanings(then(participation="said", person_id="pid"))))
    assert called == ("pid", "said")
    old = Stored([pl.DataFrame({"pid": ["a"], "said": ["OPTOUT"], "participation": ["NONE"]})])
    source = Source(REGISTER, (stored(row("a", "PROG", "NONE")),), (Replaced(old, AT, called),))
    found = told(scratch, source, plan([rule("family_register", "sex")]))
    assert found["a"][BEFORE] == "OPTOUT"


def test_a_word_that_todays_contract_has_no_more_is_heard_still(scratch: ScratchDirectory) -> None:
    silent = without("participation")
    called = called_then(silent, record(meanings(REGISTER)))
    assert called == ("person_id", "participation")
    (now,) = stored(row("a", "PROG", None)).blocks
    old = stored(row("a", "PROG", "OPTOUT"))
    source = Source(silent, (Stored([now.drop("participation")]),), (Replaced(old, AT, called),))
    cohort = select(
        plan([rule("family_register", "sex")]), {"family_register": source}, scratch, elements=()
    )
    assert dict(honour(cohort, empty_register()).counts) == {"opted-out": 1}


def test_a_replaced_extract_that_had_no_word_says_nothing() -> None:
    assert called_then(REGISTER, record(meanings(without("participation")))) is None
    assert called_then(REGISTER, record({})) == ("person_id", "participation"), "as called today"
    assert called_then(without("participation"), record({})) == ("person_id", "participation")
    nobody = record(meanings(without("person_id")))
    assert called_then(REGISTER, nobody) == ("", "participation")


def numbered(*names: str) -> Contract:
    columns = (column(name, Role(name)) for name in names)
    return contract("family_register", *columns, column("participation"))


@pytest.mark.parametrize(
    ("agreed", "today", "count"),
    [
        (("person_id",), ("person_id", "nhs_number"), 0),
        (("nhs_number",), ("person_id", "nhs_number"), 0),
        (("forename", "surname", "date_of_birth"), ("forename", "surname", "date_of_birth"), 0),
        (("forename", "surname", "date_of_birth"), ("surname", "date_of_birth", "upn"), 1),
        (("nhs_number",), ("person_id",), 1),
        ((), ("person_id",), 1),
    ],
)
def test_extracts_that_tell_nobody_whom_the_spine_tells_are_counted_in_a_warning(
    agreed: tuple[str, ...], today: tuple[str, ...], count: int
) -> None:
    asked, spine = plan([]), numbered(*today)
    earlier = [(spine, record(meanings(numbered(*agreed)))), (spine, record(meanings(spine)))]
    warnings = not_asked(asked, spine, earlier)
    assert [each.split(" earlier")[0] for each in warnings] == ["1"] * count
    noted = dataclasses.replace(asked, participation=Participation.STATUTORY)
    assert not_asked(noted, spine, earlier) == ()
    wordless = contract("family_register", column("upn", Role.UPN))
    assert not_asked(asked, numbered("person_id"), [(spine, record(meanings(wordless)))]) == ()
