"""Uploads: what arrived is kept and counted once, whoever breaks off, races or dies."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import jobs, upload_records, upload_sealing, uploads
from gateway.adapters.database import Database
from gateway.adapters.keyring import UploadRecipient
from gateway.adapters.settings import Settings, read_settings
from gateway.adapters.upload_opening import opened_pieces
from gateway.adapters.uploads import Limits, Uploads, UploadState
from gateway.errors import GatewayError, InputRejected, IntegrityError, Unavailable, UsageError
from gateway.model.keys import KeyKind, KeyRecord, KeyState

PARTY, OTHER = "greater-manchester-police", "trafford-council"
SECRET = upload_sealing.draw()
PUBLIC = upload_sealing.public_of(SECRET)
START = dt.datetime(2026, 5, 1, 9, tzinfo=dt.UTC)
CONTENT = os.urandom(300_000)


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> dt.datetime:
        return self.at


class Ring:
    """The private half of one month's pair."""

    def record(self, key: str) -> KeyRecord:
        kind = KeyKind.UPLOAD if key.startswith("upload-") else KeyKind.STORAGE
        return KeyRecord(id=key, kind=kind, owner="", epoch="", created=START, state=KeyState.READY)

    def upload_secret(self, key: str) -> bytes:
        assert key == "upload-2026-05"
        return SECRET


class Broken(io.BytesIO):
    """A connection that breaks after its last byte."""

    def read(self, size: int | None = -1) -> bytes:
        block = super().read(size)
        if not block:
            raise ConnectionResetError
        return block


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    environ = {"GATEWAY_DATA": str(tmp_path / "data"), "GATEWAY_DATABASE_URL": database_url}
    return read_settings(environ=environ)


@pytest.fixture
def store(settings: Settings, database: Database) -> Uploads:
    return Uploads(
        database=database,
        directory=settings.data / "uploads",
        recipient=lambda day: UploadRecipient(key_id=f"upload-{day:%Y-%m}", public=PUBLIC),
        now=Clock(),
        limits=Limits(longest=1 << 20, open_each=3, life=dt.timedelta(hours=24)),
        cut=64 << 10,
    )


def begun(store: Uploads, length: int = len(CONTENT)) -> str:
    return store.create(dataset="police", party=PARTY, by="nightly", length=length).id


def sent(
    store: Uploads, upload: str, offset: int, body: bytes | io.BytesIO, **more: Any
) -> uploads.Upload:
    source = io.BytesIO(body) if isinstance(body, bytes) else body
    return store.append(upload, offset, source, party=PARTY, **more)


def files(store: Uploads) -> list[Path]:
    return sorted(path for path in store.directory.rglob("*") if path.is_file())


@contextlib.contextmanager
def read(settings: Settings, upload: str) -> Iterator[bytes]:
    with uploads.opened(settings, Ring(), upload) as source:  # type: ignore[arg-type]
        yield source.read()


def test_what_was_sent_in_pieces_is_read_as_one(settings: Settings, store: Uploads) -> None:
    upload = begun(store)
    assert sent(store, upload, 0, CONTENT[:1000]).offset == 1000
    told = sent(store, upload, 1000, CONTENT[1000:])
    assert (told.state, told.offset) == (UploadState.COMPLETE, len(CONTENT))
    with read(settings, upload) as content:
        assert content == CONTENT


def test_no_byte_lies_on_the_disk_in_clear(store: Uploads) -> None:
    upload = begun(store, 40_000)
    sent(store, upload, 0, b"Canary Person " * 2000)
    for path in files(store):
        assert b"Canary" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_byte_asks_for_the_check_once(store: Uploads, database: Database) -> None:
    upload = begun(store)
    told = sent(store, upload, 0, CONTENT)
    with database.read() as connection:
        (job,) = jobs.listed(connection, kind=jobs.JobKind.CHECK)
    assert (job.id, job.subject, job.by) == (told.job, upload, "nightly")


def test_a_connection_that_breaks_loses_nothing_that_arrived(
    settings: Settings, store: Uploads
) -> None:
    upload = begun(store)
    assert sent(store, upload, 0, Broken(CONTENT[:123_457])).offset == 123_457
    sent(store, upload, 123_457, CONTENT[123_457:])
    with read(settings, upload) as content:
        assert content == CONTENT


