"""`gateway duties`: what recipients owe; their certificates, taken; releases, closed.

Source: docs/how-to/deliver-packages.md; R60; security points 8 and 15.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_store, table

SHOWN = ("package", "recipient", "destroy_by", "state", "unreadable_after")


@click.group()
def duties() -> None:
    """Follow what recipients owe until each release is closed.

    Example: gateway duties list
    """


@duties.command("list")
@click.option("--overdue", is_flag=True, help="Those whose day has passed without a certificate.")
@click.option("--release", default="", help="Of this release only.")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, overdue: bool, release: str, json_wanted: bool) -> None:
    """List the duties on packages, the earliest day first.

    Example: gateway duties list --overdue
    """
    from gateway.adapters import duties as store

    opened = open_store(ctx)
    today = opened.at.date()
    with opened.database.read() as connection:
        found = store.listed(connection, release=release, limit=10_000)
    told = [document_of(each, opened.at) for each in found]
    told = [each for each in told if not overdue or each["state"] == "overdue"]
    headings = ("Package", "Recipient", "Destroy by", "State", "Unreadable after")
    rows = [[str(each[name]) for name in SHOWN] for each in told]
    shown: list[object] = [table(headings, rows)] if rows else ["None."]
    late = sum(each["state"] == "overdue" for each in told)
    if late:
        shown.append(f"{late} overdue on {today}: ask each recipient for its certificate.")
    emit({"duties": told}, json_wanted, shown)


@duties.command("certificate")
@click.argument("package")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
@click.pass_context
@exits
def certificate(ctx: click.Context, package: str, file: Path, json_wanted: bool) -> None:
    """Verify a recipient's certificate of destruction, and write it down.

    Example: gateway duties certificate rel-x.research rel-x.certificate
    """
    from gateway.wiring import certificates

    opened = open_store(ctx)
    jws = file.read_bytes()[:10_000].decode("ascii", "replace").strip()
    found = certificates.certified(opened.settings, package, jws=jws, sender=opened.ring.sender)
    told = document_of(found, opened.at)
    emit(told, json_wanted, [f"{package}: unreadable after {found.unreadable_after}."])


@duties.command("ask")
@json_option
@click.pass_context
@exits
def ask(ctx: click.Context, json_wanted: bool) -> None:
    """Ask the recipients' gateways for certificates, and close the releases that are done.

    The service does it each day; this does it now.

    Example: gateway duties ask
    """
    from gateway.adapters.delivery_words import in_words
    from gateway.cli.common import say
    from gateway.wiring import duties as wiring

    opened = open_store(ctx)
    opened.ring.unlock()
    told = wiring.look_after(opened.settings, opened.ring, progress=lambda step, *_: say(step))
    line = (
        f"{told['came']} certificates came, {told['closed']} releases closed; "
        f"{told['open']} duties open, {told['overdue']} of them overdue."
    )
    missing = [f"{count} not known: {in_words(code)}" for code, count in told["unanswered"].items()]
    emit(dict(told), json_wanted, [line, *missing])


def document_of(duty: Any, at: Any) -> dict[str, Any]:
    """One duty, as `--json` prints it."""
    names = ("package", "release", "recipient", "destroy_by", "destroyed", "unreadable_after")
    return {
        **{name: getattr(duty, name) for name in names},
        "state": duty.state(at.date()).value,
        "certified": duty.certified,
        "certificate_digest": duty.certificate_digest,
        "late": duty.late,
    }
