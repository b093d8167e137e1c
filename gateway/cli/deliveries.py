"""`gateway deliveries`: what is on its way to whom, tried again, carried, acknowledged.

Source: docs/how-to/deliver-packages.md; security point 15.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import (
    as_option,
    emit,
    exits,
    json_option,
    moment,
    open_settings,
    open_store,
    table,
)

readable = click.Path(path_type=Path, dir_okay=False, exists=True)
SHOWN = ("package", "recipient", "channel", "state", "attempts", "next_at", "last_code")


@click.group()
def deliveries() -> None:
    """Follow packages to their recipients.

    Example: gateway deliveries list
    """


@deliveries.command("list")
@click.option("--release", default="", help="Of this release only.")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, release: str, json_wanted: bool) -> None:
    """List the deliveries, newest first, with what keeps each from arriving.

    Example: gateway deliveries list --json
    """
    from gateway.adapters import deliveries as store
    from gateway.adapters.delivery_words import in_words

    opened = open_store(ctx)
    with opened.database.read() as connection:
        found = [document_of(each) for each in store.listed(connection, release=release)]
    headings = ("Package", "To", "By", "State", "Tries", "Next try", "Because")
    told = [{**each, "next_at": moment(each["next_at"])} for each in found]
    rows = [[str(each[name]) for name in SHOWN] for each in told]
    shown: list[object] = [table(headings, rows)] if rows else ["None yet."]
    shown += [in_words(code) for code in sorted({each["last_code"] for each in found} - {""})]
    emit({"deliveries": found}, json_wanted, shown)


@deliveries.command("retry")
@click.argument("package")
@click.option("--here", is_flag=True, help="Try in this command, instead of asking a worker.")
@as_option
@json_option
@click.pass_context
@exits
def retry(ctx: click.Context, package: str, here: bool, acting: str, json_wanted: bool) -> None:
    """Try again now; a package that was given up gets its whole time anew.

    Example: gateway deliveries retry rel-x.research --as rosa
    """
    from gateway.wiring import delivering, delivery_desk

    settings = open_settings(ctx)
    delivery = delivery_desk.retry(settings, package, acting=acting)
    if here:
        opened = open_store(ctx)
        opened.ring.unlock()
        delivering.attempt(settings, opened.ring, package)
        delivery = _now(opened, package)
    document = document_of(delivery)
    emit(document, json_wanted, _lines(document) if here else [_asked(document)])


@deliveries.command("carry")
@click.argument("package")
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for the sealed package.",
)
@as_option
@json_option
@click.pass_context
@exits
def carry(ctx: click.Context, package: str, to: Path, acting: str, json_wanted: bool) -> None:
    """Fetch a sealed package to carry it to the recipient's own portal.

    Example: gateway deliveries carry rel-x.research --to /media/stick --as rosa
    """
    from gateway.wiring import delivery_desk

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        found = delivery_desk.fetch(connection, package, operator=acting, at=opened.at)
        sealed = delivery_desk.staged(opened.settings, found)
    place = to / sealed.name
    shutil.copyfile(sealed, place)
    document = {**document_of(found), "file": str(place)}
    lines = [f"{place}: bring it to {found.target.get('address') or 'the recipient'}."]
    emit(document, json_wanted, lines)


@deliveries.command("carried")
@click.argument("package")
@click.option("--receipt", "number", required=True, help="The number that the portal gave.")
@as_option
@json_option
@click.pass_context
@exits
def carried(ctx: click.Context, package: str, number: str, acting: str, json_wanted: bool) -> None:
    """Write down the receipt number of a package that was carried to a portal.

    Example: gateway deliveries carried rel-x.research --receipt 2026-0815 --as rosa
    """
    from gateway.wiring import delivery_desk

    opened = open_store(ctx)
    found = delivery_desk.carried(opened.settings, package, number=number, acting=acting)
    document = document_of(found)
    emit(document, json_wanted, _lines(document))


@deliveries.command("receipt")
@click.argument("package")
@click.argument("file", type=readable)
@json_option
@click.pass_context
@exits
def receipt(ctx: click.Context, package: str, file: Path, json_wanted: bool) -> None:
    """Verify a recipient's signed receipt that came by another way, and write it down.

    Example: gateway deliveries receipt rel-x.research receipt.jws
    """
    from gateway.wiring import delivery_desk

    opened = open_store(ctx)
    jws = file.read_bytes()[:10_000].decode("ascii", "replace").strip()
    found = delivery_desk.acknowledged(opened.settings, package, jws=jws, sender=opened.ring.sender)
    document = document_of(found)
    emit(document, json_wanted, _lines(document))


@deliveries.command("trust")
@click.argument("recipient")
@click.argument("file", type=readable)
@as_option
@json_option
@click.pass_context
@exits
def trust(ctx: click.Context, recipient: str, file: Path, acting: str, json_wanted: bool) -> None:
    """Register the descriptor of a recipient's gateway, whose receipts then count.

    Example: gateway deliveries trust ons-research ons-trust.json --as ada
    """
    from gateway.adapters.descriptors import Use, register
    from gateway.sealing import fingerprint

    opened = open_store(ctx)
    content = file.read_bytes()
    found = register(
        *(opened.database, Use.RECEIPTS_OF, recipient),
        content=content,
        acting=acting,
        at=opened.at,
    )
    document = {"recipient": recipient, "sender": found.sender, "fingerprint": fingerprint(found)}
    lines = [f"{recipient}: receipts of {found.sender}, fingerprint {document['fingerprint']}."]
    emit(document, json_wanted, lines)


@deliveries.command("distrust")
@click.argument("recipient")
@as_option
@json_option
@click.pass_context
@exits
def distrust(ctx: click.Context, recipient: str, acting: str, json_wanted: bool) -> None:
    """Believe no more receipts or certificates of a recipient; those taken in stay.

    Example: gateway deliveries distrust ons-research --as ada
    """
    from gateway.adapters.descriptors import Use, forget

    opened = open_store(ctx)
    found = forget(opened.database, Use.RECEIPTS_OF, recipient, acting=acting, at=opened.at)
    senders = [each.sender for each in found]
    lines = [f"{recipient}: receipts of {', '.join(senders)} count no more."]
    emit({"recipient": recipient, "senders": senders}, json_wanted, lines)


def document_of(delivery: Any) -> dict[str, Any]:
    """One delivery, as `--json` prints it."""
    return {
        "package": delivery.package,
        "release": delivery.release,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at,
        "until": delivery.until,
        "last_code": delivery.last_code,
        "dispatched_at": delivery.dispatched_at,
        "acknowledged_at": delivery.acknowledged_at,
        "receipt_digest": delivery.receipt_digest,
    }


def _now(opened: Any, package: str) -> Any:
    from gateway.adapters import deliveries as store

    with opened.database.read() as connection:
        return store.find(connection, package)


def _asked(document: dict[str, Any]) -> str:
    """What a worker is asked to do; the fault of an earlier try would read as one of this."""
    package = document["package"]
    again = "its receipt is asked for now" if document["dispatched_at"] else "it is tried again now"
    return f"{package} to {document['recipient']}: {again}, by a worker."


def _lines(document: dict[str, Any]) -> Iterator[str]:
    from gateway.adapters.delivery_words import in_words

    yield f"{document['package']} to {document['recipient']}: {document['state']}"
    if document["last_code"]:
        yield in_words(document["last_code"])
