"""Uploads: each piece sealed as it comes, and counted only once it is durable.

    1  the offset asked for is the one that stands, or nothing is read
    2  what arrives is sealed into a piece of its own, synced, renamed
    3  one transaction: the piece is known and the offset moves, if it still stands
    4  with the last byte the same transaction asks for the check

Of two writers at one offset the second finds that it has moved: its piece goes. A
connection that breaks ends a piece and loses nothing, unless its sender promised a
checksum: then nobody knows what arrived, and the piece goes. All this needs public keys alone.

Source: tus 1.0; docs/explanation/service.md, "An upload, exactly once"; security points 8, 23.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.adapters import jobs
from gateway.adapters import upload_records as records
from gateway.adapters import upload_terms as terms
from gateway.adapters.database import Database
from gateway.adapters.keyring import UploadRecipient
from gateway.adapters.settings import Settings
from gateway.adapters.upload_opening import checked, directory_of, failed, opened
from gateway.adapters.upload_records import UNKNOWN_LENGTH, Segment, Upload, UploadState, find
from gateway.adapters.upload_sealing import Place
from gateway.adapters.upload_segments import (
    Arriving,
    Source,
    remove_pieces,
    seal_piece,
    sweep_pieces,
)
from gateway.adapters.upload_terms import (
    ALGORITHMS,
    Also,
    Limits,
    Promise,
    nothing_else,
    promise,
    require_as_promised,
)
from gateway.errors import Unavailable

__all__ = [
    "ALGORITHMS",
    "Limits",
    "Promise",
    "Upload",
    "UploadState",
    "Uploads",
    "checked",
    "failed",
    "find",
    "of_settings",
    "opened",
    "promise",
]

CUT = 64 << 20  # after so many bytes, a body without a checksum is counted so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The uploads of one data directory, as the web process may have them."""

    database: Database = field(repr=False)
    directory: Path
    recipient: Callable[[dt.date], UploadRecipient] = field(repr=False)
    now: Callable[[], dt.datetime]
    limits: Limits
    cut: int = CUT

    def create(
        self,
        *,
        dataset: str,
        party: str,
        by: str,
        length: int = UNKNOWN_LENGTH,
        also: Also = nothing_else,
    ) -> Upload:
        """Begin an upload; one of no bytes is whole at once.

        Args:
            dataset: what it is to be; the caller has seen that the party may send it.
            party: who sends it.
            by: the caller's name.
            length: in bytes; -1 where only its end will tell.
            also: done in the same transaction.

        Raises:
            InputRejected: `upload/too-long`.
            RefusedError: `upload/too-many-open`.
        """
        if length > self.limits.longest:
            raise terms.too_long(self.limits)
        at = self.now()
        upload = Upload(
            id=f"upl-{secrets.token_hex(16)}",
            party=party,
            by=by,
            dataset=dataset,
            length=length,
            offset=0,
            state=UploadState.OPEN,
            created=at,
            expires=at + self.limits.life,
        )
        with self.database.begin() as connection:
            gone = records.expire(connection, at)
            if records.open_count(connection, party) >= self.limits.open_each:
                raise terms.too_many_open(self.limits)
            connection.execute(records.UPLOADS.insert().values(**upload.values()))
            upload = self._completed(connection, upload) if length == 0 else upload
            also(connection, upload)
        self._remove(gone)
        return upload

    def head(self, upload_id: str, *, party: str) -> Upload:
        """How far an upload of this party is.

        Raises:
            UsageError: `upload/unknown-upload`, also where it is another party's;
                `upload/gone` where it expired or was ended.
        """
        with self.database.read() as connection:
            upload = find(connection, upload_id)
        if upload.party != party:
            raise records.unknown()
        late = upload.state is UploadState.OPEN and upload.expires <= self.now()
        if late or upload.state in {UploadState.EXPIRED, UploadState.TERMINATED}:
            raise terms.gone()
        return upload

    def append(
        self,
        upload_id: str,
        offset: int,
        source: Source,
        *,
        party: str,
        promised: Promise | None = None,
        also: Also = nothing_else,
    ) -> Upload:
        """Take in a body from an offset on, piece by piece; the upload as it stands then.

        Args:
            upload_id: which.
            offset: where the body begins.
            source: the body as it comes.
            party: who sends it.
            promised: the checksum that it has, if its sender said so.
            also: done in the transaction of each piece that is counted.

        Raises:
            HeldForPerson: `upload/offset`: it stands elsewhere, or another writer was first.
            InputRejected: `upload/checksum`, `upload/too-long`: the piece is discarded.
            Unavailable: `upload/not-written`; what was counted before is kept.
            UsageError: `upload/unknown-upload`, `upload/gone`.
        """
        upload = self.head(upload_id, party=party)
        if upload.state is not UploadState.OPEN or upload.offset != offset:
            raise terms.elsewhere()
        while upload.state is UploadState.OPEN:
            room = self._room(upload) + 1  # one byte more shows that a body is too long
            limit = room if promised else min(room, self.cut)
            digest = ALGORITHMS[promised.algorithm]() if promised else None
            arriving = Arriving(source, limit, digest)
            upload = self._taken(upload, arriving, promised, also)
            if arriving.broken or arriving.ended:
                break
        return upload

    def complete(self, upload: Upload, *, also: Also = nothing_else) -> Upload:
        """Say that an upload of unknown length ends here; `also` is of the same transaction.

        Raises:
            HeldForPerson: `upload/offset`: it moved meanwhile.
        """
        with self.database.begin() as connection:
            now = find(connection, upload.id)
            if now.state is UploadState.OPEN and now.length == UNKNOWN_LENGTH:
                now = self._completed(connection, replace(now, length=now.offset))
                also(connection, now)
        if now.length != upload.offset:
            raise terms.elsewhere()
        return now

    def terminate(self, upload_id: str, *, party: str) -> None:
        """End an upload that is not whole yet, and remove what came of it.

        Raises:
            HeldForPerson: `upload/whole`: it is whole and being checked.
            UsageError: `upload/unknown-upload`, `upload/gone`.
        """
        self.head(upload_id, party=party)
        with self.database.begin() as connection:
            turned = records.turn(
                connection,
                upload_id,
                from_=frozenset({UploadState.OPEN}),
                state=UploadState.TERMINATED,
            )
        if not turned:
            raise terms.whole()
        self._remove([upload_id])

    def tidy(self) -> int:
        """Let overdue uploads expire and remove every piece that nobody needs; how many files."""
        with self.database.begin() as connection:
            records.expire(connection, self.now())
        return sweep_pieces(self.directory, self._needed)

    def _needed(self, upload_id: str, name: str) -> bool:
        with self.database.read() as connection:
            return records.needed(connection, upload_id, name)

    def _room(self, upload: Upload) -> int:
        end = self.limits.longest if upload.length == UNKNOWN_LENGTH else upload.length
        return end - upload.offset

    def _taken(
        self, upload: Upload, arriving: Arriving, promised: Promise | None, also: Also
    ) -> Upload:
        """Seal one piece and count it."""
        at = self.now()
        recipient = self.recipient(at.date())
        place = Place(upload=upload.id, start=upload.offset)
        try:
            piece = seal_piece(self.directory / upload.id, place, recipient.public, arriving)
        except Unavailable:
            self.head(upload.id, party=upload.party)  # its folder goes when it is ended
            raise
        try:
            require_as_promised(piece, arriving.digest(), promised)
            if piece.size > self._room(upload):
                raise terms.too_long(self.limits)
            if piece.size:
                return self._counted(upload, piece.segment(place, recipient.key_id), at, also)
            piece.drop()
        except BaseException:
            piece.drop()
            raise
        finally:
            piece.release()
        return upload

    def _counted(self, upload: Upload, segment: Segment, at: dt.datetime, also: Also) -> Upload:
        """One transaction: the piece, the offset, and with the last byte the check."""
        upload = replace(upload, expires=at + self.limits.life)
        with self.database.begin() as connection:
            if not records.move(connection, upload, segment):
                raise terms.elsewhere()
            upload = replace(upload, offset=segment.start + segment.size)
            if upload.offset == upload.length:
                upload = self._completed(connection, upload)
            also(connection, upload)
        return upload

    def _completed(self, connection: Any, upload: Upload) -> Upload:
        job = jobs.enqueue(
            connection,
            jobs.JobKind.CHECK,
            subject=upload.id,
            by=upload.by,
            request={"dataset": upload.dataset, "party": upload.party},
            at=self.now(),
        )
        whole = {"state": UploadState.COMPLETE, "job": job, "length": upload.length}
        records.turn(connection, upload.id, from_=frozenset({UploadState.OPEN}), **whole)
        return replace(upload, state=UploadState.COMPLETE, job=job)

    def _remove(self, gone: list[str]) -> None:
        for upload_id in gone:
            # A piece that is still being written goes with its writer, who finds the state moved.
            remove_pieces(self.directory / upload_id)


def of_settings(
    settings: Settings,
    database: Database,
    *,
    recipient: Callable[[dt.date], UploadRecipient],
    now: Callable[[], dt.datetime],
) -> Uploads:
    """The uploads of a data directory."""
    return Uploads(
        database=database,
        directory=directory_of(settings),
        recipient=recipient,
        now=now,
        limits=Limits.of(settings),
    )
