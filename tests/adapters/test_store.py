"""Stored extracts: sealed, whole or absent, opened only if they are what was recorded."""

import datetime as dt
import io

import polars as pl
import pyrage
import pytest

from gateway.adapters.store import SealedWriter
from gateway.adapters.store_reading import SealedExtract, StoredExtract
from gateway.errors import IntegrityError, Unavailable
from gateway.model.extracts import ExtractRecord

RECORD = {
    "id": "ext-1",
    "dataset": "family_register",
    "party": "trafford-council",
    "state": "accepted",
    "received_at": dt.datetime(2026, 5, 4, tzinfo=dt.UTC),
    "content_digest": "0" * 64,
    "contract_digest": "0" * 64,
    **dict.fromkeys(("rows", "accepted", "quarantined"), 0),
    **dict.fromkeys(("dropped_columns", "findings"), ()),
    "profile": {},
    "evidence": {},
}
FRAME = pl.DataFrame({"person_id": ["p1", "p2"], "std.fn1": ["ADA", None]})


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


def framed(*frames: pl.DataFrame) -> bytes:
    out = b""
    for frame in frames:
        buffer = io.BytesIO()
        frame.write_ipc(buffer)
        out += len(buffer.getvalue()).to_bytes(4) + buffer.getvalue()
    return out + bytes(4)


def stored(tmp_path, identity, *frames):
    writer = SealedWriter(tmp_path / "e.age", str(identity.to_public()))
    content = framed(*frames)
    for start in range(0, len(content), 777):
        writer.write(content[start : start + 777])
    return SealedExtract(tmp_path / "e.age", writer.finish(), identity)


def test_what_was_stored_comes_back_in_order_and_again(tmp_path, identity):
    extract = stored(tmp_path, identity, FRAME, FRAME.reverse())
    for _ in range(2):
        first, second = extract.frames()
        assert first.equals(FRAME)
        assert second.equals(FRAME.reverse())


def test_only_the_named_columns_that_exist_are_read(tmp_path, identity):
    (frame,) = stored(tmp_path, identity, FRAME).frames(["std.fn1", "std.former1.sn1"])
    assert frame.columns == ["std.fn1"]


def test_the_file_shows_nothing_of_its_content(tmp_path, identity):
    stored(tmp_path, identity, FRAME)
    assert b"ADA" not in (tmp_path / "e.age").read_bytes()


@pytest.mark.parametrize("where", [10, 200, -1])
def test_a_changed_byte_is_found(tmp_path, identity, where):
    extract = stored(tmp_path, identity, FRAME)
    content = bytearray(extract.path.read_bytes())
    content[where] ^= 1
    extract.path.write_bytes(content)
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        list(extract.frames())


def test_a_truncated_or_foreign_file_is_found(tmp_path, identity):
    extract = stored(tmp_path, identity, FRAME)
    whole = extract.path.read_bytes()
    for content in (whole[:-7], whole[: len(whole) // 2], b"", b"not age at all"):
        extract.path.write_bytes(content)
        with pytest.raises(IntegrityError, match="store/not-as-recorded"):
            list(extract.frames())


def test_another_key_does_not_open_it(tmp_path, identity):
    extract = stored(tmp_path, identity, FRAME)
    stranger = pyrage.x25519.Identity.generate()
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        list(SealedExtract(extract.path, extract.digest, stranger).frames())


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path, identity):
    with pytest.raises(Unavailable, match="store/extract-gone"):
        list(SealedExtract(tmp_path / "none.age", "0" * 64, identity).frames())


@pytest.mark.parametrize(
    ("superseded_by", "code", "sent_again"),
    [("", "store/extract-gone", True), ("ext-2", "store/replaced-extract-gone", False)],
)
def test_who_looks_for_a_replaced_file_is_not_told_to_have_it_sent_again(
    tmp_path, identity, superseded_by, code, sent_again
):
    record = RECORD | {"superseded_by": superseded_by}
    sealed = SealedExtract(tmp_path / "none.age", "0" * 64, identity)
    with pytest.raises(Unavailable, match=code) as found:
        list(StoredExtract(ExtractRecord(**record), sealed).frames())
    assert found.value.code == code
    assert ("send it again" in found.value.remedy) == sent_again
    assert "backup" in found.value.remedy


def test_a_discarded_extract_leaves_nothing(tmp_path, identity):
    writer = SealedWriter(tmp_path / "e.age", str(identity.to_public()))
    writer.write(b"half of it")
    writer.discard()
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_reported_and_leaves_nothing(tmp_path, identity):
    (tmp_path / "e.age.part").mkdir()
    writer = SealedWriter(tmp_path / "e.age", str(identity.to_public()))
    for _ in range(50):
        writer.write(bytes(1000))
    (tmp_path / "e.age.part").rmdir()
    with pytest.raises(Unavailable, match="store/not-written"):
        writer.finish()
    assert list(tmp_path.iterdir()) == []


def with_left_out(tmp_path, identity, places, *frames):
    writer = SealedWriter(tmp_path / "e.age", str(identity.to_public()))
    writer.write(framed(*frames))
    writer.leave_out(places)
    return SealedExtract(tmp_path / "e.age", writer.finish(), identity)


def places(*numbers):
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def test_rows_that_are_left_out_are_seen_by_no_reader(tmp_path, identity):
    extract = with_left_out(tmp_path, identity, places(1, 2, 5), FRAME, FRAME, FRAME)
    for _ in range(2):
        kept = [frame["person_id"].to_list() for frame in extract.frames()]
        assert kept == [["p1"], ["p2"], ["p1"]]
    assert [frame.height for frame in extract.frames(["std.fn1"])] == [1, 1, 1]


@pytest.mark.parametrize(
    "changed", [b"", places(1), places(0, 2), places(2, 1), places(1, 1), places(1, 2, 3), b"abc"]
)
def test_a_changed_or_missing_list_of_what_is_left_out_is_found(tmp_path, identity, changed):
    extract = with_left_out(tmp_path, identity, places(1, 2), FRAME, FRAME)
    beside = tmp_path / "e.left-out"
    beside.write_bytes(changed) if changed else beside.unlink()
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        list(extract.frames())


def test_a_list_of_what_is_left_out_that_nobody_recorded_is_found(tmp_path, identity):
    extract = stored(tmp_path, identity, FRAME)
    (tmp_path / "e.left-out").write_bytes(places(0))
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        list(extract.frames())


def test_bytes_moved_from_the_list_to_the_file_are_found(tmp_path, identity):
    extract = with_left_out(tmp_path, identity, places(1), FRAME)
    beside = tmp_path / "e.left-out"
    with extract.path.open("ab") as file:
        file.write(beside.read_bytes())
    beside.unlink()
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        list(extract.frames())


def test_a_discarded_extract_leaves_no_list_either(tmp_path, identity):
    writer = SealedWriter(tmp_path / "e.age", str(identity.to_public()))
    writer.write(framed(FRAME))
    writer.leave_out(places(0))
    writer.discard()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", [200, -1])
def test_nothing_of_a_changed_file_is_given(tmp_path, identity, where):
    extract = stored(tmp_path, identity, *[FRAME] * 50)
    content = bytearray(extract.path.read_bytes())
    content[where] ^= 1
    extract.path.write_bytes(content)
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        next(extract.frames())


def test_nothing_of_a_file_that_somebody_else_sealed_is_given(tmp_path, identity):
    extract = stored(tmp_path, identity, FRAME)
    other = stored(tmp_path / "other", identity, FRAME.reverse())
    extract.path.write_bytes(other.path.read_bytes())
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        next(extract.frames())