def test_a_long_body_is_counted_on_its_way(store: Uploads) -> None:
    """The sender who comes back finds what arrived, though the old connection still hangs."""
    upload = begun(store)
    seen: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(store.head(upload, party=PARTY).offset)
            return super().read(size)

    sent(store, upload, 0, Watched(CONTENT))
    assert 64 << 10 in seen


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_promised_checksum_is_held_to(store: Uploads, algorithm: str) -> None:
    upload = begun(store)
    digest = hashlib.new(algorithm, CONTENT[:1000], usedforsecurity=False).digest()
    good = uploads.Promise(algorithm=algorithm, digest=digest)
    with pytest.raises(GatewayError, match="upload/checksum"):
        sent(store, upload, 0, CONTENT[1:1001], promised=good)
    assert files(store) == []
    assert sent(store, upload, 0, CONTENT[:1000], promised=good).offset == 1000


def test_a_broken_body_with_a_checksum_leaves_nothing(store: Uploads) -> None:
    upload = begun(store)
    digest = hashlib.sha256(CONTENT[:1000]).digest()
    good = uploads.Promise(algorithm="sha256", digest=digest)
    with pytest.raises(GatewayError, match="upload/checksum"):
        sent(store, upload, 0, Broken(CONTENT[:1000]), promised=good)
    assert files(store) == []
    assert store.head(upload, party=PARTY).offset == 0


def test_of_two_writers_at_one_offset_one_wins(settings: Settings, store: Uploads) -> None:
    upload = begun(store)
    both = threading.Barrier(2, timeout=30)

    class Together(io.BytesIO):
        waited = False

        def read(self, size: int | None = -1) -> bytes:
            if not self.waited:
                self.waited = True
                both.wait()
            return super().read(size)

    ended: list[str] = []

    def write() -> None:
        try:
            ended.append(str(sent(store, upload, 0, Together(CONTENT)).offset))
        except GatewayError as no:
            ended.append(no.code)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if len(CONTENT) == store.head(upload, party=PARTY).offset:
        with read(settings, upload) as content:
            assert content == CONTENT
    assert ended.count("upload/offset") >= 1
    assert store.tidy() == 0, "the one that lost has left nothing"


def test_a_wrong_offset_reads_nothing(store: Uploads) -> None:
    upload, body = begun(store), io.BytesIO(CONTENT)
    with pytest.raises(GatewayError, match="upload/offset"):
        sent(store, upload, 7, body)
    assert body.tell() == 0


def test_another_partys_upload_is_answered_like_none(store: Uploads) -> None:
    upload = begun(store)
    with pytest.raises(GatewayError) as theirs:
        store.head(upload, party=OTHER)
    with pytest.raises(GatewayError) as none:
        store.head("upl-aaaaaaaaaaaaaaaaaaaaaaaaaa", party=OTHER)
    assert str(theirs.value) == str(none.value)


def test_more_than_was_said_is_refused_and_not_counted(store: Uploads) -> None:
    upload = begun(store, 1000)
    with pytest.raises(GatewayError, match="upload/too-long"):
        sent(store, upload, 0, CONTENT[:1001])
    assert store.head(upload, party=PARTY).offset == 0
    assert files(store) == []
    with pytest.raises(GatewayError, match="upload/too-long"):
        begun(store, (1 << 20) + 1)


def test_an_upload_without_a_length_ends_when_it_is_told(
    settings: Settings, store: Uploads
) -> None:
    upload = store.create(dataset="police", party=PARTY, by="nightly")
    arrived = sent(store, upload.id, 0, CONTENT)
    assert arrived.state is UploadState.OPEN
    told = store.complete(arrived)
    assert (told.state, told.length) == (UploadState.COMPLETE, len(CONTENT))
    with read(settings, upload.id) as content:
        assert content == CONTENT


def test_a_party_may_have_only_so_many_open(store: Uploads) -> None:
    several = [begun(store) for _ in range(3)]
    with pytest.raises(GatewayError, match="upload/too-many-open"):
        begun(store)
    store.terminate(several[0], party=PARTY)
    begun(store)


def test_what_nobody_goes_on_with_expires(store: Uploads) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT[:1000])
    store.now.at += dt.timedelta(hours=25)  # type: ignore[attr-defined]
    for ask in (lambda: store.head(upload, party=PARTY), lambda: sent(store, upload, 1000, b"x")):
        with pytest.raises(GatewayError, match="upload/gone"):
            ask()
    store.tidy()
    assert files(store) == []


def test_what_was_ended_leaves_nothing(store: Uploads) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT[:1000])
    store.terminate(upload, party=PARTY)
    assert files(store) == []
    with pytest.raises(GatewayError, match="upload/gone"):
        sent(store, upload, 1000, b"x")


def test_what_is_whole_cannot_be_ended(store: Uploads) -> None:
    upload = begun(store, 0)
    with pytest.raises(GatewayError, match="upload/whole"):
        store.terminate(upload, party=PARTY)


