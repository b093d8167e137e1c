"""`gateway inbox`: the recipient's side; packages that arrived, were opened, were destroyed.

Source: docs/how-to/deliver-packages.md; security points 8 and 15.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from gateway.cli.certify import day_options, said
from gateway.cli.common import as_option, emit, exits, json_option, moment, open_store, table
from gateway.model.counting import counted

readable = click.Path(path_type=Path, dir_okay=False, exists=True)
folder = click.Path(path_type=Path, file_okay=False)


@click.group()
def inbox() -> None:
    """Take in, open, acknowledge and at last destroy the packages of other gateways.

    Example: gateway inbox list
    """


@inbox.command("trust")
@click.argument("party")
@click.argument("file", type=readable)
@as_option
@json_option
@click.pass_context
@exits
def trust(ctx: click.Context, party: str, file: Path, acting: str, json_wanted: bool) -> None:
    """Register the descriptor of a party's gateway, whose packages may then come.

    Example: gateway inbox trust trafford-council trust.json --as ada
    """
    from gateway.adapters.descriptors import Use, register
    from gateway.sealing import fingerprint

    opened = open_store(ctx)
    found = register(
        *(opened.database, Use.PACKAGES_OF, party),
        content=file.read_bytes(),
        acting=acting,
        at=opened.at,
    )
    document = {"party": party, "sender": found.sender, "fingerprint": fingerprint(found)}
    lines = [f"{party}: packages of {found.sender}, fingerprint {document['fingerprint']}."]
    emit(document, json_wanted, lines)


@inbox.command("distrust")
@click.argument("party")
@as_option
@json_option
@click.pass_context
@exits
def distrust(ctx: click.Context, party: str, acting: str, json_wanted: bool) -> None:
    """Take no more packages from a party's gateways; what came before stays, sealed.

    Example: gateway inbox distrust trafford-council --as ada
    """
    from gateway.adapters.descriptors import Use, forget

    opened = open_store(ctx)
    found = forget(opened.database, Use.PACKAGES_OF, party, acting=acting, at=opened.at)
    senders = [each.sender for each in found]
    lines = [f"{party}: packages of {', '.join(senders)} are refused from now on."]
    emit({"party": party, "senders": senders}, json_wanted, lines)


@inbox.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List what arrived, newest first.

    Example: gateway inbox list --json
    """
    from gateway.adapters import inbox as store

    opened = open_store(ctx)
    with opened.database.read() as connection:
        found = [document_of(each) for each in store.listed(connection)]
    names = ("package", "party", "state", "arrived", "recipient_key")
    told = [{**each, "arrived": moment(each["arrived"])} for each in found]
    rows = [[str(each[name]) for name in names] for each in told]
    headings = ("Package", "From", "State", "Arrived", "Sealed to")
    shown: list[object] = [table(headings, rows)] if rows else ["Nothing arrived yet."]
    emit({"packages": found}, json_wanted, shown)


@inbox.command("accept")
@click.argument("place", metavar="FILE-OR-FOLDER", type=click.Path(path_type=Path, exists=True))
@click.option("--from", "party", required=True, help="The party that sent it.")
@click.option("--as", "acting", metavar="NAME", default="", help="Who took it in.")
@json_option
@click.pass_context
@exits
def accept(ctx: click.Context, place: Path, party: str, acting: str, json_wanted: bool) -> None:
    """Take in a package, or every package of a folder, that came by another way.

    Example: gateway inbox accept /srv/sftp/trafford --from trafford-council
    """
    opened = open_store(ctx)
    files = sorted(place.glob("*.gwp")) if place.is_dir() else [place]
    found = []
    for each in files:
        with each.open("rb") as file:
            arrived, new = _inbox(opened).take(file, party=party, by=acting)
        found.append({**document_of(arrived), "new": new})
    lines = [f"{each['package']}: {'taken in' if each['new'] else 'known'}" for each in found]
    emit({"packages": found}, json_wanted, lines or ["There is no package."])


