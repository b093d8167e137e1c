"""Every path of the kernel gives the bytes of `hashlib.blake2b`, and no other."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import mmap
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import keyed_hash
from gateway.errors import UsageError
from gateway.keyed_hash import fallback

KEY = bytes(range(100, 132))
PERSON = b"sfg1/T01........"

every_path = pytest.mark.parametrize("on_path", keyed_hash.paths())
every_fast_path = pytest.mark.parametrize(
    "on_path", [path for path in keyed_hash.paths() if path != "hashlib"] or ["hashlib"]
)


def by_hashlib(message: bytes | None, key: bytes = KEY, person: bytes = PERSON) -> bytes | None:
    if message is None:
        return None
    return hashlib.blake2b(message, digest_size=16, key=key, person=person).digest()


def framed_by_hashlib(*parts: bytes) -> bytes | None:
    return by_hashlib(b"\x01" + b"".join(len(part).to_bytes(2, "big") + part for part in parts))


def random_messages(rows: int, seed: int) -> list[bytes]:
    """Messages of every length from 0 to 300, each length as often as the others."""
    generator = np.random.default_rng(seed)
    lengths = generator.permutation(np.arange(rows) % 301)
    ends = np.cumsum(lengths)
    pool = generator.bytes(int(ends[-1]))
    return [
        pool[end - length : end]
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]


def test_the_fastest_path_is_named_and_taken() -> None:
    assert keyed_hash.path() == keyed_hash.paths()[-1]
    assert keyed_hash.paths()[0] == "hashlib"


def test_a_million_random_messages_of_every_length_hash_alike_on_every_path() -> None:
    for part in range(10):
        messages = random_messages(100_233, seed=part)
        expected = pl.Series([by_hashlib(message) for message in messages], dtype=pl.Binary)
        column = pl.Series(messages, dtype=pl.Binary)
        for path in keyed_hash.paths():
            threads = 1 + part % 3
            found = keyed_hash.blake2b_column(
                column, KEY, person=PERSON, on_path=path, threads=threads
            )
            assert found.equals(expected), (path, part)


@every_path
@given(
    texts=st.lists(st.none() | st.text(max_size=200), max_size=70),
    key=st.binary(min_size=32, max_size=32),
)
def test_any_texts_hash_as_their_utf8_bytes(
    on_path: str, texts: list[str | None], key: bytes
) -> None:
    column = pl.Series("name", texts, dtype=pl.String)
    found = keyed_hash.blake2b_column(column, key, person=PERSON, on_path=on_path)
    wanted = [by_hashlib(None if t is None else t.encode(), key) for t in texts]
    assert found.to_list() == wanted
    assert found.dtype == pl.Binary
    assert found.name == "name"


@every_path
def test_slices_chunks_and_nulls_keep_their_rows(on_path: str) -> None:
    texts = [None if i % 7 == 3 else "x" * (i % 40) for i in range(2_000)]
    whole = pl.Series(texts, dtype=pl.String)
    chunked = pl.concat([whole[5:91], whole[:0], whole[300:977], whole[1:2]], rechunk=False)
    assert chunked.n_chunks() > 1
    for column in (whole[13:1_777], whole[3:4], whole[:0], whole.gather_every(3), chunked):
        found = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path)
        wanted = [by_hashlib(None if t is None else t.encode()) for t in column]
        assert found.to_list() == wanted
        assert found.null_count() == column.null_count()


@every_path
def test_a_column_without_any_value_stays_without(on_path: str) -> None:
    column = pl.Series([None] * 100, dtype=pl.String)
    found = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path)
    assert found.null_count() == 100


@every_path
def test_the_empty_message_under_a_key_hashes_the_key_block_last(on_path: str) -> None:
    column = pl.Series(["", None, "a", ""])
    found = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path)
    assert found.to_list() == [by_hashlib(b""), None, by_hashlib(b"a"), by_hashlib(b"")]


@every_path
@given(
    rows=st.lists(
        st.tuples(*[st.none() | st.text(alphabet="ABCÉ-1", max_size=60)] * 3), max_size=80
    )
)
def test_framed_components_hash_as_the_framed_message(
    on_path: str, rows: list[tuple[str | None, ...]]
) -> None:
    columns = [pl.Series([row[i] for row in rows], dtype=pl.String) for i in range(3)]
    found = keyed_hash.blake2b_framed(columns, KEY, person=PERSON, on_path=on_path)
    wanted = [
        None if None in row else framed_by_hashlib(*(str(part).encode() for part in row))
        for row in rows
    ]
    assert found.to_list() == wanted


@every_path
def test_framed_components_may_be_as_long_as_a_u16_says_and_no_longer(on_path: str) -> None:
    longest = pl.Series(["é" * 32_767 + "x", "short"])
    other = pl.Series(["1", "2"])
    found = keyed_hash.blake2b_framed([longest, other], KEY, person=PERSON, on_path=on_path)
    assert found[0] == framed_by_hashlib(longest[0].encode(), b"1")
    with pytest.raises(UsageError, match="keyed-hash/refused"):
        keyed_hash.blake2b_framed(
            [pl.Series(["x" * 65_536, "a"]), other], KEY, person=PERSON, on_path=on_path
        )


@every_path
def test_columns_of_unequal_length_are_refused(on_path: str) -> None:
    with pytest.raises(UsageError, match="unequal length"):
        keyed_hash.blake2b_framed(
            [pl.Series(["a"]), pl.Series(["a", "b"])], KEY, person=PERSON, on_path=on_path
        )


@every_fast_path
def test_two_threads_give_the_same_rows_as_one(on_path: str) -> None:
    column = pl.Series([None if i % 11 == 0 else f"{i:x}" * (i % 20) for i in range(60_001)])
    once = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path, threads=1)
    for threads in (2, 3, 16):
        again = keyed_hash.blake2b_column(
            column, KEY, person=PERSON, on_path=on_path, threads=threads
        )
        assert again.equals(once)


@every_fast_path
def test_no_byte_after_a_text_is_read(on_path: str) -> None:
    page = mmap.PAGESIZE
    area = mmap.mmap(-1, 2 * page)
    area.write(bytes(i % 251 for i in range(page)))
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    assert protect(ctypes.c_void_p(start + page), page, 0) == 0
    lengths = range(13, 301)
    views = b"".join(
        n.to_bytes(4, "little")
        + area[page - n : page - n + 4]
        + (0).to_bytes(4, "little")
        + (page - n).to_bytes(4, "little")
        for n in lengths
    )
    buffers = [None, pa.py_buffer(views), pa.foreign_buffer(start, page, base=area)]
    column = pl.Series(pa.Array.from_buffers(pa.binary_view(), len(lengths), buffers))
    found = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path)
    assert found.to_list() == [by_hashlib(area[page - n : page]) for n in lengths]
    framed = keyed_hash.blake2b_framed([column], KEY, person=PERSON, on_path=on_path)
    assert framed.to_list() == [framed_by_hashlib(area[page - n : page]) for n in lengths]
    protect(ctypes.c_void_p(start + page), page, mmap.PROT_READ | mmap.PROT_WRITE)


@every_fast_path
def test_what_stands_after_a_short_text_in_its_view_is_not_hashed(on_path: str) -> None:
    views = b"".join(n.to_bytes(4, "little") + b"abcdefghijkl" for n in range(13)) * 3
    buffers = [None, pa.py_buffer(views)]
    column = pl.Series(pa.Array.from_buffers(pa.binary_view(), 39, buffers))
    found = keyed_hash.blake2b_column(column, KEY, person=PERSON, on_path=on_path)
    wanted = [b"abcdefghijkl"[:n] for n in range(13)] * 3
    assert found.to_list() == [by_hashlib(text) for text in wanted]
    framed = keyed_hash.blake2b_framed([column, column], KEY, person=PERSON, on_path=on_path)
    assert framed.to_list() == [framed_by_hashlib(text, text) for text in wanted]


def test_results_are_ordinary_columns() -> None:
    column = pl.Series("x", [f"person {i}" for i in range(1_000)])
    digests = keyed_hash.blake2b_column(column, KEY, person=PERSON)
    frame = pl.DataFrame({"x": column, "token": digests})
    assert frame.group_by("token").len().height == 1_000
    assert frame.join(frame, on="token").height == 1_000
    assert frame.sort("token").filter(pl.col("token").is_not_null()).height == 1_000
    del digests, column
    assert frame["token"].bin.size().unique().to_list() == [16]


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match="keyed-hash/key-length"):
        keyed_hash.blake2b_column(pl.Series(["a"]), b"k" * length, person=PERSON)


@pytest.mark.parametrize("person", [b"", b"nis", b"x" * 15, b"x" * 17])
def test_a_person_of_another_length_is_refused(person: bytes) -> None:
    with pytest.raises(UsageError, match="keyed-hash/person-length"):
        keyed_hash.blake2b_column(pl.Series(["a"]), KEY, person=person)


def test_numbers_are_not_hashed_and_no_columns_neither() -> None:
    with pytest.raises(UsageError, match="keyed-hash/not-text"):
        keyed_hash.blake2b_column(pl.Series([1]), KEY, person=PERSON)
    with pytest.raises(UsageError, match="keyed-hash/not-text"):
        keyed_hash.blake2b_framed([], KEY, person=PERSON)


def test_a_path_that_the_machine_has_not_is_refused() -> None:
    with pytest.raises(UsageError, match="keyed-hash/no-such-path"):
        keyed_hash.blake2b_column(pl.Series(["a"]), KEY, person=PERSON, on_path="c/abacus")


@given(values=st.lists(st.none() | st.binary(min_size=16, max_size=16), max_size=40))
def test_base32_is_lower_case_and_unpadded(values: list[bytes | None]) -> None:
    column = pl.Series("t", values, dtype=pl.Binary)
    wanted = [
        None if value is None else base64.b32encode(value).decode().rstrip("=").lower()
        for value in values
    ]
    assert keyed_hash.base32_column(column).to_list() == wanted
    assert fallback.base32(column).to_list() == wanted
    assert keyed_hash.base32_column(column[1:]).to_list() == wanted[1:]


def test_base32_refuses_what_is_not_sixteen_bytes() -> None:
    with pytest.raises(UsageError, match="keyed-hash/not-digests"):
        keyed_hash.base32_column(pl.Series(["abc"]))
    for column in (pl.Series([b"abc"]), pl.Series([b"a" * 20])):
        with pytest.raises(UsageError, match="not 16 bytes"):
            keyed_hash.base32_column(column)
        with pytest.raises(ValueError, match="not 16 bytes"):
            fallback.base32(column)


WITHOUT_COMPILER = """
import sys
sys.modules["gateway.keyed_hash._blake2b"] = None
import polars as pl
from gateway import keyed_hash
assert keyed_hash.paths() == ("hashlib",)
digests = keyed_hash.blake2b_column(pl.Series(["a", None]), bytes(32), person=b"p" * 16)
print(keyed_hash.base32_column(digests).to_list())
"""


def test_without_the_extension_the_same_text_comes_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER], capture_output=True, text=True, check=True
    )
    digests = keyed_hash.blake2b_column(pl.Series(["a", None]), bytes(32), person=b"p" * 16)
    assert done.stdout.strip() == str(keyed_hash.base32_column(digests).to_list())
