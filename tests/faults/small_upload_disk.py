"""Append to an upload on a disk of its own that fills up, is full, and has room again.

    unshare --map-root-user --mount python -m tests.faults.small_upload_disk ROOM

What happened goes to standard output as JSON.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from pathlib import Path

from gateway.adapters import schema, upload_records, upload_sealing
from gateway.adapters.database import Database
from gateway.adapters.keyring import UploadRecipient
from gateway.adapters.upload_opening import opened_pieces
from gateway.adapters.uploads import Limits, Uploads
from gateway.errors import GatewayError
from tests.faults.small_disk import MIB, fill, mount

PARTY = "greater-manchester-police"
CONTENT = os.urandom(3 * MIB)


def main(room: str) -> None:
    """Run the scenario."""
    home = Path(room)
    database = Database(f"sqlite:///{home / 'gateway.sqlite'}")
    schema.migrate(database)
    disk = home / "uploads"
    disk.mkdir()
    mount(disk, 8 * MIB)
    secret = upload_sealing.draw()
    public = upload_sealing.public_of(secret)
    store = Uploads(
        database=database,
        directory=disk,
        recipient=lambda day: UploadRecipient(key_id="k", public=public),
        now=lambda: dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        limits=Limits(longest=16 * MIB, open_each=3, life=dt.timedelta(hours=1)),
        cut=MIB,
    )
    upload = store.create(dataset="d", party=PARTY, by="b", length=len(CONTENT)).id
    filler = fill(disk, int(1.5 * MIB))
    told: dict[str, object] = {}
    try:
        store.append(upload, 0, io.BytesIO(CONTENT), party=PARTY)
    except GatewayError as fault:
        told["full"] = fault.code
    told["kept"] = store.head(upload, party=PARTY).offset
    told["files"] = [path.suffix for path in disk.rglob("*") if path.is_file() and path != filler]
    filler.unlink()
    kept = int(str(told["kept"]))
    whole = store.append(upload, kept, io.BytesIO(CONTENT[kept:]), party=PARTY)
    told["state"] = whole.state
    with database.read() as connection:
        segments = upload_records.segments_of(connection, upload)
    with opened_pieces(disk / upload, segments, lambda _key: secret) as source:
        told["same"] = source.read() == CONTENT
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
