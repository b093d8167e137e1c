"""The header decides which column is which, and is refused where two readers would differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.intake import Header, read_header
from gateway.model import Contract, ContractColumn

CONTRACT = Contract(
    id="x",
    title="x",
    version=1,
    parties=("x",),
    columns=(
        ContractColumn(name="forename", field="f", type="text", required=True),
        ContractColumn(name="date_of_birth", field="d", type="date", aliases=("dob",)),
        ContractColumn(name="postcode", field="p", type="text"),
    ),
)


def read(line: str) -> Header:
    return read_header(line, CONTRACT, known={"tenure"})


def codes(line: str) -> set[str]:
    return {found.code for found in read(line).findings}


def test_names_are_mapped_whatever_their_case_space_and_order() -> None:
    header = read(' Date of  Birth ,"FORENAME",post-code')
    assert header.findings == ()
    assert dict(header.places) == {"date_of_birth": 0, "forename": 1}
    assert dict(read("DOB,forename").places) == {"date_of_birth": 0, "forename": 1}


@pytest.mark.parametrize(
    "line",
    [
        "forename,Forename",
        "forename,dob,Date of birth",
        "forename, forename ",
        "forename,other,OTHER",
        "forename,f\u043erename",
    ],
)
def test_names_that_a_person_would_read_as_one_are_refused(line: str) -> None:
    assert "intake/header-duplicate" in codes(line)


@pytest.mark.parametrize(
    ("line", "column", "places"),
    [
        ("forename,dob,Forename", "forename", "1 and 3"),
        ("forename,dob,x,Date of birth,date-of-birth", "date_of_birth", "2, 4 and 5"),
        ("f\u043erename,dob,forename", "forename", "1 and 3"),
        # A name that is in no contract may be a person's: it is told by its place.
        ("forename,Ada,ada", "column 2", "2 and 3"),
        ("forename" + ",x" * 13, "column 2", "2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more"),
    ],
)
def test_a_name_that_stands_twice_is_told_once_with_its_places(
    line: str, column: str, places: str
) -> None:
    (found,) = (each for each in read(line).findings if each.code == "intake/header-duplicate")
    assert (found.column, found.hint) == (column, places)


def test_columns_without_a_name_are_dropped_and_told_by_their_places() -> None:
    header = read("forename,, ,dob,")
    assert header.findings == ()
    assert dict(header.places) == {"forename": 0, "date_of_birth": 3}
    assert header.dropped == ("column 2", "column 3", "column 5")


@pytest.mark.parametrize(
    "name",
    [
        *("p\u043estcode", "post\u200bcode", "\u200b postcode", "post\u00adcode", "postcode\u2060"),
        *("p\u00f3stcode", "po\u0301stcode", "POSTC\u00d6DE", "p\u00f8stcode", "post\x7fcode"),
        *("pos\u034ftcode", "post\ufe0fcode", "post\u3164code", "postcode\U000e0041"),
        *(
            "\u0442\u0435nur\u0435",
            "tenur\u00e9",
            "ten\u200bure",
            "dat\u00e9 of birth",
            "do\u200bb",
        ),
    ],
)
def test_a_name_that_looks_like_one_of_a_contract_is_refused_as_such(name: str) -> None:
    header = read(f"forename,{name}")
    assert [(found.code, found.column) for found in header.findings] == [
        ("intake/header-look-alike", "column 2")
    ]


def test_a_name_that_looks_like_the_contract_s_is_refused_though_another_contract_has_it() -> None:
    (found,) = read_header("forename,p\u00f3stcode", CONTRACT, known={"p\u00f3stcode"}).findings
    assert found.code == "intake/header-look-alike"


@pytest.mark.parametrize(
    "name", ["Zo\u00eb", "caf\u00e9", "a\u200bb", "\u200b", "\u738b", "postcode\u00b0"]
)
def test_a_strange_name_that_looks_like_none_is_dropped_as_unknown(name: str) -> None:
    header = read(f"forename,{name}")
    assert (header.findings, header.dropped) == ((), ("column 2",))


def test_a_contract_may_have_names_with_accents() -> None:
    accented = replace(
        CONTRACT,
        columns=(ContractColumn(name="name", field="f", type="text", aliases=("pr\u00e9nom",)),),
    )
    assert read_header("Pr\u00c9nom", accented, known=()).findings == ()
    (found, *_) = read_header("prenom", accented, known=()).findings
    assert found.code == "intake/header-look-alike"


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"field": "participation"}, ["postcode"]),
        ({"field": "protected"}, ["postcode"]),
        ({"field": "participation_date"}, []),
    ],
)
def test_what_people_said_and_who_is_protected_is_in_every_header(
    change: dict[str, str], missing: list[str]
) -> None:
    *others, last = CONTRACT.columns
    contract = replace(CONTRACT, columns=(*others, replace(last, **change)))  # type: ignore[arg-type]
    found = read_header("forename", contract, known=()).findings
    assert [(each.code, each.column) for each in found] == [
        ("intake/column-missing", column) for column in missing
    ]
    assert read_header("forename,postcode", contract, known=()).findings == ()


def test_the_column_that_a_contract_names_as_protecting_is_in_every_header() -> None:
    (found,) = read_header(
        "forename", replace(CONTRACT, protected_column="postcode"), known=()
    ).findings
    assert (found.code, found.column) == ("intake/column-missing", "postcode")


@pytest.mark.parametrize(
    "line",
    [
        "Ada,1990-02-03,ZA1 1AA",
        "Ada,03/02/1990,x",
        "Ada,x,9990000018",
        "Ada,x,QQ 12 34 56 C",
        "Ada,x,ada@example.org",
        "Ada,za11aa,x",
        "forename,dob,7",
    ],
)
def test_a_first_row_that_looks_like_a_person_is_no_header(line: str) -> None:
    assert codes(line) == {"intake/headerless"}


def test_an_unknown_name_is_reported_by_its_place_and_a_published_one_by_name() -> None:
    header = read("forename,Jane Smith,Tenure")
    assert header.dropped == ("column 2", "tenure")
    assert header.findings == ()


def test_a_missing_required_column_is_named() -> None:
    [found] = read("postcode").findings
    assert (found.code, found.column) == ("intake/column-missing", "forename")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("forename;dob;postcode", "semicolon"),
        ("forename\tdob", "tab"),
        ("forename|dob", "vertical bar"),
    ],
)
def test_another_delimiter_is_recognised_and_named(line: str, word: str) -> None:
    [found] = read(line).findings
    assert (found.code, found.hint) == ("intake/delimiter", word)


def test_a_hundred_thousand_columns_are_refused() -> None:
    assert codes(",".join(f"c{n}" for n in range(100_000))) == {"intake/too-many-columns"}


def test_wrong_quoting_in_the_header_is_refused() -> None:
    assert codes('forename,"dob') == {"intake/header-malformed"}
