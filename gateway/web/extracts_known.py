"""Extracts as the pages read them: one party's own, or every party's for the data team.

An extract of another party and one that does not exist are answered alike.

Source: security point 2; docs/explanation/service.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from gateway.adapters import receipts
from gateway.adapters.extract_store import Extracts
from gateway.adapters.failing_rows import rows_kept
from gateway.errors import UsageError
from gateway.model.extracts import ExtractRecord
from gateway.web import findings, states
from gateway.web.desk import desk


def store() -> Extracts:
    """The store for reading: nothing is sealed here, so there is no key to seal to."""
    here = desk()
    return Extracts(here.database, here.settings.data / "extracts", ("", ""), here.append)


def extract(extract_id: str, *, party: str | None) -> ExtractRecord:
    """One extract; with a party only its own.

    Raises:
        UsageError: there is none with this id that the caller may see.
    """
    if party is None:
        return store().get(extract_id)
    found = store().by_id(extract_id)
    if found is None or found.party != party:
        raise UsageError(
            "store/unknown-extract",
            "There is no extract with this id among those of your organisation.",
            remedy='The page "What you sent" lists yours; a program asks GET /api/v1/extracts.',
        )
    return found


def state_of(record: ExtractRecord) -> states.Shown:
    """An extract's state in words; an accepted one that was replaced is not used any more."""
    replaced = record.state == "accepted" and record.superseded_by
    return states.REPLACED if replaced else states.EXTRACTS[record.state]


def read_instead(record: ExtractRecord) -> str:
    """The extract that releases read in place of one that was replaced; nothing for none.

    It need not be the next one: that may have been replaced in its turn.
    """
    newest = store().latest(record.dataset, record.party) if record.superseded_by else None
    return newest.id if newest else ""


def has_rows(record: ExtractRecord) -> bool:
    """Whether the numbers of failing rows are kept."""
    return rows_kept(desk().settings.data / "extracts", record.id)


def has_receipt(record: ExtractRecord) -> bool:
    """Whether a signed receipt is kept: one is made for what came through the service."""
    query = sa.select(receipts.RECEIPTS.c.extract).where(receipts.RECEIPTS.c.extract == record.id)
    with desk().database.read() as connection:
        return connection.execute(query).first() is not None


def rows_text(record: ExtractRecord) -> Iterator[str]:
    """The failing rows as CSV text.

    Raises:
        UsageError: none are kept for this extract.
    """
    if not has_rows(record):
        raise UsageError(
            "store/no-row-list",
            "No list of failing rows is kept for this extract.",
            remedy="Read the extract's findings: there is no list where no row failed, or the "
            "file was rejected as a whole.",
        )
    return findings.rows_file(desk().settings.data / "extracts", record)
