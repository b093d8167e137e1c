"""Proof for an auditor: what came of a change is what its preview said, row for row.

Three things are opened: the sealed preview, whose digest stood in the ledger before
anybody approved, and the memories of the last release without the change and of the first with
it. The answer is yes or no for each purpose; no mark is shown.

Source: docs/explanation/disclosure.md, "Preview"; security points 5, 20.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import ledger_search, operators
from gateway.adapters.preview_memory import PREVIEWS, read_preview
from gateway.adapters.release_memory import MEMORIES, Remembered, read_memory
from gateway.errors import IntegrityError, UsageError
from gateway.model.permissions import Action, authorise


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewProof:
    """Whether two releases differ as a preview said."""

    preview: str
    purpose: str
    before: str
    after: str
    holds: bool


def proved(
    connection: sa.Connection,
    data: Path,
    preview: str,
    *,
    releases: tuple[str, str],
    secret: bytes,
    auditor: str,
) -> PreviewProof:
    """Compare a sealed preview with two releases.

    Args:
        connection: of the database.
        data: the data directory.
        preview: its id.
        releases: the last without the change and the first with it.
        secret: the subject index's key.
        auditor: who asks; must be one who may read exact records.

    Raises:
        RefusedError: they may not.
        UsageError: one of them is not there, or the preview is of another purpose.
        IntegrityError: the sealed preview is not the one that the ledger names.
    """
    authorise(operators.find(connection, auditor), Action.RELEASE_RECORD_READ)
    sealed = _kept(data / PREVIEWS, f"{preview}.pre")
    _require_recorded(connection, preview, sealed)
    before, after = (_remembered(data, release, secret) for release in releases)
    for found in read_preview(sealed, secret):
        if found.purpose == before.purpose == after.purpose:
            return PreviewProof(
                preview=preview,
                purpose=found.purpose,
                before=before.release,
                after=after.release,
                holds=found.equals(before, after),
            )
    raise UsageError(
        "policy/preview-other-purpose",
        "The preview did not compare the purpose of these two releases.",
        remedy="Name two releases of one purpose that the draft changed.",
    )


def _remembered(data: Path, release: str, secret: bytes) -> Remembered:
    return read_memory(_kept(data / MEMORIES, f"{release}.mem"), release, secret)


def _kept(folder: Path, name: str) -> Path:
    path = next((each for each in folder.glob("*") if each.name == name), None)
    if path is None:
        raise UsageError(
            "policy/preview-not-kept",
            "What that preview or release looked like exactly is not kept, or not any more.",
            remedy="It ends with the retention of the release; `gateway releases` lists them.",
        )
    return path


def _require_recorded(connection: sa.Connection, preview: str, sealed: Path) -> None:
    digest = hashlib.sha256(sealed.read_bytes()).hexdigest()
    facts = {"preview": preview, "sealed_digest": digest}
    if not any(ledger_search.naming(connection, {"policy-previewed"}, **facts)):
        raise IntegrityError(
            "policy/preview-not-recorded",
            "The ledger does not name this preview with this content.",
            remedy="Restore previews/ from the backup; otherwise it proves nothing.",
        )
