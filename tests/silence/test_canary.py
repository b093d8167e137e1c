"""The search itself can fail: it finds the canary in each clothing it claims to know."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import secrets
import tarfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database
from tests.databases import Server, postgresql_server
from tests.silence.canary import CANARY, in_file, register, row, sightings

__all__ = ["postgresql_server"]


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


def test_what_a_database_wrote_and_deleted_is_among_the_files_that_are_searched(
    postgresql_server: Server, tmp_path: Path
) -> None:
    """The log of changes keeps it; what stood in another database before is left out."""
    told = {"surname": f"Rumbleforth{secrets.token_hex(8)}"}
    before, after = (f"{told['surname']}{each}" for each in ("before", "after"))
    former = postgresql_server.create()
    write_and_delete(former, before)
    mark = tmp_path / "mark"
    time.sleep(0.05)  # the clock of files ticks in hundredths
    mark.touch()
    url = postgresql_server.create()
    write_and_delete(url, after)
    files = list(postgresql_server.files_since(url, mark.stat().st_mtime))
    assert {name for path in files for name in in_file(path, {"surname": after})} == {"surname"}
    # The server may remove one of these at any moment: another test makes it tidy up.
    former_files = {path for path in postgresql_server.folder.rglob("*") if path.is_file()}
    assert former_files - set(files), "what nobody has written to since is left out"
    postgresql_server.drop(url)
    postgresql_server.drop(former)


def write_and_delete(url: str, value: str) -> None:
    database = Database(url)
    with database.begin_migration() as connection:
        connection.execute(sa.text("CREATE TABLE t (v text)"))
        connection.execute(sa.text("INSERT INTO t VALUES (:v)"), {"v": value})
    with database.begin_migration() as connection:
        connection.execute(sa.text("DROP TABLE t"))
    database.close()
