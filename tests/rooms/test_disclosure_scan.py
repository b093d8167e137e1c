"""The last scan stops planted leaks and lets a clean output pass."""

from __future__ import annotations

import base64
import hashlib

import polars as pl
import pytest

from gateway.disclosure import Scan, ScanRules, directs, merge_directs, no_directs, scan_rules
from gateway.errors import IntegrityError
from tests.rooms.test_disclosure_groups import a_rule, an_output

COHORT = pl.DataFrame(
    {
        "person": ["p1", "p2"],
        "std.fn1": ["EXAMPLIA", "JO"],
        "std.sn1": ["TESTERSON", "LIGHT"],
        "std.former1.sn1": ["OLDNAMEY", None],
        "std.dob": ["2001-02-03", "1990-11-30"],
        "std.pc": ["ZA11AA", "ZB12CD"],
        "std.nhs": ["9990000018", None],
        "std.upn": [None, "A001000000001"],
    }
)

CLEAN = pl.DataFrame(
    {
        "link_id": ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbe"],
        "sex": ["1", "2"],
        "age_band": ["10-14", "90+"],
        "district": ["ZA1", None],
        "criteria": ["C1;C3", ""],
        "start": ["2020-04-01", "2020-05-01"],
        "days": [3, 120],
        "intensity": ["LIGHT", "MEDIUM"],
    }
)

RULES = ScanRules(
    identifiers=frozenset({"link_id"}),
    dates=frozenset({"start"}),
    codes={"intensity": frozenset({"LIGHT", "MEDIUM"})},
)


def a_scan(rules: ScanRules = RULES) -> Scan:
    return Scan(rules, merge_directs(no_directs(), directs(COHORT)))


def planted(column: str, cell: object) -> pl.DataFrame:
    values = CLEAN[column].cast(pl.String).to_list()
    return CLEAN.with_columns(pl.Series(column, [values[0], cell], dtype=pl.String))


def test_a_clean_output_passes() -> None:
    a_scan().check(CLEAN)
    a_scan().check(CLEAN.clear())
    assert Scan(RULES, no_directs()).leaks(CLEAN) == ()


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("9990000018", "nhs-number"),
        ("999 000 0018", "nhs-number"),
        ("QQ123456C", "nino"),
        ("qq 12 34 56 c", "nino"),
        ("A001000000001", "upn"),
        ("ZC9 9ZZ", "postcode"),
        ("za11aa", "postcode"),
        ("someone@people.example", "e-mail"),
        ("07700 900123", "telephone"),
        ("1999-12-31", "full-date"),
        ("19991231", "full-date"),
        ("31/12/1999", "full-date"),
        ("3 Feb 2001", "full-date"),
        ("1999-12-31T00:00:00", "full-date"),
        ("Testerson", "direct-identifier"),
        ("Examplia", "direct-identifier"),
        ("OLDNAMEY", "direct-identifier"),
        ("LIGHT", "direct-identifier"),
        (hashlib.sha256(b"anything").hexdigest(), "digest"),
        (base64.b64encode(hashlib.md5(b"a").digest()).decode().rstrip("="), "digest"),
        (hashlib.sha1(b"9990000018").hexdigest(), "unsalted-digest"),
        (base64.b64encode(hashlib.md5(b"9990000018").digest()).decode(), "unsalted-digest"),
        (hashlib.sha256(b"a001000000001").hexdigest().upper(), "unsalted-digest"),
    ],
)
def test_a_planted_leak_is_found_and_never_quoted(cell: str, rule: str) -> None:
    found = a_scan().leaks(planted("district", cell))
    assert rule in {leak.rule for leak in found}
    assert {leak.column for leak in found} == {"district"}
    with pytest.raises(IntegrityError, match="disclosure/leak") as caught:
        a_scan().check(planted("district", cell))
    assert cell not in f"{caught.value} {caught.value.facts}"


@pytest.mark.parametrize(
    "cell",
    [
        "2020-21",
        "2023/24",
        "201512",
        "2020-04",
        "2020-Q1",
        "2020-W07",
        "NO_LONGER_IN_EDUCATION",
        "1234567890",
        "C1;C3",
        "10-14",
        "90+",
        "ZA1 1",
        "CHILD_OR_YOUNG_PERSON_",
    ],
)
def test_periods_bands_and_long_codes_are_no_identifiers(cell: str) -> None:
    assert a_scan().leaks(planted("district", cell)) == ()


def test_a_number_column_that_holds_a_national_number_is_found() -> None:
    leaky = CLEAN.with_columns(pl.Series("days", [3, 9_990_000_018]))
    assert next(leak.rule for leak in a_scan().leaks(leaky)) == "nhs-number"


def test_a_column_of_dates_may_hold_dates_even_those_on_which_someone_was_born() -> None:
    assert a_scan().leaks(planted("start", "2001-02-03")) == ()
    assert a_scan().leaks(planted("start", "ZA1 1AA"))


