"""What people do with notices: say where they are told, try it, and have failed ones sent again.

Whose address changed and by whom is an entry of the ledger; the address is not in it.

Source: security points 1, 20, 21; UK GDPR Art 5(1)(c).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable

import sqlalchemy as sa

from gateway.adapters import accounts, notice_addresses, notice_records, operators
from gateway.adapters.database import Database
from gateway.adapters.job_records import as_text
from gateway.adapters.keyring_ledger import record
from gateway.adapters.notice_records import WEBHOOK, NoticeRecord, NoticeState
from gateway.adapters.notice_sending import send_now
from gateway.adapters.settings import Settings
from gateway.errors import UsageError
from gateway.model.notices import Kind, Occasion
from gateway.model.permissions import Action, authorise


def set_address(
    connection: sa.Connection, person: str, address: str, *, acting: str, at: dt.datetime
) -> None:
    """Keep where a person is told; "" means nowhere. Another's is for administrators.

    Args:
        connection: one writing transaction.
        person: an operator's name or an account's login.
        address: theirs.
        acting: who says so.
        at: now.

    Raises:
        UsageError: there is no such person.
        RefusedError: it is another's, and who acts is no administrator.
        InputRejected: it is no address that notices can be sent to.
    """
    if acting != person:
        authorise(operators.find(connection, acting), Action.ACCOUNT_ADD)
    _known(connection, person)
    if notice_addresses.find(connection, person) == address.strip():
        return
    notice_addresses.put(connection, person, address, by=acting, at=at)
    record(connection, "notice-address-changed", {"account": person, "operator": acting}, at=at)


def try_out(
    settings: Settings, database: Database, person: str, *, acting: str, at: dt.datetime
) -> dict[str, str]:
    """Send a trial to a person and to the webhook now; the code of each channel, "" if sent.

    Args:
        settings: the channels.
        database: the gateway's.
        person: who is told; needed where e-mail is set up.
        acting: an administrator.
        at: now.

    Raises:
        UsageError: no channel is set up, or the person has no address.
    """
    with database.read() as connection:
        authorise(operators.find(connection, acting), Action.ACCOUNT_ADD)
        to = notice_addresses.find(connection, person) if person else ""
    _require_channel(settings)
    came = {}
    key = f"trial:{secrets.token_hex(8)}"
    if settings.notices.smtp_host:
        if not to:
            raise UsageError(
                "notices/no-address",
                "That person has no address for notices.",
                remedy="`gateway notices address NAME --as YOU` sets it.",
            )
        came["e-mail"] = send_now(settings, _trial(key, person, acting, at), to=to, at=at).code
    if settings.notices.webhook_url:
        notice = _trial(key, WEBHOOK, acting, at)
        came["webhook"] = send_now(settings, notice, to="", at=at).code
    return came


def retry(database: Database, *, acting: str, now: Callable[[], dt.datetime]) -> int:
    """Let the workers try again what has failed; how many notices."""
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.ACCOUNT_ADD)
        return notice_records.again(connection, at=now())


def _known(connection: sa.Connection, person: str) -> None:
    if accounts.find(connection, person) is None:
        operators.find(connection, person)


def _require_channel(settings: Settings) -> None:
    if not (settings.notices.smtp_host or settings.notices.webhook_url):
        raise UsageError(
            "notices/no-channel",
            "Neither a mail server nor a webhook is set up.",
            remedy="Set GATEWAY_SMTP_HOST or GATEWAY_WEBHOOK_URL; `gateway settings` lists both.",
        )


def _trial(key: str, person: str, acting: str, at: dt.datetime) -> NoticeRecord:
    return NoticeRecord(
        occasion=Occasion(id=key, kind=Kind.TRIAL, by=acting),
        at=as_text(at),
        person=person,
        state=NoticeState.WAITING,
        attempts=0,
        next_at="",
        last_code="",
        sent="",
    )
