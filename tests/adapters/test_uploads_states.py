"""Uploads whatever happens in whatever order: the bytes are the file's, each counted once."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.adapters import jobs, schema, upload_records
from gateway.adapters.database import Database
from gateway.adapters.keyring import UploadRecipient
from gateway.adapters.upload_opening import opened_pieces
from gateway.adapters.uploads import Limits, Promise, Uploads, UploadState
from gateway.errors import GatewayError
from tests.adapters.test_uploads import PARTY, PUBLIC, SECRET, Broken

FILE = os.urandom(4000)
GONE = "upload/gone"
SIZES = st.integers(0, 1500)


def told_by(act: Callable[[], object]) -> str:
    """The code of a refusal, or nothing."""
    try:
        act()
    except GatewayError as no:
        return no.code
    return ""


class Sending(RuleBasedStateMachine):
    """One upload, a partner with a poor connection, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="gateway-uploads-"))
        self.database = Database(f"sqlite:///{self.home / 'gateway.sqlite'}")
        schema.migrate(self.database)
        self.at = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
        recipient = UploadRecipient(key_id="k", public=PUBLIC)
        self.store = Uploads(
            database=self.database,
            directory=self.home / "uploads",
            recipient=lambda _day: recipient,
            now=lambda: self.at,
            limits=Limits(longest=1 << 20, open_each=3, life=dt.timedelta(hours=10)),
            cut=700,
        )
        self.upload = self.store.create(dataset="d", party=PARTY, by="b", length=len(FILE)).id
        self.offset, self.over = 0, ""

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.home)

    @property
    def live(self) -> bool:
        return not self.over and self.offset < len(FILE)

    def _send(self, start: int, source: io.BytesIO, promised: Promise | None = None) -> str:
        return told_by(
            lambda: self.store.append(self.upload, start, source, party=PARTY, promised=promised)
        )

    @precondition(lambda self: self.live)
    @rule(size=SIZES, breaks=st.booleans())
    def goes_on(self, size: int, breaks: bool) -> None:
        block = FILE[self.offset : self.offset + size]
        assert self._send(self.offset, Broken(block) if breaks else io.BytesIO(block)) == ""
        self.offset += len(block)

    @precondition(lambda self: self.live)
    @rule(size=st.integers(1, 1500), right=st.booleans(), breaks=st.booleans())
    def promises(self, size: int, right: bool, breaks: bool) -> None:
        block = FILE[self.offset : self.offset + size]
        digest = hashlib.sha256(block if right else block + b"x").digest()
        source = Broken(block) if breaks else io.BytesIO(block)
        told = self._send(self.offset, source, Promise(algorithm="sha256", digest=digest))
        assert told == ("" if right and not breaks else "upload/checksum")
        self.offset += len(block) if not told else 0

    @precondition(lambda self: not self.over)
    @rule(start=st.integers(0, len(FILE)), size=SIZES)
    def sends_from_elsewhere(self, start: int, size: int) -> None:
        if start == self.offset:
            return
        assert self._send(start, io.BytesIO(FILE[start : start + size])) == "upload/offset"

    @precondition(lambda self: self.live)
    @rule()
    def sends_too_much(self) -> None:
        source = io.BytesIO(FILE[self.offset :] + b"x")
        assert self._send(self.offset, source) == "upload/too-long"
        self.offset = self.store.head(self.upload, party=PARTY).offset
        assert self.offset < len(FILE)

    @rule(hours=st.integers(0, 6))
    def time_passes(self, hours: int) -> None:
        self.at += dt.timedelta(hours=hours)

    @rule()
    def is_swept(self) -> None:
        self.store.tidy()

    @precondition(lambda self: self.live)
    @rule()
    def is_ended(self) -> None:
        assert told_by(lambda: self.store.terminate(self.upload, party=PARTY)) in {"", GONE}
        self.over = "ended"

    @invariant()
    def stands_where_it_should(self) -> None:
        no = told_by(lambda: self.store.head(self.upload, party=PARTY))
        if no:
            assert (no, self.offset < len(FILE)) == (GONE, True)
            self.over = self.over or "expired"
            return
        told = self.store.head(self.upload, party=PARTY)
        assert not self.over
        assert told.offset == self.offset
        whole = self.offset == len(FILE)
        assert (told.state is UploadState.COMPLETE) == whole
        with self.database.read() as connection:
            assert len(jobs.listed(connection)) == whole
            segments = upload_records.segments_of(connection, self.upload)
        with opened_pieces(
            self.store.directory / self.upload, segments, lambda _key: SECRET
        ) as source:
            assert source.read() == FILE[: self.offset]


TestSending = Sending.TestCase
TestSending.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
