"""Sending what waits: each notice claimed, tried, and settled or put off.

Whoever claims a notice and dies leaves it to be tried again: it may then arrive twice,
under the same id. A server that is away is asked once in each round, and each notice with
growing pauses for three days; after that it is shown as failed, and a person decides.

Source: docs/adr/0300-the-ledger-is-the-outbox.md; security point 23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email.utils import format_datetime
from typing import Final

from gateway.adapters import notice_addresses, notice_mail, notice_records, notice_webhook
from gateway.adapters.backup import HELD
from gateway.adapters.database import Database
from gateway.adapters.logs import facts_of, log
from gateway.adapters.notice_records import WEBHOOK, NoticeRecord, NoticeState
from gateway.adapters.notice_try import Try
from gateway.adapters.notice_words import document, letter, reference
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError

CLAIM: Final = dt.timedelta(minutes=5)
FIRST_PAUSE: Final = dt.timedelta(seconds=30)
LONGEST_PAUSE: Final = dt.timedelta(hours=6)
MOST_ATTEMPTS: Final = 22
UNFORESEEN: Final = "notices/unforeseen"


def send_due(settings: Settings, database: Database, *, now: Callable[[], dt.datetime]) -> int:
    """Try every notice that is due; how many were taken by the other side.

    Args:
        settings: the channels, and where the pages are.
        database: the gateway's.
        now: the clock.
    """
    if (settings.data / HELD).exists():
        # A restored directory knows things that are over; nothing leaves it yet.
        return 0
    channels = {
        webhook
        for webhook, there in (
            (True, settings.notices.webhook_url),
            (False, settings.notices.smtp_host),
        )
        if there
    }
    sent = 0
    while channels:
        with database.read() as connection:
            if not notice_records.is_due(connection, at=now()):
                break
        with database.begin() as connection:
            at = now()
            notice = notice_records.claim(connection, channels=channels, at=at, until=at + CLAIM)
        if notice is None:
            break
        came = _tried_or_not(settings, database, notice, now())
        _written(database, notice, came, now())
        sent += came.sent
        if not came.sent and not came.final and came.code != UNFORESEEN:
            channels.discard(notice.person == WEBHOOK)
    return sent


def send_now(settings: Settings, notice: NoticeRecord, *, to: str, at: dt.datetime) -> Try:
    """Try one notice, whatever is known of it."""
    if notice.person == WEBHOOK:
        body = document(settings, notice)
        return notice_webhook.post(settings.notices, body, reference=reference(notice), at=at)
    message = letter(settings, notice, to=to, date=format_datetime(at))
    return notice_mail.send(settings.notices, message, to=to)


def pause(attempts: int) -> dt.timedelta:
    """How long to wait after so many tries that failed."""
    return min(FIRST_PAUSE * (1 << min(attempts, 20)), LONGEST_PAUSE)


def _tried_or_not(
    settings: Settings, database: Database, notice: NoticeRecord, at: dt.datetime
) -> Try:
    """Try it; what nobody foresaw is a failed try like others, and so has an end."""
    if notice.attempts >= MOST_ATTEMPTS:
        # Whoever took it the last times never came back to say how it went.
        return Try(UNFORESEEN, final=True)
    try:
        return _tried(settings, database, notice, at)
    except GatewayError:
        raise
    except Exception as fault:  # noqa: BLE001 - told by its class: its text may quote a value
        log().error("unforeseen-fault", **facts_of(fault))
        return Try(UNFORESEEN)


def _tried(settings: Settings, database: Database, notice: NoticeRecord, at: dt.datetime) -> Try:
    with database.read() as connection:
        to = notice_addresses.find(connection, notice.person)
    if notice.person != WEBHOOK and not to:
        return Try("notices/no-address", final=True)
    return send_now(settings, notice, to=to, at=at)


def _written(database: Database, notice: NoticeRecord, came: Try, at: dt.datetime) -> None:
    with database.begin() as connection:
        if came.sent:
            notice_records.settle(connection, notice, state=NoticeState.SENT, at=at)
        elif came.code == "notices/no-address":
            notice_records.settle(connection, notice, state=NoticeState.NO_ADDRESS, at=at)
        elif came.final or notice.attempts + 1 >= MOST_ATTEMPTS:
            notice_records.failed(connection, notice, code=came.code)
        else:
            until = at + pause(notice.attempts)
            notice_records.postpone(connection, notice, code=came.code, until=until)
    state = "sent" if came.sent else "failed" if came.final else "waiting"
    say = log().info if came.sent else log().warning
    say("notice-tried", kind=notice.occasion.kind.value, state=state, code=came.code)