def test_an_upload_ended_while_it_is_written_is_gone(store: Uploads) -> None:
    upload = begun(store)

    class Ends(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                store.terminate(upload, party=PARTY)
            return super().read(size)

    with pytest.raises(GatewayError, match=r"upload/(gone|offset)"):
        sent(store, upload, 0, Ends(CONTENT))
    assert files(store) == []


def test_a_receipt_lets_the_pieces_go_and_may_be_told_twice(
    settings: Settings, store: Uploads, database: Database
) -> None:
    class Receipt:
        id = "extract-1"

    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    for _ in range(2):
        uploads.checked(settings, database, upload, Receipt())
        told = store.head(upload, party=PARTY)
        assert (told.state, told.extract) == (UploadState.DONE, "extract-1")
        assert files(store) == []


def test_a_crash_between_receipt_and_removal_is_swept(store: Uploads, database: Database) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    with database.begin() as connection:
        upload_records.turn(
            connection, upload, from_=upload_records.WHOLE, state=UploadState.DONE, extract="e"
        )
    assert len(files(store)) > 0
    assert store.tidy() > 0
    assert files(store) == []


def test_a_crash_between_rename_and_count_is_swept_and_the_rest_stays(
    settings: Settings, store: Uploads
) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT[:1000])
    kept = files(store)
    orphan = store.directory / upload / f"{1000:020d}-0123456789abcdef.sealed"
    orphan.write_bytes(b"sealed and never counted")
    (store.directory / upload / "x.sealed.part").write_bytes(b"half")
    assert store.tidy() == 2
    assert files(store) == kept
    sent(store, upload, 1000, CONTENT[1000:])
    with read(settings, upload) as content:
        assert content == CONTENT


def test_a_sweep_takes_nothing_from_a_living_writer(settings: Settings, store: Uploads) -> None:
    upload = begun(store)
    swept: list[int] = []

    class Sweeps(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            swept.append(store.tidy())
            return super().read(size)

    sent(store, upload, 0, Sweeps(CONTENT))
    assert set(swept) == {0}
    with read(settings, upload) as content:
        assert content == CONTENT


def forged(content: bytes, upload: str, start: int) -> bytes:
    """What whoever knows the public key can make for this very place."""
    place = upload_sealing.Place(upload=upload, start=start)
    return upload_sealing.Sealing(PUBLIC, place).seal(content)


def test_a_changed_piece_is_found(settings: Settings, store: Uploads) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    first, last = files(store)[0], files(store)[-1]
    whole = first.read_bytes()
    for changed in (
        whole[:-1] + bytes([whole[-1] ^ 1]),  # one bit of the payload
        whole[:-20],  # its end is missing
        forged(CONTENT[: 64 << 10], upload, 0),  # somebody else's sealing
        last.read_bytes(),  # another piece of the same upload
    ):
        first.write_bytes(changed)
        with pytest.raises(IntegrityError, match="upload/not-as-received"), read(settings, upload):
            pass
    first.unlink()
    with pytest.raises(Unavailable, match="upload/segment-gone"), read(settings, upload):
        pass


def test_a_piece_that_an_earlier_version_stored_gets_a_clear_answer(
    settings: Settings, store: Uploads, database: Database
) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    with database.begin() as connection:
        connection.execute(upload_records.SEGMENTS.update().values(storage_key="storage-2026-05"))
    with pytest.raises(InputRejected, match="upload/older-form"), read(settings, upload):
        pass


def test_a_key_that_is_gone_is_told_to_the_reader(store: Uploads, database: Database) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    with database.read() as connection:
        segments = upload_records.segments_of(connection, upload)

    def gone(_key: str) -> bytes:
        raise UsageError("keys/unknown", "There is no such key.")

    with (
        pytest.raises(UsageError, match="keys/unknown"),
        opened_pieces(store.directory / upload, segments, gone) as source,
    ):
        source.read()


def test_whatever_stops_the_opener_is_told_to_the_reader(
    store: Uploads, database: Database
) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    with database.read() as connection:
        segments = upload_records.segments_of(connection, upload)
    with (
        pytest.raises(ValueError, match="32"),
        opened_pieces(store.directory / upload, segments, lambda _key: b"no key") as source,
    ):
        source.read()


def test_a_reader_that_stops_early_leaves_no_thread(store: Uploads, database: Database) -> None:
    upload = begun(store)
    sent(store, upload, 0, CONTENT)
    with database.read() as connection:
        segments = upload_records.segments_of(connection, upload)
    before = threading.active_count()
    with opened_pieces(store.directory / upload, segments, lambda _key: SECRET) as source:
        assert source.read(10) == CONTENT[:10]
    assert threading.active_count() == before
