"""Whose address is hidden: the council's list of communal places, and that it is missing."""

from types import SimpleNamespace

import pytest

from gateway.adapters.share_people import communal_postcodes, stayed_behind, without_list
from gateway.errors import Unavailable
from gateway.model import Contract, ContractColumn, Household, Role
from tests.rooms.objection_people import a_plan


def contract(*columns: ContractColumn) -> Contract:
    return Contract(
        id="register",
        title="A register",
        version=1,
        parties=("council",),
        population="synthetic",
        columns=columns,
        rules=(),
    )


PLACED = contract(ContractColumn(name="pc", field="pc", type="text", role=Role.POSTCODE))
UNPLACED = contract(ContractColumn(name="n", field="n", type="text"))


def test_a_missing_list_is_said_where_there_are_postcodes(tmp_path):
    (told,) = without_list(tmp_path / "list.txt", PLACED)
    assert "communal-postcodes.txt" in told


def test_without_postcodes_no_list_is_missed(tmp_path):
    assert without_list(tmp_path / "list.txt", UNPLACED) == ()


def test_an_empty_list_says_that_there_are_no_such_places(tmp_path):
    place = tmp_path / "list.txt"
    place.write_text("", encoding="utf-8")
    assert without_list(place, PLACED) == ()
    assert communal_postcodes(place) == frozenset()


def test_postcodes_are_read_without_space_and_case(tmp_path):
    place = tmp_path / "list.txt"
    place.write_text("za1 1aa\n\nZD39EU\n", encoding="utf-8")
    assert communal_postcodes(place) == {"ZA11AA", "ZD39EU"}


def test_a_line_that_is_no_postcode_is_named_by_its_number(tmp_path):
    place = tmp_path / "list.txt"
    place.write_text("ZA1 1AA\nThe old mill\n", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"line 2") as told:
        communal_postcodes(place)
    assert "mill" not in str(told.value)


def test_rows_that_stayed_behind_are_told_where_they_would_have_held_a_family():
    records = [SimpleNamespace(quarantined=2), SimpleNamespace(quarantined=1)]
    (told,) = stayed_behind(a_plan(household=Household.DROP_FAMILY), records)
    assert told.startswith("3 rows of the spine stayed behind")
    assert stayed_behind(a_plan(household=Household.DROP_FAMILY), records[:0]) == ()
    assert stayed_behind(a_plan(), records) == ()
