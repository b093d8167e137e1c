"""Every column that ever left under a clause, and every clause that ever let a column leave.

Read from the signed manifests of the packages: what left, not what may leave today.

Source: UK GDPR Art 5(1)(b), 5(2); requirement N1; docs/reference/policy.md, "Traceability".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters.release_store import PACKAGES, RELEASES
from gateway.policy import stands_under


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One column of one package of one release."""

    release: str
    created: str
    state: str
    agreement: str
    purpose: str
    output: str
    recipient: str
    column: str
    treat: str
    clause: str


def released(
    connection: sa.Connection,
    *,
    agreement: str = "",
    clause: str = "",
    column: str = "",
    packages: int | None = None,
) -> Iterator[Released]:
    """What left, newest release first.

    Args:
        connection: any.
        agreement: under this one alone.
        clause: by this clause alone, or a part of it.
        column: this column alone.
        packages: of so many of the newest packages; of every one where it is absent.
    """
    query = (
        sa.select(RELEASES, PACKAGES.c.output, PACKAGES.c.recipient, PACKAGES.c.manifest)
        .join(PACKAGES, PACKAGES.c.release == RELEASES.c.id)
        .order_by(RELEASES.c.sequence.desc(), PACKAGES.c.output)
        .limit(packages)
    )
    if agreement:
        query = query.where(RELEASES.c.agreement == agreement)
    for row in connection.execute(query):
        for told in json.loads(row.manifest)["columns"]:
            if stands_under(told["clause"], clause) and column in ("", told["name"]):
                yield _released(row, told)


def _released(row: Any, told: Any) -> Released:
    return Released(
        release=row.id,
        created=row.created,
        state=row.state,
        agreement=row.agreement,
        purpose=row.purpose,
        output=row.output,
        recipient=row.recipient,
        column=told["name"],
        treat=told["treatment"],
        clause=told["clause"],
    )
