"""The synthetic borough: whom it holds, in what shares, and that it can be had again."""

from __future__ import annotations

import io
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.synth import DATASETS, EXTRACT_DATE, Borough, borough
from gateway.synth.draw import stream
from gateway.synth.families import CHILD, PARENT, form_families
from gateway.synth.numbers import NHS_NUMBERS, nhs_numbers, ninos, postcodes, upns
from gateway.synth.sources import mistype

SIZE = 20_000


@pytest.fixture(scope="module")
def town() -> Borough:
    return borough(SIZE, 7)


@pytest.fixture(scope="module")
def truth(town: Borough) -> pl.DataFrame:
    return town.truth["people"]


def written(town: Borough) -> dict[str, bytes]:
    frames = {**town.extracts, "objections": town.objections}
    frames |= {f"truth/{name}": frame for name, frame in town.truth.items()}
    return {name: frame.write_csv().encode() for name, frame in frames.items()}


def share(flags: pl.Series) -> float:
    return float(flags.cast(pl.Float64).mean())  # type: ignore[arg-type]


def test_the_same_seed_and_size_give_the_same_bytes() -> None:
    assert written(borough(900, 3)) == written(borough(900, 3))


def test_another_seed_gives_other_people() -> None:
    one, other = borough(900, 3), borough(900, 4)
    assert not one.truth["people"]["dob"].equals(other.truth["people"]["dob"])


@given(size=st.integers(1, 400), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_borough_of_any_size_has_exactly_that_many_people(size: int, seed: int) -> None:
    town = borough(size, seed)
    assert len(town.truth["people"]) == size
    assert set(town.extracts) == set(DATASETS)


@pytest.mark.parametrize(("size", "seed"), [(0, 1), (10, -1)])
def test_a_size_or_seed_out_of_range_is_refused(size: int, seed: int) -> None:
    with pytest.raises(ValueError, match="one person or more"):
        borough(size, seed)


def test_row_ids_are_unique_over_all_extracts(town: Borough) -> None:
    ids = [f["src_row_id"] for f in town.extracts.values() if "src_row_id" in f.columns]
    assert not pl.concat(ids).is_duplicated().any()


def test_each_person_is_in_the_register_once_and_in_each_wave_once(town: Borough) -> None:
    assert not town.extracts["family_register"]["person_id"].is_duplicated().any()
    progress = town.extracts["family_progress"]
    assert not progress.select("person_id", "wave").is_duplicated().any()
    assert progress.group_by("person_id").len()["len"].unique().to_list() == [3]


def test_national_numbers_are_valid_reserved_and_never_repeated(truth: pl.DataFrame) -> None:
    for name in ("nhs_number", "upn", "nino"):
        assert not truth[name].drop_nulls().is_duplicated().any()
    assert truth["nhs_number"].null_count() == 0
    assert all(nhs_is_valid(number) for number in truth["nhs_number"])
    assert truth["nino"].drop_nulls().str.contains(r"^QQ\d{6}[A-D]$").all()
    assert all(upn_is_valid(number) for number in truth["upn"].drop_nulls())
    assert truth["uprn"].str.contains(r"^999\d{9}$").all()


def nhs_is_valid(number: str) -> bool:
    """Modulus 11, written a second time, a digit at a time."""
    total = sum(
        int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)
    )
    check = (11 - total % 11) % 11
    return number.startswith("999") and len(set(number)) > 1 and str(check) == number[9]


def upn_is_valid(number: str) -> bool:
    """Check letter of the other twelve characters, modulus 23, no I, O, S."""
    total = sum(int(digit) * weight for weight, digit in enumerate(number[1:], start=2))
    letter = "ABCDEFGHJKLMNPQRTUVWXYZ"[total % 23]
    return re.fullmatch(r"[A-Z]00[1-5]\d{9}", number) is not None and number[0] == letter


def test_nhs_numbers_that_run_out_are_empty_and_not_repeated() -> None:
    numbers = nhs_numbers(NHS_NUMBERS + 10, stream(1, "test"))
    assert len(numbers) == NHS_NUMBERS + 10
    assert numbers.null_count() == 10
    assert numbers.drop_nulls().n_unique() == NHS_NUMBERS


def test_ninos_that_run_out_are_empty_and_not_repeated() -> None:
    numbers = ninos(1_000_003, stream(1, "test"))
    assert numbers.null_count() == 3
    assert numbers.drop_nulls().n_unique() == 1_000_000


def test_the_last_upn_of_the_range_has_its_check_letter() -> None:
    number = upns(np.array([49_999]), np.array([99]), np.array([999]))[0]
    assert number[1:] == "005999999999"
    assert upn_is_valid(number)


def test_postcodes_follow_the_grammar_in_areas_never_allocated() -> None:
    district, unit = np.arange(0, 396), np.arange(0, 396) * 10 % 4000
    made = postcodes(district, unit)
    assert made.str.contains(r"^Z[A-D][1-9]\d? \d[ABD-HJLNP-UW-Z]{2}$").all()
    assert made.n_unique() == 396


def test_shared_surnames_addresses_and_other_shares_are_as_asked() -> None:
    people = borough(60_000, 2).truth["people"]
    several = (
        people.group_by("family_key")
        .agg(pl.len(), pl.col("surname").n_unique() == 1, pl.col("uprn").n_unique() == 1)
        .filter(pl.col("len") > 1)
    )
    assert share(several["surname"]) == pytest.approx(0.70, abs=0.03)
    assert share(several["uprn"]) == pytest.approx(0.85, abs=0.02)
    children = people.filter(pl.col("relation") == "CHILD")
    assert share(children["twin"] == "Y") == pytest.approx(0.015, abs=0.006)
    assert share(people["moved"] == "Y") == pytest.approx(0.08, abs=0.01)
    assert share(people["former_surname"].is_not_null()) == pytest.approx(0.02, abs=0.004)
    assert share(people["communal"] == "Y") == pytest.approx(0.005, abs=0.002)


