"""The synthetic borough keeps the contracts, and its evidence keeps the criteria rules."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from gateway.cli.synth import synth, write_rows
from gateway.errors import Unavailable
from gateway.intake import Compiled, rules_of
from gateway.model import Contract
from gateway.objections import many_identities
from gateway.policy import load_contract, load_vocabulary
from gateway.synth import DATASETS, Borough, borough

POLICIES = Path(__file__).parents[2] / "policies"
VOCABULARY = load_vocabulary((POLICIES / "vocabulary.toml").read_bytes())


def contract_of(dataset: str) -> Contract:
    return load_contract((POLICIES / "datasets" / f"{dataset}.toml").read_bytes(), VOCABULARY)


def as_text(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The extract as the reader of a file sees it: text, the contract's columns, empty is null."""
    text = pl.read_csv(frame.write_csv().encode(), infer_schema=False)
    missing = [c.name for c in contract.columns if c.name not in text.columns]
    return text.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)


@pytest.fixture(scope="module")
def town() -> Borough:
    return borough(30_000, 11)


@pytest.fixture(scope="module")
def small_town() -> Borough:
    return borough(2_000, 1)


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_extract_has_a_column_that_its_contract_does_not_know(
    dataset: str, small_town: Borough
) -> None:
    known = {column.name for column in contract_of(dataset).columns}
    assert set(small_town.extracts[dataset].columns) <= known


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("which", ["town", "small_town"])
def test_an_extract_keeps_its_contract(
    dataset: str, which: str, request: pytest.FixtureRequest
) -> None:
    contract = contract_of(dataset)
    frame = request.getfixturevalue(which).extracts[dataset]
    rules = rules_of(contract)
    checked = Compiled(contract, rules).check(as_text(frame, contract), ascii_only=False)
    tolerated = {rule.name: rule.tolerated for rule in rules}
    slack = 0.02 if which == "small_town" else 0.003  # a day and a month exchanged
    broken = {
        name: rows.len()
        for name, rows in checked.failing.items()
        if rows.len() > (tolerated[name] + slack) * checked.applied[name]
    }
    assert broken == {}
    assert checked.passed.mean() > 0.99  # type: ignore[operator]


def test_the_register_of_objections_can_read_the_list_of_people_who_object(town: Borough) -> None:
    read = many_identities(town.objections.write_csv().encode())
    assert len(read) == len(town.objections) > 10


def test_a_small_borough_has_a_register_that_can_be_released(small_town: Borough) -> None:
    register = small_town.extracts["family_register"]
    assert len(register) >= 600
    people = register.with_columns(
        band=(2026 - pl.col("dob").dt.year()) // 5,
        district=pl.col("postcode").str.replace(" ", "").str.head(-3),
    )
    groups = people.group_by("band", "sex", "district").agg(pl.col("family_id").n_unique())
    kept = people.join(groups.filter(pl.col("family_id") >= 5), on=["band", "sex", "district"])
    assert len(kept) > 0.6 * len(register)


def test_programme_and_comparison_families_have_two_criteria_and_more(town: Borough) -> None:
    families = (
        town.extracts["family_register"]
        .filter(pl.col("programme_arm") != "ASSESSED")
        .group_by("family_id")
        .agg(pl.col("criteria_met").str.split(";").explode().drop_nulls().n_unique())
    )
    assert len(families) > 100
    assert families["criteria_met"].min() >= 2  # type: ignore[operator]


def test_one_to_three_in_a_hundred_have_opted_out_or_objected(town: Borough) -> None:
    words = town.extracts["family_register"]["participation"]
    assert 0.01 <= words.is_in(["OPTOUT", "OBJECTED"]).mean() <= 0.035  # type: ignore[operator]
    assert set(words) == {"CONSENT", "OPTOUT", "OBJECTED", "NONE"}


def test_some_people_are_marked_protected(town: Borough) -> None:
    assert 0 < (town.extracts["family_register"]["protected"] == "Y").mean() < 0.05  # type: ignore[operator]