def test_a_code_of_the_list_passes_though_someone_is_called_so() -> None:
    assert a_scan().leaks(planted("intensity", "LIGHT;MEDIUM")) == ()
    assert a_scan().leaks(planted("intensity", "TESTERSON"))


@pytest.mark.parametrize(
    "cell",
    ["9990000018", "short", None, "AAAAAAAAAAAAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaaaaaaaaaaaab"],
)
def test_an_identifier_column_holds_tokens_and_nothing_else(cell: str | None) -> None:
    found = a_scan().leaks(planted("link_id", cell))
    assert {leak.rule for leak in found} == {"not-a-token"}


def test_a_bare_digest_in_the_form_of_a_token_is_found() -> None:
    digest = hashlib.md5(b"9990000018").digest()
    cell = base64.b32encode(digest).decode().rstrip("=").lower()
    assert [leak.rule for leak in a_scan().leaks(planted("link_id", cell))] == ["unsalted-digest"]


def test_a_value_that_was_never_assessed_is_found() -> None:
    rules = ScanRules(allowed={"district": frozenset({"ZA1"})})
    other = CLEAN.select("district")
    assert a_scan(rules).leaks(other) == ()
    changed = planted("district", "ZA2").select("district")
    assert [leak.rule for leak in a_scan(rules).leaks(changed)] == ["value-not-assessed"]


def test_a_clear_column_is_exempt_by_name_only() -> None:
    rules = ScanRules(clear=frozenset({"surname"}))
    frame = pl.DataFrame({"surname": ["TESTERSON"], "town": ["TESTERSON"]})
    assert {leak.column for leak in a_scan(rules).leaks(frame)} == {"town"}


def test_the_rules_of_an_output_come_from_its_columns() -> None:
    output = an_output(
        "out",
        None,
        a_rule("subject", "pseudonym"),
        a_rule("start", is_date=True),
        a_rule("began", "year", is_date=True),
        a_rule("intensity", codes=("LIGHT",)),
    )
    rules = scan_rules(
        output, identifiers=["link_id"], clear=["slot"], values={"start": frozenset({"x"})}
    )
    assert (rules.identifiers, rules.pseudonyms) == ({"link_id"}, {"subject"})
    assert rules.dates == {"start"}
    assert rules.codes == {"intensity": frozenset({"LIGHT"})}
    assert rules.clear == {"slot"}
    assert rules.allowed == {"start": frozenset({"x"})}


def test_blocks_noted_one_after_the_other_know_the_same_as_one_block() -> None:
    parts = merge_directs(directs(COHORT[:1]), directs(COHORT[1:]))
    for cell in ("TESTERSON", "OLDNAMEY", "ZB12CD", "19901130", "30111990", "A001000000001"):
        for found in (parts, directs(COHORT)):
            assert found.known(pl.Series([cell, "NOBODYS"])) == 1
    assert parts.known(pl.Series(["JO", "ZB1", "PEOPLE", "11301990"])) == 0
    assert no_directs().known(pl.Series(["TESTERSON"])) == 0


def test_what_is_noted_of_names_is_no_name() -> None:
    held = directs(COHORT)
    assert {part.dtype for part in held.texts} == {pl.UInt64}


def test_many_waiting_blocks_are_made_distinct() -> None:
    frame = pl.DataFrame({"std.sn1": ["TESTERSON", "LIGHT"] * 300_000})
    held = no_directs()
    for _ in range(4):
        held = merge_directs(held, directs(frame))
    assert sum(part.len() for part in held.texts) < 1_300_000
    assert held.known(pl.Series(["TESTERSON"])) == 1


def test_the_sample_of_numbers_is_the_same_in_whatever_order_they_come() -> None:
    numbers = [f"{n:010}" for n in range(5000)]
    first, second = (pl.DataFrame({"std.nhs": part}) for part in (numbers[:3000], numbers[3000:]))
    one = merge_directs(directs(first), directs(second)).numbers
    other = merge_directs(directs(second), directs(first)).numbers
    assert (one.to_list(), one.len()) == (other.to_list(), 1000)


def test_a_cell_that_was_clean_in_one_block_is_found_in_none_and_a_new_one_is() -> None:
    scan = a_scan()
    scan.check(CLEAN)
    scan.check(CLEAN)
    assert scan.leaks(planted("district", "TESTERSON"))
    assert scan.leaks(planted("district", "TESTERSON"))


def test_a_pseudonym_of_a_field_may_be_missing_and_a_token_may_not() -> None:
    token = "a" * 26
    rules = ScanRules(identifiers=frozenset({"link_id"}), pseudonyms=frozenset({"family"}))
    rows = {"link_id": [token, token], "family": [None, token]}
    assert Scan(rules, no_directs()).leaks(pl.DataFrame(rows)) == ()
    for wrong in ({"link_id": [token, None]}, {"family": ["", token]}, {"family": [None, "x"]}):
        (leak,) = Scan(rules, no_directs()).leaks(pl.DataFrame(rows | wrong))
        assert leak.rule == "not-a-token"
