"""`gateway notices`: who is told what waits for them, and whether they were.

Source: docs/how-to/tell-people.md.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_store, say, table

STATES = ("waiting", "sent", "failed", "no-address")
NOT_AVAILABLE = 7


@click.group()
def notices() -> None:
    """What people are told by e-mail or webhook: proposals, reviews, held releases, faults.

    The workers of `gateway serve` send them; GATEWAY_SMTP_HOST and GATEWAY_WEBHOOK_URL
    say where to.

    Example: gateway notices list --state failed
    """


@notices.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only notices of this state.")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, state: str | None, json_wanted: bool) -> None:
    """List the newest notices: who was told what, and what keeps the others.

    Example: gateway notices list --state waiting --json
    """
    from gateway.adapters import notice_records
    from gateway.adapters.notice_records import NoticeState

    with open_store(ctx).database.read() as connection:
        found = notice_records.listed(connection, state=NoticeState(state) if state else None)
        counts = notice_records.tally(connection)
    rows = [_row(notice) for notice in found]
    names = ("at", "to", "about", "state", "attempts", "last_code")
    shown = table(
        ("Since", "To", "About", "State", "Tries", "Last fault"),
        ([str(row[name]) for name in names] for row in rows),
    )
    document = {"notices": rows, "counts": {each: counts.get(each, 0) for each in STATES}}
    emit(document, json_wanted, [shown] if rows else ["No notice."])


@notices.command("address")
@click.argument("name")
@click.option("--remove", is_flag=True, help="This person is told nothing any more.")
@as_option
@json_option
@click.pass_context
@exits
def address(ctx: click.Context, name: str, remove: bool, acting: str, json_wanted: bool) -> None:
    """Say where an operator or account is told; the address is asked for, or read from a pipe.

    Example: gateway notices address april --as ada
    """
    from gateway.adapters.notice_desk import set_address

    opened = open_store(ctx)
    given = "" if remove else _asked(name)
    with opened.database.begin() as connection:
        set_address(connection, name, given, acting=acting, at=opened.at)
    told = "is told nothing" if remove else "is told at the new address"
    emit({"person": name, "address": not remove}, json_wanted, [f"{name} {told}."])


@notices.command("test")
@click.option("--to", default="", metavar="NAME", help="Who gets the trial e-mail.")
@as_option
@json_option
@click.pass_context
@exits
def test(ctx: click.Context, to: str, acting: str, json_wanted: bool) -> None:
    """Send a trial now, to one person and to the webhook. Exit 7 if one was not taken.

    Example: gateway notices test --to april --as ada
    """
    from gateway.adapters.notice_desk import try_out

    opened = open_store(ctx)
    came = try_out(opened.settings, opened.database, to, acting=acting, at=opened.at)
    lines = [f"{each}: {code or 'sent'}" for each, code in came.items()]
    emit({"tried": came}, json_wanted, lines)
    if any(came.values()):
        say("Not every channel has taken the trial.")
        sys.exit(NOT_AVAILABLE)


@notices.command("retry")
@as_option
@json_option
@click.pass_context
@exits
def retry(ctx: click.Context, acting: str, json_wanted: bool) -> None:
    """Let the workers send again what has failed.

    Example: gateway notices retry --as ada
    """
    from gateway.adapters import notice_desk

    opened = open_store(ctx)
    count = notice_desk.retry(opened.database, acting=acting, now=lambda: opened.at)
    emit({"retried": count}, json_wanted, [f"{count} notices are tried again."])


def _asked(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Address of {name}", err=True))
    return sys.stdin.readline()


def _row(notice: Any) -> dict[str, str | int]:
    return {
        "at": notice.at[:16],
        "to": notice.person or "webhook",
        "kind": notice.occasion.kind.value,
        "about": notice.occasion.subject,
        "state": notice.state.value,
        "attempts": notice.attempts,
        "last_code": notice.last_code,
        "sent": notice.sent,
    }