def people_by_rule(town: Borough, criterion: str) -> set[str]:
    """Who shows a criterion by the outcome plan's rules, read from the extracts a second time."""
    e = town.extracts
    rows = {
        "C2": [
            (
                "school_attendance",
                (pl.col("permanent_exclusion") == "Y")
                | pl.col("provision").is_in(["PRU", "AP", "CME"])
                | (pl.col("on_roll") == "N"),
            )
        ],
        "C3": [
            ("childrens_social_care", pl.col("status").is_in(["CIN", "S47", "CPP", "CLA"])),
            ("childrens_social_care", pl.col("missing_episodes_12m") >= 2),
            ("early_help", pl.col("requests_for_service_12m") >= 2),
        ],
        "C4": [
            ("dwp_out_of_work", pl.col("on_oow") == "Y"),
            ("neet_ccis", pl.col("activity_code").str.starts_with("NEET")),
            ("neet_ccis", pl.col("risk_of_neet") == "H"),
            ("housing", (pl.col("notice") != "NONE") | (pl.col("arrears_weeks") >= 8)),
        ],
        "C6": [
            (
                "health",
                pl.col("mh_adult").is_in(["IN_TREATMENT", "UNMET"])
                | (pl.col("mh_child") != "NONE")
                | (pl.col("substance") != "NONE")
                | (pl.col("perinatal") == "Y"),
            )
        ],
    }[criterion]
    link = {
        row: person
        for dataset in {name for name, _ in rows}
        for person, ids in town.truth["people"].select("person_key", dataset).drop_nulls().rows()
        for row in ids.split(";")
    }
    found = {link[i] for name, rule in rows for i in e[name].filter(rule)["src_row_id"]}
    if criterion == "C2":
        absence = (
            e["school_attendance"]
            .group_by("person_id")
            .agg(
                away=pl.sum("authorised") + pl.sum("unauthorised"),
                possible=pl.sum("possible_sessions"),
                fixed=pl.sum("fixed_exclusions"),
            )
        )
        away = (pl.col("away") > 0.1 * pl.col("possible")) | (pl.col("fixed") >= 3)
        found |= set(absence.filter(away)["person_id"])
    return found


@pytest.mark.parametrize("criterion", ["C2", "C3", "C4", "C6"])
def test_the_outcome_plans_rules_find_exactly_the_people_with_the_criterion(
    criterion: str, town: Borough
) -> None:
    people = town.truth["people"].filter(pl.col(criterion.lower()) == "Y")
    assert people_by_rule(town, criterion) == set(people["person_key"])


def test_abuse_is_counted_in_incidents_and_not_in_rows(town: Borough) -> None:
    incidents = town.extracts["police_incidents"].filter(pl.col("da_flag") == "Y")
    assert len(incidents) > 1.2 * incidents["incident_ref"].n_unique()
    same = incidents.group_by("incident_ref").agg(
        pl.col("incident_date", "child_present").n_unique()
    )
    assert same["incident_date"].max() == same["child_present"].max() == 1


def test_some_children_are_known_in_two_families(town: Borough) -> None:
    help_ = town.extracts["early_help"].filter(pl.col("role") == "CHILD")
    families = help_.group_by("person_id").agg(pl.col("family_id").n_unique())
    assert families["family_id"].max() == 2


def test_the_command_writes_all_files_and_the_truth_apart(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        synth, ["--size", "300", "--seed", "5", "--json", str(tmp_path / "b")]
    )
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    names = {path.name for path in (tmp_path / "b").iterdir()}
    assert names == {f"{name}.csv" for name in (*DATASETS, "objections")} | {"truth"}
    assert {p.name for p in (tmp_path / "b" / "truth").iterdir()} == {
        "people.csv",
        "objections.csv",
    }
    for name, rows in told["rows"].items():
        with (tmp_path / "b" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert sum(1 for _ in csv.reader(file)) == rows + 1


def test_the_command_and_the_room_give_the_same_bytes(tmp_path: Path) -> None:
    CliRunner().invoke(synth, ["--size", "300", "--seed", "5", str(tmp_path / "b")])
    made = borough(300, 5)
    for name, frame in made.extracts.items():
        assert (tmp_path / "b" / f"{name}.csv").read_bytes() == frame.write_csv().encode()
    people = (tmp_path / "b" / "truth" / "people.csv").read_bytes()
    assert people == made.truth["people"].write_csv().encode()


def test_the_command_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text("kept")
    answer = CliRunner().invoke(synth, ["--size", "10", str(tmp_path)])
    assert answer.exit_code == 2
    assert "synth/directory-not-empty" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]


def test_a_place_that_cannot_be_written_is_said_by_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = CliRunner().invoke(synth, ["--size", "10", str(tmp_path / "file" / "b")])
    assert answer.exit_code == 7
    assert "synth/not-writable" in answer.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_by_code_and_names_the_file() -> None:
    with pytest.raises(Unavailable, match="synth/not-writable") as told:
        write_rows(pl.DataFrame({"a": ["b" * 100] * 100_000}), Path("/dev/full"))
    assert told.value.facts == {"file": "full"}


def test_a_large_borough_tells_its_progress_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.synth._LARGE", 100)
    answer = CliRunner().invoke(synth, ["--size", "200", "--json", str(tmp_path / "b")])
    assert "Settling 200 people" in answer.stderr
    assert json.loads(answer.stdout)["size"] == 200
