"""What the routes that take files in share: the store, the sender's rights, the answer.

Source: docs/explanation/service.md, "An upload, exactly once"; requirements R12.
"""

from __future__ import annotations

from gateway.adapters.keyring import open_ring
from gateway.adapters.uploads import Upload, Uploads, of_settings
from gateway.errors import RefusedError, UsageError
from gateway.web.api.shapes import UploadTold
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.documents import inputs


def uploads() -> Uploads:
    """The uploads of this data directory, sealed to this month's public key."""
    here = desk()
    ring = open_ring(here.settings)
    return of_settings(here.settings, here.database, recipient=ring.upload_recipient, now=here.now)


def require_sender(caller: Caller, dataset: str) -> None:
    """Refuse a dataset that the caller's party has not agreed to send; none is told apart.

    Raises:
        RefusedError: `intake/not-a-sender`.
    """
    contracts = inputs().bundle.contracts
    if dataset in contracts and caller.party in contracts[dataset].parties:
        return
    mine = sorted(name for name, each in contracts.items() if caller.party in each.parties)
    raise RefusedError(
        "intake/not-a-sender",
        "Your party is not agreed as a sender of that dataset.",
        remedy=f"Your datasets: {', '.join(mine) or 'none'}.",
    )


def told_of(upload: Upload) -> UploadTold:
    """The document about an upload."""
    return UploadTold(
        upload=upload.id,
        dataset=upload.dataset,
        length=upload.length if upload.length >= 0 else None,
        offset=upload.offset,
        state=upload.state,
        job=upload.job,
        extract=upload.extract,
        code=upload.code,
    )


def broken() -> UsageError:
    """The answer to a body that ended too soon; few will read it."""
    return UsageError(
        "upload/broken",
        "The body ended before its end.",
        remedy="Send the file again, or use the resumable protocol at /api/v1/uploads.",
    )
