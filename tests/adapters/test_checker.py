"""The checker in a process of its own: what it lets in, and what comes out of it."""

from __future__ import annotations

import datetime as dt
import io
import json
import struct
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from gateway.adapters import failing_rows
from gateway.adapters.checker import Checker, Limits
from gateway.adapters.extract_blocks import read_block
from gateway.adapters.left_out import LeftOut
from gateway.errors import UsageError
from gateway.intake import Verdict, read_verdict
from gateway.model import Contract, RowRule
from tests.bad_input.police_extract import NAMES, NHS, POLICE, Taken, check, row, rows, text


def frames(octets: bytes) -> pl.DataFrame:
    parts, at = [], 0
    while size := struct.unpack(">I", octets[at : at + 4])[0]:
        parts.append(read_block(octets[at + 4 : at + 4 + size]))
        at += 4 + size
    assert octets[at:] == b"\0\0\0\0"
    return pl.concat(parts)


def codes(verdict: Verdict) -> list[str]:
    return [found.code for found in verdict.findings]


def test_good_rows_come_out_typed_with_their_standard_elements() -> None:
    taken = Taken()
    verdict = check(text(rows(40)), taken=taken)
    assert (verdict.state, verdict.rows, verdict.accepted) == ("accepted", 40, 40)
    assert verdict.findings == ()
    got = frames(taken.frames)
    assert got.height == 40
    assert got["dob"].to_list() == [dt.date(1990, 2, 3)] * 40
    assert got["count"].to_list() == [3] * 40
    assert got["arrears"].to_list() == [10.5] * 40
    assert got["criteria"].to_list() == ["C1;C3"] * 40
    assert set(got["std.sn1"]) == {"TESTCASE"}
    assert set(got["std.dob"]) == {"1990-02-03"}


def test_a_file_of_many_blocks_keeps_every_row_in_order() -> None:
    taken = Taken()
    verdict = check(text(rows(120_000)), taken=taken)
    assert verdict.accepted == 120_000
    assert frames(taken.frames)["row"].to_list() == [f"R{n:06}" for n in range(120_000)]


def test_the_checker_has_no_network_where_the_kernel_allows() -> None:
    assert check(text(rows(1))).isolated


def test_the_profile_counts_nulls_codes_and_dates_only() -> None:
    profile = check(text([*rows(9), row(9, flag="", sex="1")])).profile
    assert profile["rows"] == 10
    assert profile["nulls"]["flag"] == 1
    assert profile["codes"]["sex"] == {"1": 1, "2": 9}
    assert profile["extract_dates"] == ["2026-10-01", "2026-10-01"]


def test_a_required_value_that_is_missing_keeps_its_row_back() -> None:
    taken = Taken()
    verdict = check(text([*rows(30), row(30, surname="")]), taken=taken)
    assert (verdict.state, verdict.accepted, verdict.quarantined) == ("accepted", 30, 1)
    [found] = verdict.findings
    assert (found.code, found.column, found.rows) == ("intake/value-missing", "surname", 1)
    assert found.first_rows == (31,)
    assert frames(taken.frames).height == 30


def test_a_wrong_optional_number_becomes_missing_and_is_counted() -> None:
    taken = Taken()
    lines = [*(row(n, nhs=number) for n, number in enumerate(NHS)), row(9, nhs="9999999999")]
    verdict = check(text(lines), taken=taken)
    assert (verdict.state, verdict.accepted) == ("accepted", 7)
    assert codes(verdict) == ["intake/identifier-invalid"]
    got = frames(taken.frames)
    assert got["nhs"].to_list() == [*NHS, None]
    assert got["std.nhs"].null_count() == 1


@pytest.mark.parametrize("digit", "0123456789")
def test_ten_equal_digits_are_no_nhs_number(digit: str) -> None:
    good = [row(n, nhs=number) for n, number in enumerate(NHS)]
    verdict = check(text([*good, row(6, nhs=digit * 10)]))
    assert [found.first_rows for found in verdict.findings] == [(7,)]


def test_more_failures_than_tolerated_hold_the_whole_extract() -> None:
    lines = [row(n, nhs=f"12345678{n}" if n < 4 else NHS[n - 4]) for n in range(10)]
    verdict = check(text(lines))
    assert (verdict.state, verdict.accepted, verdict.quarantined) == ("quarantined", 0, 10)
    found = {finding.code: finding for finding in verdict.findings}
    assert found["intake/tolerance-exceeded"].column == "nhs"


