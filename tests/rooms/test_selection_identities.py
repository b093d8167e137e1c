"""A "no" is heard however well each file identifies the person; two people stay two."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from gateway.adapters.spill import ScratchDirectory
from gateway.model import Role
from gateway.model.stages import BEFORE, BEFORE_AT
from gateway.objections import honour
from gateway.objections.register import empty_register
from gateway.selection import Replaced, Source, saying, select
from gateway.selection.identities import kinds_of
from gateway.selection.saying import said_elsewhere
from tests.rooms.test_selection import REGISTER, Counted, Stored, column, contract, plan, rule

AT, LATER = "2026-03-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00"
ANY = contract(
    "family_register",
    column("person_id", Role.PERSON_ID),
    column("nhs_number", Role.NHS_NUMBER),
    *REGISTER.columns[2:],
    column("extract_date"),
)
COLUMNS = [
    *("person_id", "nhs_number", "arm", "sex", "participation", "protected", "extract_date"),
    *("std.nhs", "std.upn", "std.nino", "std.fn1", "std.sn1", "std.dob"),
]
JOHN = "JOHN SMITH 1980-02-03"
ANN = "ANN LEE 1990-01-01"
Row = tuple[str | None, ...]


def row(
    name: str = "",
    word: str | None = None,
    *,
    person: str | None = None,
    nhs: str | None = None,
    upn: str | None = None,
    arm: str = "PROG",
    month: int = 1,
) -> Row:
    names = name.split() if name else [None, None, None]
    told = (person, nhs, arm, "1", word, "N", f"2026-{month:02d}-01")
    return (*told, nhs, upn, None, *names)


def stored(*rows: Row) -> Stored:
    return Stored([pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")])


def cohort(tmp_path: Path, now: list[Row], *before: Row, latest: bool = False, agreed=ANY):
    """Everybody of the cohort with what is said of them, and how many are withheld for what."""
    asked = plan([rule("family_register", "sex")])
    asked = dataclasses.replace(asked, spine_take="latest" if latest else "")
    replaced = (Replaced(stored(*before), AT),) if before else ()
    source = Source(agreed, (stored(*now),), replaced)
    with ScratchDirectory(tmp_path) as scratch:
        chosen = select(asked, {"family_register": source}, scratch, elements=())
        rows = [each for part in chosen.partitions for each in part.to_dicts()]
        willing = honour(chosen, empty_register())
        shared = [each["person"] for part in willing.partitions for each in part.to_dicts()]
        return rows, dict(willing.counts), sorted(shared)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (row(ANN), row(ANN, nhs="9434765919")),
        (row(ANN, nhs="9434765919"), row(ANN)),
        (row(nhs="9434765919"), row(ANN, person="P1", nhs="9434765919")),
        (row(ANN, person="P1", nhs="9434765919"), row(nhs="9434765919")),
        (row(ANN), row(ANN, person="P1")),
        (row(ANN, person="P1"), row(ANN)),
        (row(ANN, upn="A1"), row(ANN, nhs="9434765919")),
        (row(ANN, nhs="9434765919"), row("ANN POE 1990-01-01", nhs="9434765919", upn="A1")),
        (row(person="P1", nhs="9434765919"), row(person="P2", nhs="9434765919")),
    ],
)
def test_a_no_before_is_heard_however_well_either_file_identifies_the_person(
    tmp_path: Path, old: Row, new: Row
) -> None:
    said = tuple(
        "OPTOUT" if name == "participation" else each
        for name, each in zip(COLUMNS, old, strict=True)
    )
    rows, counts, shared = cohort(tmp_path, [new], said)
    assert [(each[BEFORE], each[BEFORE_AT]) for each in rows] == [("OPTOUT", AT)]
    assert counts == {"opted-out": 1}
    assert shared == []


def test_a_no_in_a_row_beside_the_cohort_is_heard_likewise(tmp_path: Path) -> None:
    now = [
        row(ANN, nhs="9434765919"),
        row(ANN, "OBJECTED", arm="OUT"),
        row(person="P2", nhs="4010232137"),
        row("BEA LEE 1991-01-01", "OPTOUT", nhs="4010232137", arm="OUT"),
        row("CAI LEE 1992-01-01"),
    ]
    _, counts, shared = cohort(tmp_path, now)
    assert counts == {"objected": 1, "opted-out": 1}
    assert shared == ["id:CAI:LEE:1992-01-01"]


def test_two_rows_of_a_cohort_that_has_no_conditions_are_compared_too(tmp_path: Path) -> None:
    asked = dataclasses.replace(plan([rule("family_register", "sex")], within=()))
    source = Source(ANY, (stored(row(ANN, nhs="9434765919"), row(ANN, "OPTOUT")),))
    with ScratchDirectory(tmp_path) as scratch:
        chosen = select(asked, {"family_register": source}, scratch, elements=())
        assert dict(honour(chosen, empty_register()).counts) == {"opted-out": 2}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (row(JOHN, "OPTOUT", nhs="9434765919"), row(JOHN, nhs="4010232137")),
        (row(JOHN, "OPTOUT", person="P1"), row(JOHN, person="P2")),
        (row(JOHN, "OPTOUT", person="P1", nhs="9434765919"), row(JOHN, person="P2", upn="A1")),
        (row("JOHN SMITH 1980-02-04", "OPTOUT"), row(JOHN)),
        (row("", "OPTOUT"), row("")),
    ],
)
def test_two_people_of_one_name_and_birth_date_stay_two(tmp_path: Path, old: Row, new: Row) -> None:
    _, counts, shared = cohort(tmp_path, [new], old)
    assert counts == {}
    assert len(shared) == 1


def test_only_the_namesake_whom_nothing_tells_apart_is_held_on_doubt(tmp_path: Path) -> None:
    now = [row(JOHN, nhs="9434765919"), row(JOHN, nhs="4010232137"), row(JOHN, upn="A1")]
    _, counts, shared = cohort(tmp_path, now, row(JOHN, "OPTOUT", nhs="9434765919"))
    assert counts == {"opted-out": 2}
    assert shared == ["id:nhs:4010232137"]


def test_somebody_met_by_several_identities_is_one_person_with_the_tightest_word(
    tmp_path: Path,
) -> None:
    before = (
        row(ANN, "PERHAPS"),
        row(nhs="9434765919", word="OBJECTED"),
        row(person="P1", nhs="9434765919", word="OPTOUT"),
    )
    rows, counts, _ = cohort(tmp_path, [row(ANN, person="P1", nhs="9434765919")], *before)
    assert [each[BEFORE] for each in rows] == ["OPTOUT"]
    assert counts == {"opted-out": 1}
    assert not [name for name in rows[0] if name.startswith(("who.", "~", "said", "marked"))]


def test_what_an_older_row_of_a_person_is_met_by_holds_the_latest(tmp_path: Path) -> None:
    now = [row(person="P1", nhs="9434765919"), row(person="P1", month=2)]
    rows, counts, _ = cohort(tmp_path, now, row(ANN, "OPTOUT", nhs="9434765919"), latest=True)
    assert [(each[BEFORE], each[BEFORE_AT]) for each in rows] == [("OPTOUT", AT)]
    assert counts == {"opted-out": 1}


@pytest.mark.parametrize("arm", ["PROG", "OUT"])
@pytest.mark.parametrize("unique", [True, False])
def test_a_no_beside_another_person_id_of_one_number_is_heard(
    tmp_path: Path, arm: str, unique: bool
) -> None:
    own = column("person_id", Role.PERSON_ID, unique=unique, required=True)
    agreed = contract("family_register", own, *ANY.columns[1:])
    twice = [
        row(ANN, person="P2", nhs="9434765919"),
        row(ANN, "OPTOUT", person="P1", nhs="9434765919", arm=arm),
        row(JOHN, person="P3", nhs="9434765870"),
    ]
    _, counts, shared = cohort(tmp_path, twice, agreed=agreed)
    assert shared == ["P3"]
    assert counts == {"opted-out": 1 if arm == "OUT" else 2}


def test_what_few_rows_say_keeps_no_block_in_memory() -> None:
    many = 20_000
    block = pl.DataFrame(
        {
            "person_id": [f"a-person-of-the-borough-{n}" for n in range(many)],
            "std.fn1": [f"A-FORENAME-THAT-IS-LONG-{n}" for n in range(many)],
            "std.sn1": [f"A-SURNAME-THAT-IS-LONG-{n}" for n in range(many)],
            "std.dob": "1980-02-03",
            "participation": [*["OPTOUT"] * 3, *["NONE"] * (many - 3)],
        }
    )
    source = Source(ANY, (stored(row(JOHN, person="P1")),), (Replaced(Stored([block]), AT),))
    said = said_elsewhere(plan([rule("family_register", "sex")]), {"family_register": source})
    assert {kind: rows.height for kind, rows in said.told.items()} == {"person": 3, "name": 3}
    for rows in said.told.values():
        as_they_lie = rows.to_arrow(compat_level=pl.CompatLevel.newest())
        held = [chunk.buffers() for each in as_they_lie for chunk in each.chunks]
        assert sum(buffer.size for found in held for buffer in found if buffer) < 10_000


@pytest.mark.parametrize("gathered", [1, 3, 100_000])
def test_what_many_extracts_say_of_one_person_is_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    monkeypatch.setattr(saying, "_GATHERED", gathered)
    before = [row(ANN, word, person="P1") for word in ("MAYBE", "OPTOUT", "CONSENT")]
    older = Replaced(stored(*before), AT)
    newer = Replaced(stored(row(ANN, "PERHAPS", person="P1"), row(JOHN, "NO", person="P2")), LATER)
    now = stored(row(ANN, person="P1"), row(JOHN, person="P2"))
    source = Source(ANY, (now,), (older, newer, older))
    with ScratchDirectory(tmp_path) as scratch:
        chosen = select(
            plan([rule("family_register", "sex")]),
            {"family_register": source},
            scratch,
            elements=(),
        )
        rows = [each for part in chosen.partitions for each in part.to_dicts()]
    found = {each["person"]: (each[BEFORE], each[BEFORE_AT]) for each in rows}
    assert found == {"P1": ("OPTOUT", LATER), "P2": ("NO", LATER)}


def test_names_are_not_read_where_everybody_has_a_person_id(tmp_path: Path) -> None:
    asked: list[str] = []

    class Noted(Counted):
        def frames(self, columns=None):
            asked.extend(columns or ())
            return super().frames(columns)

    one = column("person_id", Role.PERSON_ID, unique=True, required=True)
    certain = contract("family_register", one, *ANY.columns[1:])
    now = Noted(stored(row(JOHN, person="P1"), row(JOHN, person="P2")).blocks)
    source = Source(certain, (now,), (Replaced(stored(row(JOHN, "OPTOUT", person="P1")), AT),))
    with ScratchDirectory(tmp_path) as scratch:
        chosen = select(
            plan([rule("family_register", "sex")]),
            {"family_register": source},
            scratch,
            elements=(),
        )
        assert dict(honour(chosen, empty_register()).counts) == {"opted-out": 1}
    assert not [name for name in asked if name.startswith("std.fn1")]


def test_the_kinds_that_the_columns_of_a_contract_can_tell() -> None:
    assert kinds_of({"person_id", "forename", "surname"}) == {"person"}
    assert kinds_of({"forename", "surname", "date_of_birth", "upn"}) == {"name", "upn"}
