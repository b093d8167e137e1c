"""A row is compared as it is written, whichever of its names the standard form does not keep."""

from __future__ import annotations

import polars as pl
import pytest

from gateway.objections.writing import LOST, by_writing

KEPT = {"fn1": "anna", "fnx": None, "nick": "anna", "mn": None, "sn1": "north", "snx": None}
NAME = "Юлия"


def written(**unkept: str) -> list[dict[str, object]]:
    """The rows under which a person is compared as they are written, beside the kept form."""
    row = {name: value for name, value in KEPT.items() if value is not None}
    named = {f"unkept.{slot}": name for slot, name in unkept.items()}
    frames = list(by_writing(pl.DataFrame([row | named])))
    assert frames[0].drop(LOST).row(0, named=True) == row
    return [row for frame in frames[1:] for row in frame.iter_rows(named=True)]


def test_a_forename_alone_stands_beside_the_kept_surname() -> None:
    (row,) = written(fn=NAME)
    assert row["sn1"] == KEPT["sn1"]
    assert row["fn1"] not in (None, KEPT["fn1"])
    assert "mn" not in row


@pytest.mark.parametrize(("slot", "column", "others"), [("mn", "mn", "fn1"), ("sn", "sn1", "fn1")])
def test_another_name_alone_leaves_the_forename_as_it_is(
    slot: str, column: str, others: str
) -> None:
    (row,) = written(**{slot: NAME})
    assert row[others] == KEPT[others]
    assert row[column] not in (None, KEPT.get(column))


def test_a_former_surname_alone_is_another_row() -> None:
    now, former = written(former1=NAME)
    assert now["sn1"] == KEPT["sn1"]
    assert former["sn1"] not in (None, KEPT["sn1"])
    assert former["fn1"] == KEPT["fn1"]