def test_many_failing_rows_hold_the_extract_and_most_reject_it() -> None:
    good, bad = rows(90), [row(90 + n, forename="") for n in range(10)]
    assert check(text([*good, *bad])).state == "quarantined"
    assert check(text([*good[:20], *bad])).state == "rejected"


def test_both_rows_of_a_repeated_key_are_left_out_of_what_was_passed_on() -> None:
    taken = Taken()
    lines = [*rows(60), row(60, row="R000007")]
    lines[3] = row(3, surname="")
    verdict = check(text(lines), taken=taken)
    assert (verdict.state, verdict.accepted, verdict.quarantined) == ("accepted", 58, 3)
    got = LeftOut(taken.left_out).without(frames(taken.frames))
    assert got.height == 58
    assert "R000007" not in got["row"].to_list()
    assert {found.first_rows for found in verdict.findings} == {(4,), (8, 61)}


def test_a_repeated_row_that_fails_another_rule_too_has_no_place_to_leave_out() -> None:
    taken = Taken()
    lines = [*rows(60), row(60, row="R000007", surname="")]
    verdict = check(text(lines), taken=taken)
    assert (verdict.accepted, verdict.quarantined) == (59, 2)
    assert taken.left_out == (7).to_bytes(4, "little")


def test_where_no_row_can_be_left_out_a_repeated_key_holds_the_extract() -> None:
    octets = text([*rows(60), row(60, row="R000007")])
    with Checker() as checker:
        verdict = checker.check(
            io.BytesIO(octets), POLICE, known_columns=(), sink=lambda _frame: None
        )
    assert verdict.state == "quarantined"


def test_columns_that_are_unique_together_are_compared_together() -> None:
    lines = [*rows(60), row(60, nhs=NHS[0]), row(61, nhs=NHS[0])]
    verdict = check(text(lines))
    assert codes(verdict) == ["intake/rows-repeated"]
    assert verdict.accepted == 60


def test_failing_rows_come_out_by_number_for_every_rule(tmp_path: Path) -> None:
    taken = Taken()
    verdict = check(text([*rows(50), row(50, surname="", count="999")]), taken=taken)
    (tmp_path / "file.rows").write_bytes(
        failing_rows.head(("", count.rule) for count in verdict.rules)
        + bytes(taken.failing)
        + bytes(4)
    )
    (got,) = failing_rows.failing_rows(tmp_path, "file")
    assert {(name, number) for number, _, name in got} == {
        ("surname.required", 51),
        ("count.number", 51),
        ("count-within-arrears", 51),
        ("sums", 51),
    }


def test_names_in_the_header_may_differ_in_case_space_order_and_alias() -> None:
    order = [*NAMES[::-1]]
    header = [" Extract Date" if name == "extract_date" else name.upper() for name in order]
    header[header.index("SURNAME")] = "Last_Name"
    lines = [line[::-1] for line in rows(5)]
    assert check(text(lines, header)).accepted == 5


def test_an_unknown_column_is_dropped_and_named_by_its_place_only() -> None:
    taken = Taken()
    lines = [[*line, "secret", "x"] for line in rows(5)]
    verdict = check(
        text(lines, [*NAMES, "Jane Doe", "tenure"]), taken=taken, known=frozenset({"tenure"})
    )
    assert verdict.dropped_columns == ("column 17", "tenure")
    assert verdict.accepted == 5
    assert set(frames(taken.frames).columns) & {"Jane Doe", "tenure"} == set()


def test_text_in_a_declared_encoding_is_read_and_others_are_refused() -> None:
    octets = text([*rows(20), row(20, surname="Zoë")]).decode().encode("cp1252")
    refused = check(octets)
    assert codes(refused) == ["intake/encoding"]
    assert refused.findings[0].first_rows == (21,)
    assert refused.findings[0].hint == str(octets.index(b"\xeb"))
    taken = Taken()
    declared = replace(POLICE, encodings=("utf-8", "windows-1252"))
    assert check(octets, declared, taken=taken).accepted == 21
    assert frames(taken.frames)["surname"][20] == "Zoë"


