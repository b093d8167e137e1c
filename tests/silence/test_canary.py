"""The search itself can fail: it finds the canary in each clothing it claims to know."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile

import pytest

from tests.silence.canary import CANARY, register, row, sightings


@pytest.mark.parametrize(
    "clothing",
    [
        f"row 7: {CANARY['surname']} is not a date".encode(),
        CANARY["surname"].upper().encode(),
        CANARY["nhs_number"].encode("utf-16-le"),
        b"x" + base64.b64encode(b"ab" + CANARY["forename"].encode() + b"cd"),
        b"27/08/2009",
        CANARY["postcode"].replace(" ", "").lower().encode(),
        hashlib.sha256(CANARY["nino"].encode()).hexdigest().encode(),
        hashlib.sha1(CANARY["upn"].encode()).digest(),
        CANARY["street"].encode().hex().encode(),
        gzip.compress(register([row()])),
    ],
)
def test_the_search_sees_through(clothing: bytes) -> None:
    assert sightings(clothing)


def test_the_search_looks_inside_packages() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as package:
        entry = tarfile.TarInfo("data.csv")
        content = row().encode()
        entry.size = len(content)
        package.addfile(entry, io.BytesIO(content))
    assert "surname" in sightings(packed.getvalue())


def test_the_search_does_not_see_what_is_not_there() -> None:
    assert sightings(register([])) == []
    assert sightings('Row 118, column "postcode": not a UK postcode.') == []


def test_the_canary_is_seen_by_every_detail_in_its_own_row() -> None:
    assert set(sightings(row())) >= set(CANARY) - {"house_no"}
