"""What a person tells about themselves is read strictly and quoted never."""

from __future__ import annotations

import json

import polars as pl
import pytest

from gateway.errors import InputRejected
from gateway.objections import FIELDS, many_identities, one_identity, standard_form

GIVEN = {
    "forename": "Anna",
    "surname": "Testerson",
    "dob": "13/02/2001",
    "post_code": "za1 1aa",
    "House No": "7",
    "sex": "female",
    "nhs_number": "999 000 0018",
    "nino": "QQ123456C",
}


def test_json_and_lines_say_the_same() -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in GIVEN.items())
    told = one_identity(json.dumps(GIVEN))
    assert told.equals(one_identity(lines))
    assert told.columns == list(FIELDS)
    assert told["date_of_birth"].to_list() == ["2001-02-13"]
    assert told["sex"].to_list() == ["2"]
    assert told["house_number"].to_list() == ["7"]


def test_the_details_come_out_in_standard_form() -> None:
    told = one_identity(json.dumps(GIVEN | {"former_surname": "O'Older"}))
    (row,) = standard_form(told).to_dicts()
    assert (row["fn1"], row["sn1"], row["pc"]) == ("ANNA", "TESTERSON", "ZA11AA")
    assert (row["nhs"], row["nino"], row["former1.sn1"]) == ("9990000018", "QQ123456", "OOLDER")


def test_a_file_holds_many_with_the_same_names_for_fields() -> None:
    content = b"\xef\xbb\xbfForename,Surname,DOB,ignored\n".replace(b",ignored", b"")
    told = many_identities(content + b'Anna,"Tester, Jr",2001-02-13\n,Quill,\n')
    assert told["surname"].to_list() == ["Tester, Jr", "Quill"]
    assert told["forename"].to_list() == ["Anna", None]


BAD = {
    "surname": "Testerson",
    "dob": "2001-13-45",
    "sex": "perhaps",
    "postcode": "NOTACODE",
    "nhs_number": "9990000019",
    "upn": "A999",
    "nino": "ZZ",
    "uprn": "notauprn",
    "town": "Q" * 201,
}


def test_every_finding_comes_at_once_and_no_value_is_quoted() -> None:
    with pytest.raises(InputRejected, match="objections/details") as caught:
        one_identity(json.dumps(BAD))
    told = f"{caught.value} {caught.value.facts}"
    assert caught.value.exit_code == 4
    for field in ("date_of_birth", "sex", "postcode", "nhs_number", "upn", "nino", "uprn", "town"):
        assert f"row 1, {field}" in told
    assert not [value for value in BAD.values() if value in told]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "Anna Testerson",
        '{"forename": {"first": "Secretia"}}',
        '{"forename": 1.5}',
        '{"Secretia": "x", "surname": "Y"}',
        "surname: A\nlast_name: Secretia",
        "forename: Secretia",
        "sex: male\ntown: Secretia",
        "surname: Secretia\nforename: Zoë".encode("latin-1"),
    ],
)
def test_what_cannot_be_read_or_names_nobody_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputRejected, match="objections/details") as caught:
        one_identity(text)
    assert "Secretia" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_value_is_missing_and_a_number_is_text() -> None:
    told = one_identity('{"surname": "Quill", "forename": null, "house_number": 7}')
    assert told["forename"].to_list() == [None]
    assert told["house_number"].to_list() == ["7"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"surname\n",
        b"surname,secretia\nA,B\n",
        b"surname,last_name\nA,B\n",
        b"surname,forename\nA\nB,C,D\n",
        b"surname\n\xff\xfe\n",
    ],
)
def test_a_file_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(InputRejected, match="objections/details") as caught:
        many_identities(content)
    assert "secretia" not in str(caught.value)


