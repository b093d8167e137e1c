"""From what happened to who is told of it: the ledger, the jobs and the calendar are read.

Every act of governance is an entry of the ledger, written in the transaction of the act.
So the ledger is read on from where it was read to, and nothing that was committed is
missed, whoever died in between; no act waits for a notice or can fail because of one.

Source: docs/adr/0300-the-ledger-is-the-outbox.md; security point 20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from gateway import ledger
from gateway.adapters import (
    accounts,
    duties,
    ledger_store,
    notice_addresses,
    notice_records,
    operators,
    policy_waiting,
)
from gateway.adapters.database import Database
from gateway.adapters.duties import Duty, DutyState
from gateway.adapters.job_records import JOBS, JobKind, JobState, as_text
from gateway.adapters.notice_events import told_of
from gateway.adapters.notice_records import WEBHOOK
from gateway.adapters.policy_reading import decision_inputs
from gateway.adapters.settings_notices import NoticeSettings
from gateway.model.notices import Kind, Occasion, concerned
from gateway.policy.reminding import Day, Reminder, Step, reminders

# What is older when it is first looked at is no news: the workers were away for long.
NEWS: Final = dt.timedelta(days=7)
# A start without a passphrase for a moment is none that anybody has to mend.
WITHOUT_KEYS: Final = dt.timedelta(minutes=10)
MOST: Final = 500

_NEAR: Final = {
    Step.THREE_MONTHS: "within three months",
    Step.ONE_MONTH: "within a month",
    Step.ONE_WEEK: "within a week",
    Step.DAY: "due",
    Step.STOPPED: "overdue, nothing leaves",
}
_CERTIFICATES: Final = {DutyState.DUE: "due within a month", DutyState.OVERDUE: "overdue"}
_EFFECTS: Final = {
    (Day.REVIEW, Step.DAY): "Three months after this day, nothing leaves under it any more.",
    (Day.REVIEW, Step.STOPPED): "Nobody has reviewed it, so nothing leaves under it any more.",
    (Day.END, Step.DAY): "Its last day is over, so nothing leaves under it any more.",
}
_ELSE: Final = {
    Day.REVIEW: "An editor proposes it anew with the next day of review.",
    Day.END: "From the day after it, nothing leaves under it; there is no grace.",
}


def anything(database: Database, *, at: dt.datetime) -> bool:
    """Whether the ledger has grown, or a job has failed or is held, since the last look."""
    with database.read() as connection:
        return (
            ledger_store.size(connection) > notice_records.position(connection)
            or bool(list(_failed(connection, at)))
            or bool(list(_without_keys(connection, at)))
        )


def gather(database: Database, settings: NoticeSettings, *, at: dt.datetime) -> None:
    """Write a notice for everybody concerned by what happened since the last look.

    Args:
        database: the gateway's.
        settings: which channels there are; without any, what happened is passed over.
        at: now.
    """
    with database.begin() as connection:
        found = [
            *_of_ledger(connection, at),
            *_failed(connection, at),
            *_without_keys(connection, at),
        ]
        _write(connection, settings, found, at)


def remind(database: Database, settings: NoticeSettings, *, at: dt.datetime) -> None:
    """Write the reminders of reviews, ends and duties that are due and were not told yet.

    Nobody is reminded of a day before which the agreement's next version begins.
    """
    with database.read() as connection:
        read = decision_inputs(connection)
        owed = duties.listed(connection, still_open=True, limit=MOST)
        following = policy_waiting.succeeding(connection)
    standing = {agreement for agreement, _ in read.approved}
    found = [
        _reminded(each, agreement.title, tuple(agreement.controllers))
        for agreement in read.bundle.agreements.values()
        if agreement.id in standing
        for each in reminders(agreement, at.date())
        if not policy_waiting.succeeded_by(following.get(agreement.id), each.on)
    ]
    found += _owed(owed, at.date())
    with database.begin() as connection:
        _write(connection, settings, found, at)


def _owed(open_ones: list[Duty], today: dt.date) -> Iterator[Occasion]:
    """Certificates of destruction that are due within a month, or overdue: each once."""
    for duty in open_ones:
        step = _CERTIFICATES.get(duty.state(today))
        if step:
            facts = {"release": duty.release, "date": duty.destroy_by, "step": step}
            yield Occasion(id=f"duty:{duty.package}:{step[:4]}", kind=Kind.DUTY, facts=facts)


def _write(
    connection: sa.Connection, settings: NoticeSettings, found: list[Occasion], at: dt.datetime
) -> None:
    if not (settings.smtp_host or settings.webhook_url):
        return
    there = notice_records.known(connection, [each.id for each in found])
    fresh = [each for each in found if each.id not in there]
    people = operators.listed(connection) if fresh else ()
    for occasion in fresh:
        names = {*concerned(occasion, people), *_asker(connection, occasion)}
        reached = notice_addresses.having(connection, names) if settings.smtp_host else frozenset()
        hook = {WEBHOOK} if settings.webhook_url else set()
        lost = names - reached if settings.smtp_host else set()
        notice_records.write(
            connection, occasion, told=sorted(reached | hook), unreachable=sorted(lost), at=at
        )


def _asker(connection: sa.Connection, occasion: Occasion) -> set[str]:
    """Who asked for a job that failed, where that is a person and not a program."""
    if occasion.kind not in (Kind.JOB_FAILED, Kind.UPLOAD_FAILED) or not occasion.by:
        return set()
    query = sa.select(operators.OPERATORS.c.name).where(operators.OPERATORS.c.name == occasion.by)
    person = connection.scalar(query) or accounts.find(connection, occasion.by)
    return {occasion.by} if person else set()


def _of_ledger(connection: sa.Connection, at: dt.datetime) -> list[Occasion]:
    """What the entries say that were not looked at yet; how far is noted."""
    begun, there = notice_records.position(connection), ledger_store.size(connection)
    if there == begun:
        return []
    index, events = ledger_store.LEAVES.c["index"], ledger_store.LEAVES.c.event
    query = sa.select(index.label("place"), ledger_store.LEAVES.c.entry).order_by(index)
    query = query.where(index >= begun, events.in_(sorted(told_of())))
    notice_records.move(connection, there)
    found: list[Occasion] = []
    for place, encoded in connection.execute(query).all():
        entry = ledger.decode_entry(bytes(encoded))
        if at - entry.at <= NEWS:
            found += told_of()[entry.event](connection, f"entry-{place}", entry)
    return found


def _failed(connection: sa.Connection, at: dt.datetime) -> Iterator[Occasion]:
    """Jobs that were given up and that nobody was told of; deliveries tell of themselves."""
    told = sa.select(notice_records.OCCASIONS.c.id)
    query = (
        sa.select(JOBS)
        .where(JOBS.c.state == JobState.FAILED, JOBS.c.kind != JobKind.DELIVER)
        .where(JOBS.c.finished > as_text(at - NEWS), JOBS.c.id.not_in(told))
        .limit(MOST)
    )
    for row in connection.execute(query):
        mine = row.kind == JobKind.CHECK
        facts = {"job": row.id, "what": row.kind, "code": row.code}
        yield Occasion(id=row.id, kind=Kind.JOB_FAILED, by="" if mine else row.by, facts=facts)
        if mine:
            yield Occasion(id=f"{row.id}:sent", kind=Kind.UPLOAD_FAILED, by=row.by, facts=facts)


def _without_keys(connection: sa.Connection, at: dt.datetime) -> Iterator[Occasion]:
    """That jobs have waited for a passphrase: once a day."""
    query = sa.select(JOBS.c.id).where(
        JOBS.c.state == JobState.HELD,
        JOBS.c.code == "job/no-keys",
        JOBS.c.created < as_text(at - WITHOUT_KEYS),
    )
    today = f"no-keys:{at.date()}"
    if connection.execute(query.limit(1)).first() and not notice_records.known(connection, [today]):
        yield Occasion(id=today, kind=Kind.NO_KEYS)


def _reminded(reminder: Reminder, title: str, controllers: tuple[str, ...]) -> Occasion:
    key = (reminder.day, reminder.step)
    return Occasion(
        id=f"{reminder.day}:{reminder.agreement}:{reminder.on}:{reminder.step}",
        kind=Kind.REVIEW if reminder.day is Day.REVIEW else Kind.END,
        facts={
            "agreement": reminder.agreement,
            "title": title,
            "date": reminder.on.isoformat(),
            "step": "over" if key == (Day.END, Step.DAY) else _NEAR[reminder.step],
            "effect": _EFFECTS.get(key, _ELSE[reminder.day]),
        },
        controllers=controllers,
    )