def test_utf_16_is_read_only_where_it_is_declared() -> None:
    octets = text(rows(5)).decode().encode("utf-16")
    assert codes(check(octets)) == ["intake/utf-16"]
    assert check(octets, replace(POLICE, encodings=("utf-16",))).accepted == 5


@pytest.mark.parametrize("count", [100, 100_000])
def test_a_file_that_changes_its_encoding_is_refused(count: int) -> None:
    octets = text([row(0, surname="Zoë"), *rows(count)[1:]])
    octets += text([row(count, surname="Zoë")]).split(b"\n", 1)[1].decode().encode("cp1252")
    verdict = check(octets, replace(POLICE, encodings=("utf-8", "windows-1252")))
    assert codes(verdict) == ["intake/encoding"]
    assert verdict.findings[0].first_rows == (count + 1,)


def test_quoted_newlines_do_not_end_a_row() -> None:
    lines = rows(60)
    lines[3][4] = '"Test\ncase"'
    lines[20][3] = ""
    verdict = check(text(lines))
    assert [(f.code, f.first_rows) for f in verdict.findings] == [
        ("intake/value-missing", (21,)),
        ("intake/text-malformed", (4,)),
    ]


def test_a_verdict_is_the_same_after_its_json() -> None:
    verdict = check(text([*rows(50), row(50, surname=""), row(51, row="R000001")]))
    assert read_verdict(json.loads(json.dumps(verdict.document()))) == verdict


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(memory=150 << 20), "memory"),
        (Limits(wall_seconds=0.05), "time"),
        (Limits(output=1_000), "output"),
    ],
)
def test_a_breached_limit_rejects_the_extract_and_names_the_limit(
    limits: Limits, name: str
) -> None:
    verdict = check(text(rows(400_000)), limits=limits)
    assert verdict.state == "rejected"
    assert [(f.code, f.hint) for f in verdict.findings] == [("intake/checker-limit", name)]


class Endless(io.RawIOBase):
    """A file that goes on for longer than any processor works in a second."""

    def __init__(self) -> None:
        self._text = text(rows(20_000))
        self._names = len(text([]))
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        room = memoryview(into)  # type: ignore[arg-type]
        part = self._text[self._at : self._at + len(room)]
        room[: len(part)] = part
        self._at += len(part)
        if self._at == len(self._text):
            self._at = self._names
        return len(part)


def test_a_breached_limit_of_processor_time_rejects_the_extract() -> None:
    with Checker(Limits(cpu_seconds=1)) as checker:
        source = io.BufferedReader(Endless())
        verdict = checker.check(source, POLICE, known_columns=(), sink=lambda _frame: None)
    assert verdict.state == "rejected"
    assert [(f.code, f.hint) for f in verdict.findings] == [("intake/checker-limit", "time")]


def test_the_gateway_takes_the_next_file_after_a_breach() -> None:
    with Checker(Limits(output=5_000)) as checker:
        sizes = []
        for count in (400_000, 1):
            source = io.BytesIO(text(rows(count)))
            verdict = checker.check(source, POLICE, known_columns=(), sink=lambda _frame: None)
            sizes.append(verdict.state)
    assert sizes == ["rejected", "accepted"]


def test_a_contract_with_an_unknown_form_is_refused_before_any_byte_is_read() -> None:
    strange = RowRule(name="odd", form="looks-like", columns=("row", "sex"))
    contract: Contract = replace(POLICE, rules=(strange,))
    with pytest.raises(UsageError, match="intake/contract-rule"):
        check(text(rows(1)), contract)


class Failing(io.BytesIO):
    """A source whose disk gives out after the first block."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("disk")
        return super().read(10_000)


def test_a_source_that_fails_while_it_is_read_is_no_extract() -> None:
    with Checker() as checker, pytest.raises(OSError, match="disk"):
        checker.check(
            Failing(text(rows(1_000))), POLICE, known_columns=(), sink=lambda _frame: None
        )


def test_a_sink_that_fails_ends_the_check_and_the_child() -> None:
    def full(_frame: bytes) -> None:
        raise OSError("full")

    with Checker() as checker, pytest.raises(OSError, match="full"):
        checker.check(io.BytesIO(text(rows(400_000))), POLICE, known_columns=(), sink=full)
