"""The sealing of uploads: whatever is moved, cut, changed or brought along is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.upload_sealing import (
    CHUNK,
    OVERHEAD,
    Place,
    Sealing,
    draw,
    public_of,
    sealed_size,
    secret_key,
    unsealed,
)
from gateway.errors import IntegrityError

SECRET = draw()
HERE = Place(upload="upl-1", start=5)
CONTENT = os.urandom(3 * CHUNK + 1000)
STEP = CHUNK + OVERHEAD


def chunks(content: bytes) -> list[bytes]:
    """As a body comes: full ones, then one that is not full."""
    return [content[at : at + CHUNK] for at in range(0, len(content) // CHUNK * CHUNK + 1, CHUNK)]


def sealed(content: bytes, place: Place = HERE, secret: bytes = SECRET) -> tuple[bytes, str]:
    sealing = Sealing(public_of(secret), place)
    whole = b"".join(sealing.seal(chunk) for chunk in chunks(content))
    return whole, sealing.heads_digest()


PIECE, DIGEST = sealed(CONTENT)


def parts(piece: bytes = PIECE) -> list[bytes]:
    return [piece[at : at + STEP] for at in range(0, len(piece), STEP)]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "piece"


def opened(
    room: Path,
    piece: bytes,
    *,
    digest: str = DIGEST,
    size: int = len(CONTENT),
    place: Place = HERE,
    secret: bytes = SECRET,
) -> Iterator[bytes]:
    room.write_bytes(piece)
    with room.open("rb") as file:
        yield from unsealed(
            file.fileno(),
            secret=secret_key(secret),
            place=place,
            size=size,
            heads_digest=digest,
        )


def refused(room: Path, piece: bytes, **told: object) -> None:
    with pytest.raises(IntegrityError, match="upload/not-as-received"):
        list(opened(room, piece, **told))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_was_sealed_is_opened(room: Path, size: int) -> None:
    content = CONTENT[:size]
    piece, digest = sealed(content)
    assert len(piece) == sealed_size(size)
    assert b"".join(opened(room, piece, digest=digest, size=size)) == content


def test_nothing_of_it_stands_in_clear() -> None:
    piece, _ = sealed(b"Canary Person " * 100_000)
    assert b"Canary" not in piece


def test_the_construction_is_the_one_of_the_standard() -> None:
    """What another implementation needs to know: suite, info, and nothing else."""
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    key = X25519PrivateKey.from_private_bytes(SECRET)
    first, *_, last = parts()
    info = b"gateway/upload-piece/1\0upl-1\x005\0"
    assert suite.decrypt(first, key, info + b"0\x000") == CONTENT[:CHUNK]
    assert suite.decrypt(last, key, info + b"3\x001") == CONTENT[3 * CHUNK :]
    with pytest.raises(InvalidTag):
        suite.decrypt(last, key, info + b"3\x000")


def test_chunks_in_another_order_are_refused(room: Path) -> None:
    first, second, third, last = parts()
    refused(room, second + first + third + last)


def test_a_chunk_sent_twice_or_left_out_is_refused(room: Path) -> None:
    first, second, third, last = parts()
    refused(room, first + first + third + last)
    refused(room, first + third + last)
    refused(room, first + second + third + last + last)


def test_a_piece_that_is_cut_is_refused(room: Path) -> None:
    """Also where the cut falls between two chunks and the size is told to fit."""
    first, second, _third, _last = parts()
    for piece in (PIECE[:-1], PIECE[:-20], first + second, b""):
        refused(room, piece)
    for size in (2 * CHUNK - 1, 2 * CHUNK):
        refused(room, first + second, size=size)


def test_a_full_chunk_cannot_end_a_piece(room: Path) -> None:
    """Cut at a chunk's end, with an empty chunk of somebody's own behind it."""
    first, second, _third, _last = parts()
    own = Sealing(public_of(SECRET), HERE).seal(b"")
    refused(room, first + second + own, size=2 * CHUNK)


def test_a_piece_of_another_upload_or_offset_is_refused(room: Path) -> None:
    for place in (Place(upload="upl-2", start=5), Place(upload="upl-1", start=6)):
        theirs, digest = sealed(CONTENT, place)
        refused(room, theirs)
        refused(room, theirs, digest=digest)
        refused(room, parts()[0] + b"".join(parts(theirs)[1:]))


def test_a_place_is_written_in_one_way_only() -> None:
    """No upload, offset and number can be read as another upload, offset and number."""
    written = [
        Place(upload=upload, start=start).of_chunk(number, size)
        for upload in ("upl-1", "upl-11")
        for start in (0, 1, 10)
        for number in (0, 1, 10)
        for size in (0, CHUNK)
    ]
    assert len(set(written)) == len(written)


def test_another_key_opens_nothing(room: Path) -> None:
    refused(room, PIECE, secret=draw())
    theirs, digest = sealed(CONTENT, secret=draw())
    refused(room, theirs, digest=digest)


def test_what_somebody_sealed_for_the_same_place_is_refused(room: Path) -> None:
    """The public key is known: what was not received must not pass, whole or in part."""
    own, digest = sealed(CONTENT)
    assert b"".join(opened(room, own, digest=digest)) == CONTENT
    refused(room, own)
    for at in range(4):
        mixed = parts()
        mixed[at] = parts(own)[at]
        refused(room, b"".join(mixed))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tampered") / "piece"


@given(at=st.integers(0, sealed_size(2000) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_is_refused(shared: Path, at: int, bit: int) -> None:
    piece, digest = sealed(CONTENT[:2000])
    changed = bytearray(piece)
    changed[at] ^= 1 << bit
    refused(shared, bytes(changed), digest=digest, size=2000)


def test_a_chunk_exchanged_while_the_piece_is_read_is_refused(room: Path) -> None:
    reading = opened(room, PIECE)
    assert next(reading) == CONTENT[:CHUNK]
    own = parts(sealed(CONTENT)[0])
    with room.open("r+b") as file:
        file.seek(2 * STEP)
        file.write(own[2])
    with pytest.raises(IntegrityError, match="upload/not-as-received"):
        list(reading)


@pytest.mark.parametrize("public", ["", "x25519:", "x25519:zz", "age1qqq", f"x25519:{'0' * 62}"])
def test_what_is_no_public_key_seals_nothing(public: str) -> None:
    with pytest.raises(IntegrityError, match="keys/not-a-sealing-key"):
        Sealing(public, HERE)
