"""A partner's file, good or broken in any way, shows no detail of a person anywhere.

Not on the terminal, not in the document for programs, not in a finding, not in
the database, the ledger, the sealed store or the name of a file.
Authority: security points 10, 12, 21; style rule 11; requirement R63.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.silence.canary import CANARY, HEADER, register, row, sightings, sightings_below
from tests.silence.gate import Gate, founded

# Each detail as a partner's system might spoil it; the spoilt form is personal as well.
SPOILT: Mapping[str, str] = {
    "person_id": "PX-7731-QUAIL-0099" + "-LONG" * 9,
    "forename": "Жwingelindeе",
    "surname": "Quennelthorpe-O'Vermillion" * 4,
    "dob": "31/02/2009 Quennel",
    "sex": "girl-Zwingelinde",
    "postcode": "ZB47-9XH-Wobble",
    "uprn": "99988877712312345",
    "nhs_number": "9997318464",
    "upn": "A003771909774",
    "nino": "CR918273Z",
    "programme_arm": "Fazackerleigh-arm",
    "assessed": "soon says Umberlyn",
    "start": "2025-13-45-Xylo",
    "protected": "refuge at Xylophonists Reach",
    "extract_date": "the day Oktavianne came",
}
EVERY = {**{f"good {name}": value for name, value in CANARY.items()}, **SPOILT}
EVERY.pop("good house_no")

PERSON = row()
OPEN_QUOTE = PERSON.replace(CANARY["surname"], '"' + CANARY["surname"])
RAGGED = PERSON + "," + CANARY["street"]

FILES: Mapping[str, bytes] = {
    "good": register([PERSON]),
    "every detail spoilt": register([row(SPOILT)]),
    "spoilt in most rows": register([row({**SPOILT, "person_id": f"PX{n}"}) for n in range(30)], 9),
    "the same person twice": register([PERSON, PERSON]),
    "no header but a person": "\n".join([PERSON, row({"person_id": "P2"})]).encode(),
    "a column called like a person": register([PERSON]).replace(
        b"lead_practitioner,", f"{CANARY['surname']} {CANARY['forename']},".encode()
    ),
    "an open quote": register([OPEN_QUOTE]),
    "a ragged row": register([RAGGED]),
    "a NUL": register([PERSON.replace("Oktav", "Ok\0tav"), PERSON]),
    "Latin-1 undeclared": register([PERSON]) + row({"town": "Wobblécombe Magna"}).encode("latin-1"),
    "another delimiter": register([PERSON]).replace(b",", b";"),
    "an endless cell": register([row({"street": CANARY["street"] * 5000})]),
    "cut in the middle of a person": register([PERSON])[: -len(PERSON) // 2],
    "formulas": register([row({"street": f'=HYPERLINK("{CANARY["nino"]}")'.replace(",", " ")})]),
    "not a table": f"Dear all, {CANARY['forename']} {CANARY['surname']} lives at".encode(),
    "a spreadsheet that is none": b"PK\x03\x04" + PERSON.encode() * 50,
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return founded(tmp_path_factory.mktemp("gate"))


@pytest.mark.parametrize("fault", FILES)
def test_nothing_of_a_person_shows_when_a_file_is_taken_in(
    gate: Gate, tmp_path: Path, fault: str
) -> None:
    file = tmp_path / f"{CANARY['surname']}, {CANARY['dob']}.csv"
    file.write_bytes(FILES[fault])
    answer = gate.run(
        *("receive", str(file), "--dataset", "family_register", "--from", "trafford-council"),
        *("--follow", "--json"),
    )
    assert answer.code in {0, 4, 5}, answer.err[-300:]
    assert (answer.code == 0) == (answer.document.get("state") == "accepted")
    assert sightings(answer.said, EVERY) == []
    assert sightings_below(gate.data, EVERY) == []


def test_the_good_file_was_really_taken_in_and_the_bad_one_really_read(
    gate: Gate, tmp_path: Path
) -> None:
    """Silence is easy for a gateway that reads nothing."""
    words = ("--dataset", "family_register", "--from", "trafford-council", "--json")
    for fault in ("good", "every detail spoilt"):
        (tmp_path / "file.csv").write_bytes(FILES[fault])
        document = gate.run("receive", str(tmp_path / "file.csv"), *words).document
        if fault == "good":
            assert document["accepted"] == 41
        else:
            found = {finding["column"] for finding in document["findings"]}
            assert found >= {"dob", "sex", "postcode", "nhs_number", "upn", "nino"}


def test_nothing_of_a_person_shows_when_extracts_are_listed_for_people(gate: Gate) -> None:
    listed = gate.must("extracts", "--json").document["extracts"]
    shown = gate.must("extracts").said
    for entry in listed:
        shown += gate.must("extracts", entry["extract"]).said
    assert sightings(shown, EVERY) == []


def test_a_wrong_command_does_not_repeat_what_it_was_given(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(FILES["good"])
    answer = gate.run(
        "receive", str(file), "--dataset", "family_register", "--from", CANARY["source_org"]
    )
    assert answer.code in {2, 3}
    assert sightings(answer.said, {k: v for k, v in EVERY.items() if "source_org" not in k}) == []


def test_the_columns_of_the_canary_are_the_columns_of_the_contract() -> None:
    import tomllib

    path = Path(__file__).resolve().parents[2] / "policies/datasets/family_register.toml"
    assert set(HEADER) <= set(tomllib.loads(path.read_text(encoding="utf-8"))["columns"])