def test_at_most_a_hundred_findings_of_a_file_are_listed() -> None:
    rows = pl.DataFrame({"surname": ["A"] * 150, "dob": ["never"] * 150})
    with pytest.raises(InputRejected, match="and 50 more") as caught:
        many_identities(rows.write_csv().encode())
    assert caught.value.facts["findings"] == 150


@pytest.mark.parametrize(
    "text",
    [
        '{"surname": "\\ud800x"}',
        '{"surname": "a\\u0000b"}',
        '{"surname": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '["surname"]',
        "surname: a\x00b",
        "surname: a\x1bb",
    ],
)
def test_an_identity_with_broken_or_hidden_characters_is_refused(text):
    with pytest.raises(InputRejected):
        one_identity(text)


@pytest.mark.parametrize("told", ["03/04/2001", "3/4/2001", "03-04-2001", "12/11/2001"])
def test_a_date_that_can_be_read_as_two_days_is_asked_back(told: str) -> None:
    with pytest.raises(InputRejected, match="read in one way") as no:
        one_identity(f"surname: Testerson\ndob: {told}")
    assert told not in str(no.value)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2001-04-03", "2001-04-03"),
        ("13/04/2001", "2001-04-13"),
        ("4/4/2001", "2001-04-04"),
        ("03.04.2001", "2001-04-03"),
    ],
)
def test_a_date_that_can_be_read_in_one_way_is_taken(told: str, meant: str) -> None:
    read = one_identity(f"surname: Testerson\ndob: {told}")
    assert read["date_of_birth"].to_list() == [meant]


UNKEPT = [
    ("Анна", "Иванов"),
    ("محمد", "خان"),
    ("小明", "张"),
    ("", "Test"),
    ("Baby", "Unknown"),
    ("", "???"),
]


@pytest.mark.parametrize(("forename", "surname"), UNKEPT)
@pytest.mark.parametrize("beside", [{}, {"postcode": "ZA1 1AA"}])
def test_a_name_that_nothing_is_kept_of_is_not_enough_alone(
    forename: str, surname: str, beside: dict[str, str]
) -> None:
    told = {"forename": forename, "surname": surname, **beside}
    with pytest.raises(InputRejected, match="objections/details") as caught:
        one_identity(json.dumps(told))
    assert "row 1, surname" in str(caught.value)
    assert "date of birth" in caught.value.remedy
    assert surname not in f"{caught.value} {caught.value.facts} {caught.value.remedy}"


@pytest.mark.parametrize(("forename", "surname"), UNKEPT)
@pytest.mark.parametrize(
    "beside",
    [{"dob": "2001-02-13"}, {"nhs_number": "9990000018"}, {"former_surname": "Ivanova"}],
)
def test_such_a_name_is_recorded_beside_what_finds_the_person(
    forename: str, surname: str, beside: dict[str, str]
) -> None:
    told = {"forename": forename, "surname": surname, **beside}
    assert one_identity(json.dumps(told))["surname"].to_list() == [surname]


def test_a_row_of_a_file_that_tells_such_a_name_alone_is_named() -> None:
    rows = "forename,surname,dob\nAnna,Quill,\nАнна,Иванов,\nАнна,Иванов,2001-02-13\nAnna,Иванов,\n"
    with pytest.raises(InputRejected, match="row 2, surname") as caught:
        many_identities(rows.encode())
    assert caught.value.facts["findings"] == 1


@pytest.mark.parametrize(
    "surname",
    ["Łukasiewicz", "Ørsted", "Yıldız", "Weiß", "Đặng", "B", "O", "Sm1th", "Иванов-Smith"],
)
def test_a_name_of_which_latin_letters_are_kept_is_enough_alone(surname: str) -> None:
    assert one_identity(json.dumps({"surname": surname}))["surname"].to_list() == [surname]


def test_a_birth_date_that_is_a_placeholder_does_not_help() -> None:
    with pytest.raises(InputRejected, match="row 1, surname"):
        one_identity('{"surname": "Иванов", "dob": "1900-01-01"}')