def test_twins_share_their_day_of_birth_and_other_siblings_do_not(truth: pl.DataFrame) -> None:
    children = truth.filter(pl.col("relation") == "CHILD").with_columns(
        alike=pl.struct("family_key", "dob").is_duplicated()
    )
    assert (children["alike"] == (children["twin"] == "Y")).all()
    assert children["alike"].sum() > 10


def test_parents_are_at_least_sixteen_years_older_than_their_children() -> None:
    families = form_families(30_000, 5)
    frame = pl.DataFrame({"f": families.family, "r": families.relation, "d": families.days_old})
    eldest = frame.filter(pl.col("r") == CHILD).group_by("f").agg(pl.col("d").max())
    parents = frame.filter(pl.col("r") == PARENT).join(eldest, on="f", suffix="_child")
    assert parents.select((pl.col("d") - pl.col("d_child")).min()).item() >= 16 * 365
    assert frame["d"].min() > 0  # type: ignore[operator]


def test_no_one_is_born_after_the_extract_or_before_1895(town: Borough) -> None:
    for frame in town.extracts.values():
        if "dob" in frame.columns and len(frame):
            assert frame["dob"].max() <= EXTRACT_DATE  # type: ignore[operator]
            assert frame["dob"].min().year >= 1895  # type: ignore[union-attr]


def test_names_hold_hyphens_apostrophes_accents_and_many_origins(truth: pl.DataFrame) -> None:
    surnames = truth["surname"]
    assert surnames.str.contains("-", literal=True).any()
    assert surnames.str.contains("'", literal=True).any()
    assert surnames.str.contains(r"[^\x00-\x7F]").any()
    for name in ("Khan", "Nowak", "Mensah", "O'Brien", "Chen", "Smith"):
        assert surnames.str.contains(name, literal=True).any()


def test_some_children_bear_the_forename_of_a_parent(truth: pl.DataFrame) -> None:
    parents = truth.filter(pl.col("relation") == "PARENT").select("family_key", "forename")
    children = truth.filter(pl.col("relation") == "CHILD")
    assert len(children.join(parents, on=["family_key", "forename"], how="semi")) > 10


def test_errors_of_sources_are_as_frequent_as_asked(town: Borough, truth: pl.DataFrame) -> None:
    sent = town.extracts["school_attendance"].filter(pl.col("term") == "AUT")
    both = sent.join(truth, left_on="person_id", right_on="person_key", suffix="_true")
    assert share(both["dob"] != both["dob_true"]) == pytest.approx(0.01, abs=0.006)
    assert share(sent["postcode"].is_null()) == pytest.approx(0.04, abs=0.012)
    assert share(sent["sex"].is_in(["0", "9"])) == pytest.approx(0.01, abs=0.006)
    swapped = both.filter(pl.col("dob") != pl.col("dob_true"))
    assert (swapped["dob"].dt.day() == swapped["dob_true"].dt.month()).all()
    changed = (both["forename"] != both["forename_true"]) | (
        (both["surname"] != both["surname_true"]) & both["former_surname_true"].is_null()
    )
    assert 0.025 < share(changed) < 0.075


@given(st.lists(st.text("abcdé'- ", min_size=1, max_size=12), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_slip_leaves_a_name_that_is_not_empty(names: list[str]) -> None:
    rows = np.arange(len(names))
    slipped = mistype(pl.Series(names), rows, stream(1, "slips"))
    assert len(slipped) == len(names)
    lengths = slipped.str.len_chars().cast(pl.Int64) - pl.Series(names).str.len_chars().cast(
        pl.Int64
    )
    assert slipped.null_count() == 0
    assert (slipped.str.len_chars() > 0).all()
    assert lengths.is_between(-1, 1).all()


def test_the_truth_finds_every_row_again(town: Borough, truth: pl.DataFrame) -> None:
    frame = town.extracts["police_incidents"]
    told = truth["police_incidents"].drop_nulls().str.split(";").explode()
    assert sorted(told) == sorted(frame["src_row_id"])


def test_the_truth_of_objections_names_who_they_are(town: Borough, truth: pl.DataFrame) -> None:
    numbered = town.objections.with_columns(row=pl.int_range(1, pl.len() + 1))
    heard = numbered.join(town.truth["objections"], on="row").join(
        truth, on="person_key", suffix="_true"
    )
    assert len(heard) == len(town.objections) > 10
    known = heard.drop_nulls("nhs_number")
    assert (known["nhs_number"] == known["nhs_number_true"]).all()
    same = [heard[name] == heard[f"{name}_true"] for name in ("forename", "surname", "dob")]
    assert not (same[0] & same[1] & same[2]).all()


def test_extracts_are_comma_separated_text_that_reads_back(town: Borough) -> None:
    frame = town.extracts["health"]
    again = pl.read_csv(io.BytesIO(frame.write_csv().encode()), infer_schema=False)
    assert again.shape == frame.shape
    assert again["forename"].equals(frame["forename"])


def test_no_field_of_a_borough_shows_people_in_its_repr(town: Borough) -> None:
    assert repr(town) == f"Borough(size={SIZE}, seed=7)"
