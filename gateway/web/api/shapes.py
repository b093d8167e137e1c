"""The documents of the API: what goes in and what comes out, member by member.

No document holds a value of a partner's file: rows are numbers, columns and rules
are names of the contract.

Source: docs/reference/api.md; style rule 11.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from gateway.web.api.operations import Strict

Dataset = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$"),
    Field(description="A dataset that your party has agreed to send."),
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,119}$")]


class DatasetQuery(Strict):
    """Which dataset a file is."""

    dataset: Dataset


class UploadTold(Strict):
    """How far an upload is."""

    upload: str = Field(description="Its id.")
    dataset: str
    length: int | None = Field(description="In bytes; null while it is not known.")
    offset: int = Field(description="Bytes that arrived and are kept.")
    state: str = Field(description="open, complete, checking, done or failed.")
    job: str = Field(description="The job that checks it; empty before its last byte.")
    extract: str = Field(description="What it became; empty before it was checked.")
    code: str = Field(description="Why its check gave up; empty otherwise.")


class Accepted(Strict):
    """A file that arrived whole and is going to be checked."""

    upload: str
    job: str


class JobAccepted(Strict):
    """A job that was asked for."""

    job: str


class JobTold(Strict):
    """How far a job is, and what came of it: ids, codes and counts."""

    job: str
    kind: str = Field(description="check, share, rehearse, deliver or purge.")
    state: str = Field(description="queued, running, done, failed or held.")
    step: str
    done: int
    total: int
    code: str = Field(description="Why it failed or waits; empty otherwise.")
    created: str
    started: str
    finished: str
    outcome: dict[str, Any]


class FindingTold(Strict):
    """What is wrong, where, and what to do; never a value."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    code: str
    column: str
    rule: str
    rows: int = Field(description="How many rows.")
    first_rows: list[int] = Field(description="The first of them, from 1 after the header.")
    sentence: str
    remedy: str


class ExtractTold(Strict):
    """The receipt of an extract with its findings."""

    extract: str
    dataset: str
    party: str
    state: str = Field(description="accepted, quarantined or rejected.")
    rows: int
    accepted: int
    quarantined: int
    dropped_columns: list[str]
    findings: list[FindingTold]
    received: dt.datetime
    content_digest: str = Field(description="SHA-256 of the file, hex.")
    supersedes: str
    superseded_by: str


class ExtractLine(Strict):
    """One extract in a list."""

    extract: str
    dataset: str
    party: str
    state: str
    rows: int
    accepted: int
    quarantined: int
    received: dt.datetime
    superseded_by: str = Field(
        description="The extract that has taken its place; or empty. To have these bytes read "
        "again, ask the council's data team to take them in anew, or send a corrected file."
    )


class ExtractList(Strict):
    """Extracts, newest first."""

    extracts: list[ExtractLine]


class Page(Strict):
    """Which part of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")


class ReleaseAsked(Strict):
    """A release that an officer asks for, or its rehearsal."""

    purpose: Name
    agreement: Name
    dry_run: bool = Field(default=False, description="Say what would leave; change nothing.")
    on: dt.date | None = Field(default=None, description="Decide as of this day; rehearsals only.")


class PackageTold(Strict):
    """One package of a release."""

    package: str
    output: str
    recipient: str
    rows: int | str
    forwarded: bool


class ReleaseTold(Strict):
    """What left, or why nothing did; counts are rounded to 10, exact where the reader may."""

    release: str
    state: str
    purpose: str
    agreement: str
    policy_digest: str
    created: dt.datetime
    received: int | str | None
    forwarded: int | str | None
    withheld: dict[str, int | str]
    refusal: list[dict[str, str]]
    packages: list[PackageTold]


class ReleaseList(Strict):
    """Releases, newest first."""

    releases: list[ReleaseTold]


class ArrivedTold(Strict):
    """A package in our inbox, and our signed receipt for it once a worker has signed."""

    package: str
    sender: str
    digest: str = Field(description="SHA-256 of the whole package, lower-case hex.")
    state: str = Field(description="arrived, acknowledged, opened or destroyed.")
    arrived: dt.datetime
    receipt: str = Field(description="A compact JWS; empty until it is signed.")
    certificate: str = Field(
        description="A compact JWS: every copy is destroyed; empty until that is certified."
    )


class DeliveryTold(Strict):
    """How the delivery of one package to you stands."""

    package: str
    recipient: str
    channel: str = Field(description="folder, sftp, https or portal.")
    state: str = Field(description="waiting, dispatched, acknowledged, not-delivered or carried.")
    dispatched: str = Field(description="When it left; empty before.")
    acknowledged: str = Field(description="When your receipt came; empty before.")
    receipt_digest: str = Field(description="SHA-256 of your receipt; empty before.")


class DeliveryList(Strict):
    """Deliveries to you, newest first."""

    deliveries: list[DeliveryTold]


class ReceiptSent(Strict):
    """Your signed receipt, as `gateway inbox acknowledge` writes it."""

    receipt: Annotated[
        str,
        StringConstraints(
            pattern=r"^[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,200}$"
        ),
        Field(description="A compact JWS."),
    ]


class CertificateSent(Strict):
    """Your signed certificate of destruction, as `gateway certify` writes it."""

    certificate: Annotated[
        str,
        StringConstraints(
            pattern=r"^[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,200}$"
        ),
        Field(description="A compact JWS."),
    ]


class DutyTold(Strict):
    """What you owe for one package, and whether you have certified it."""

    package: str
    recipient: str
    destroy_by: str = Field(description="The last day of every copy; empty where none is known.")
    state: str = Field(description="not-begun, running, due, overdue, certified or done.")
    unreadable_after: str = Field(description="As you certified; empty before.")
    certificate_digest: str = Field(description="SHA-256 of your certificate; empty before.")


class Problem(Strict):
    """What went wrong, with a stable code and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="See docs/reference/errors.md.")
    remedy: str
