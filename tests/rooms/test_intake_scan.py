"""The strict reader: what two readers would read differently is refused."""

from __future__ import annotations

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.intake import cut_blocks, scan
from gateway.intake.scan import careful_scan, fast_scan

CELLS = st.text(st.sampled_from('ab",;\n é'), max_size=6)


def written(rows: list[list[str]], line_end: str = "\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_MINIMAL).writerows(rows)
    return text.getvalue().encode()


def codes(block: bytes, width: int) -> list[str]:
    return [f.code for f in scan(block, width, delimiter=",", longest_cell=100).faults]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=20), st.booleans())
def test_every_record_of_a_correct_writer_is_counted_once(
    rows: list[list[str]], windows: bool
) -> None:
    block = written(rows, "\r\n" if windows else "\n")
    seen = scan(block, 3, delimiter=",", longest_cell=100)
    assert seen.faults == ()
    assert seen.records == len(rows)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=20),
    st.integers(1, 64),
)
def test_blocks_are_cut_between_records_and_lose_no_byte(rows: list[list[str]], size: int) -> None:
    whole = written(rows)
    blocks = list(cut_blocks(io.BytesIO(whole).read, size, longest=1 << 20))
    assert b"".join(blocks) == whole
    counted = [scan(block, 3, delimiter=",", longest_cell=100) for block in blocks]
    assert sum(seen.records for seen in counted) == len(rows)
    assert all(seen.faults == () for seen in counted)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=20),
    st.integers(1, 64),
    st.lists(st.sampled_from(["\n", "\r\n"]), max_size=40),
)
def test_blank_lines_at_the_end_are_no_records(
    rows: list[list[str]], size: int, blanks: list[str]
) -> None:
    whole = written(rows)
    stream = io.BytesIO(whole + "".join(blanks).encode())
    assert b"".join(cut_blocks(stream.read, size, longest=1 << 20)) == whole


@given(st.integers(1, 64), st.integers(1, 3))
def test_a_blank_line_between_records_is_one_of_another_width(size: int, blanks: int) -> None:
    whole = b"a,b,c\n" + b"\n" * blanks + b"d,e,f\n"
    blocks = list(cut_blocks(io.BytesIO(whole).read, size, longest=1 << 20))
    assert b"".join(blocks) == whole
    seen = [scan(block, 3, delimiter=",", longest_cell=100) for block in blocks]
    assert sum(fault.count for each in seen for fault in each.faults) == blanks


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=20),
)
def test_every_row_of_another_width_is_counted(rows: list[list[str]]) -> None:
    wrong = [number for number, row in enumerate(rows) if len(row) != 3]
    seen = scan(written(rows), 3, delimiter=",", longest_cell=100)
    found = {fault.code: fault for fault in seen.faults}
    if not wrong:
        assert found == {}
    else:
        assert found["intake/row-width"].count == len(wrong)
        assert list(found["intake/row-width"].first) == wrong[:10]


def test_one_field_too_many_on_every_row_is_found() -> None:
    assert codes(b"a,b,c,d\n" * 7, 3) == ["intake/row-width"]


def test_one_field_too_many_made_up_for_by_one_too_few_is_found() -> None:
    seen = scan(b"a,b,c,d\na,b\n", 3, delimiter=",", longest_cell=100)
    assert [(f.code, f.first) for f in seen.faults] == [("intake/row-width", (0, 1))]


def test_a_quote_inside_an_unquoted_cell_is_refused() -> None:
    assert codes(b'a,b"b,c\n', 3) == ["intake/quote-stray"]


def test_text_after_a_closing_quote_is_refused() -> None:
    assert codes(b'a,"b"b,c\n', 3) == ["intake/quote-stray"]


def test_a_quote_that_never_closes_is_refused_at_its_row() -> None:
    seen = scan(b'a,b,c\na,"b,c\n', 3, delimiter=",", longest_cell=100)
    assert [(f.code, f.first) for f in seen.faults] == [("intake/quote-open", (1,))]


def test_doubled_quotes_inside_quotes_are_text() -> None:
    assert codes(b'a,"b ""b""",""\n', 3) == []


def test_a_bare_carriage_return_is_refused_outside_quotes_only() -> None:
    assert codes(b"a,b\rb,c\n", 3) == ["intake/bare-return"]
    assert codes(b'a,"b\rb",c\r\n', 3) == []


def test_a_nul_byte_is_refused_at_its_row() -> None:
    seen = scan(b"a,b,c\na,b\0,c\n", 3, delimiter=",", longest_cell=100)
    assert [(f.code, f.first) for f in seen.faults] == [("intake/nul", (1,))]


def test_a_cell_beyond_the_limit_is_refused_at_its_row() -> None:
    block = b"a,b,c\na," + b"x" * 101 + b",c\n"
    seen = scan(block, 3, delimiter=",", longest_cell=100)
    assert [(f.code, f.first) for f in seen.faults] == [("intake/cell-too-long", (1,))]


def test_a_record_without_end_stops_the_stream() -> None:
    blocks = list(cut_blocks(io.BytesIO(b'"' + b"x" * 10_000).read, 100, longest=500))
    assert len(blocks) == 1
    assert len(blocks[0]) <= 700


@example(b'",\t="')
@example(b'"\t="')
@given(st.binary(max_size=60) | st.text(st.sampled_from('ab,"\n\r\0\x07é=- \t'), max_size=60))
def test_the_fast_scan_agrees_with_the_careful_one_on_any_bytes(block: bytes | str) -> None:
    octets = block.encode() if isinstance(block, str) else block
    for width in (1, 2, 3):
        careful = careful_scan(octets, width, delimiter=",", longest_cell=9)
        records, unusual, signs, padded = fast_scan(octets, ",", width, 9)
        assert (records >= 0) == (careful.faults == ())
        if records >= 0:
            assert records == careful.records
            assert unusual or not any(byte < 32 and byte not in (10, 13) for byte in octets)
            assert unusual or b'"' not in octets
            read = csv.reader(io.StringIO(octets.decode("latin-1"), newline=""))
            assert padded or all(cell == cell.strip(" \t") for row in read for cell in row)
            starts = [cell[:1] for line in octets.split(b"\n") for cell in line.split(b",")]
            assert signs or not {b"=", b"+", b"-", b"@", b"\t", b'"'} & set(starts)