@inbox.command("open")
@click.argument("package")
@click.option("--key", "key_file", required=True, type=readable, help="Your secret key's file.")
@click.option("--to", required=True, type=folder, help="Folder for the files.")
@json_option
@click.pass_context
@exits
def open_one(ctx: click.Context, package: str, key_file: Path, to: Path, json_wanted: bool) -> None:
    """Verify all of a package with your key, unseal it, and sign that you did.

    Example: gateway inbox open rel-x.research --key recipient.key --to study
    """
    from gateway.adapters import inbox_certificates, packages
    from gateway.adapters.inbox import InboxState
    from gateway.adapters.recipient_keys import Recipient, read_key

    opened = open_store(ctx)
    found = _one(opened, package)
    if found.state is InboxState.DESTROYED:
        raise inbox_certificates.destroyed()
    sender = _sender_of(opened, found)
    recipient = Recipient(
        key=read_key(key_file), trust=sender, state=opened.settings.data / "inbox"
    )
    result = packages.open_package(_inbox(opened).place(found), recipient=recipient, to=to)
    receipt = _acknowledged(opened, found, whole=True)
    document = {
        "package": found.package,
        "rows": result.contents.rows,
        "columns": list(result.contents.columns),
        "files": [str(path) for path in result.files],
        "receipt": receipt,
    }
    emit(
        document, json_wanted, [f"{found.package}: {counted(result.contents.rows, 'row')} in {to}."]
    )


@inbox.command("acknowledge")
@click.argument("package")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File for the receipt.")
@json_option
@click.pass_context
@exits
def acknowledge(ctx: click.Context, package: str, to: Path | None, json_wanted: bool) -> None:
    """Sign the receipt of a package, or print the one that was signed.

    Example: gateway inbox acknowledge rel-x.research --to rel-x.research.gwp.receipt
    """
    opened = open_store(ctx)
    found = _one(opened, package)
    receipt = _acknowledged(opened, found, whole=False)
    if to is not None:
        to.write_text(f"{receipt}\n", encoding="ascii")
    emit({"package": found.package, "receipt": receipt}, json_wanted, [receipt])


@inbox.command("certify")
@click.argument("package")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File for it.")
@day_options
@as_option
@json_option
@click.pass_context
@exits
def certify(
    ctx: click.Context,
    package: str,
    to: Path | None,
    destroyed: dt.datetime | None,
    unreadable_after: dt.datetime | None,
    acting: str,
    json_wanted: bool,
) -> None:
    """Destroy the sealed copy of a package here, and certify that every copy is gone.

    Destroy first what you opened and what was made of it. The sender's gateway asks for
    the certificate by itself; where it cannot, send it with --to.

    Example: gateway inbox certify rel-x.research --unreadable-after 2026-12-31 --as ana
    """
    from gateway.adapters import inbox_certificates, operators
    from gateway.model.keys import KeyKind
    from gateway.model.permissions import Action, authorise

    opened = open_store(ctx)
    with opened.database.read() as connection:
        authorise(operators.find(connection, acting), Action.DESTRUCTION_CERTIFY)
    found = _one(opened, package)
    _acknowledged(opened, found, whole=False)
    told = said(destroyed, unreadable_after, by=acting, at=opened.at)
    signer, name = opened.ring.signer(KeyKind.PACKAGE_SIGNING), opened.ring.sender
    jws = inbox_certificates.certify(_inbox(opened), found, told, signer=signer, recipient=name)
    if to is not None:
        to.write_text(f"{jws}\n", encoding="ascii")
    lines = [jws if to is None else f"{to}: the sender takes it in."]
    emit({"package": found.package, "certificate": jws}, json_wanted, lines)


def document_of(found: Any) -> dict[str, Any]:
    """One package, as `--json` prints it."""
    names = ("package", "sender", "party", "digest", "size", "recipient_key")
    return {
        **{name: getattr(found, name) for name in names},
        "state": found.state.value,
        "arrived": found.arrived,
        "acknowledged": found.acknowledged,
        "opened": found.opened,
    }


def _inbox(opened: Any) -> Any:
    from gateway.wiring.inbox import inbox_of

    return inbox_of(opened.settings, opened.database)


def _one(opened: Any, package: str) -> Any:
    """The package of that id."""
    from gateway.adapters import inbox as store

    with opened.database.read() as connection:
        found = store.listed(connection, package=package)
    if not found:
        raise store.unknown()
    return found[0]


def _sender_of(opened: Any, found: Any) -> Any:
    """The descriptor of the gateway that a package came from, if it is still believed."""
    from gateway.adapters import descriptors
    from gateway.adapters import inbox as store

    with opened.database.read() as connection:
        trusted = descriptors.of_party(connection, found.party)
    for each in trusted:
        if each.sender == found.sender:
            return each
    raise store.not_believed()


def _acknowledged(opened: Any, found: Any, *, whole: bool) -> str:
    from gateway.adapters import inbox as store
    from gateway.model.keys import KeyKind

    opened.ring.unlock()
    return store.acknowledge(
        opened.database,
        found,
        signer=opened.ring.signer(KeyKind.PACKAGE_SIGNING),
        recipient=opened.ring.sender,
        at=opened.at,
        opened=whole,
    )
