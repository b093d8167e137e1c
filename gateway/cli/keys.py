"""`gateway keys`: custody of the secret keys, made, shared, granted, destroyed.

Source: docs/reference/keys.md; docs/how-to/rotate-and-destroy-keys.md.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.cli.common import (
    Opened,
    as_option,
    emit,
    exits,
    json_option,
    open_store,
    say,
    table,
)
from gateway.cli.keys_passphrase import passphrase
from gateway.model.keys import FORMS, MONTHLY, KeyForm, KeyKind, KeyRecord
from gateway.workflows import custody
from gateway.workflows.ports_keys import CustodyDesk

MADE_HERE = [
    kind.value
    for kind, form in FORMS.items()
    if form not in (KeyForm.MEMORY_ONLY, KeyForm.PUBLIC_ONLY) and kind is not KeyKind.OPERATOR
]
some_as = click.option(
    "--as",
    "acting",
    metavar="NAME",
    default="",
    help="The custodian who acts; needed once there is one.",
)
writable = click.Path(path_type=Path, dir_okay=False)
readable = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group(commands=[passphrase])
def keys() -> None:
    """Custody of keys, and the passphrase that wraps them.

    Example: gateway keys new --kind study --study nis --epoch 2026-1 --as carol
    """


@keys.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List the keys without opening any: no passphrase is asked for.

    Example: gateway keys list --json
    """
    from gateway.adapters import keyring_books
    from gateway.adapters.keyring import FEW_MONTHS

    opened = open_store(ctx)
    found = opened.ring.records()
    left = opened.ring.storage_months_left(opened.at.date())
    with opened.database.begin() as connection:
        unfinished = keyring_books.unfinished(connection, opened.ring)
    shown = table(
        ("Key", "Kind", "Of", "Epoch", "State"),
        ((record.id, record.kind, record.owner, record.epoch, record.state) for record in found),
    )
    if left < FEW_MONTHS:
        say("Fewer than two months have a storage pair: run `gateway keys new --kind storage`.")
    for key in unfinished:
        say(f"The destruction of {key} was interrupted: run `gateway keys destroy {key}` again.")
    document = {
        "keys": [_described(record) for record in found],
        "storage_months_left": left,
        "destruction_unfinished": list(unfinished),
    }
    emit(document, json_wanted, [shown])


@keys.command("new")
@click.option("--kind", required=True, type=click.Choice(MADE_HERE), help="What it is for.")
@click.option("--study", default="", help="The study, for a study root.")
@click.option("--controller", default="", help="The controller, for its roots.")
@click.option("--epoch", default="", help="The epoch; a number follows by itself, a study's not.")
@some_as
@json_option
@click.pass_context
@exits
def new(
    ctx: click.Context,
    kind: str,
    study: str,
    controller: str,
    epoch: str,
    acting: str,
    json_wanted: bool,
) -> None:
    """Make a key from the operating system's randomness.

    `--kind storage` makes the pairs of this month and the next twelve that are missing,
    those for uploads with them.

    Example: gateway keys new --kind register --controller trafford-council --as carol
    """
    opened = open_store(ctx)
    desk = _desk(opened, acting)
    if KeyKind(kind) in MONTHLY:
        made = _months(desk, opened)
    else:
        owner = study or controller
        made = [custody.make_key(desk, KeyKind(kind), owner=owner, epoch=epoch)]
    lines = [f"Made {record.id}." for record in made] or ["Every month ahead has its pair."]
    emit({"keys": [_described(record) for record in made]}, json_wanted, lines)


@keys.command("offer")
@click.option("--study", required=True, help="The study.")
@click.option("--epoch", required=True, help="The epoch.")
@click.option("--to", "party", required=True, help="The party, as `recipients` knows its key.")
@click.argument("file", type=writable)
@as_option
@json_option
@click.pass_context
@exits
def offer(
    ctx: click.Context,
    study: str,
    epoch: str,
    party: str,
    file: Path,
    acting: str,
    json_wanted: bool,
) -> None:
    """Seal a study root to another key holder, signed by its custodian.

    The check value is for the telephone: read it out, never send it with the file.

    Example: gateway keys offer --study nis --epoch 2026-1 --to knowsley-keys nis.offer --as carol
    """
    from gateway.adapters.keyring_custody import offer_study_root

    opened = open_store(ctx)
    check = offer_study_root(
        _desk(opened, acting), opened.database, study=study, epoch=epoch, party=party, file=file
    )
    document = {"study": study, "epoch": epoch, "party": party, "path": str(file), "check": check}
    line = f"Offered to {party} in {file}. Check value, by voice only: {check}"
    emit(document, json_wanted, [line])


@keys.command("accept")
@click.argument("file", type=readable)
@click.option("--key", "identity", required=True, type=readable, help="Our age identity file.")
@click.option(
    "--signer", required=True, help="The custodian's public key (ed25519:...), obtained apart."
)
@as_option
@json_option
@click.pass_context
@exits
def accept(
    ctx: click.Context, file: Path, identity: Path, signer: str, acting: str, json_wanted: bool
) -> None:
    """Keep an offered study root, pending until a second person confirms it.

    Example: gateway keys accept nis.offer --key our.key --signer ed25519:0a1b... --as dan
    """
    from gateway.adapters.keyring_custody import accept_study_root

    opened = open_store(ctx)
    record = accept_study_root(_desk(opened, acting), file=file, identity=identity, signer=signer)
    lines = [
        f"{record.id} is pending: a second person hears the check value from the custodian and "
        f"runs `gateway keys confirm {record.id} --check VALUE --as NAME`.",
        f"Then destroy {file}: with your identity file it could bring the key back.",
    ]
    emit(_described(record), json_wanted, lines)


@keys.command("confirm")
@click.argument("key")
@click.option("--check", required=True, prompt="Check value as you heard it", help="As heard.")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, key: str, check: str, acting: str, json_wanted: bool) -> None:
    """Confirm an accepted key with the check value heard from its custodian.

    Example: gateway keys confirm study-nis-2026-1 --check 1a2b-3c4d-5e6f-7a8b --as eve
    """
    from gateway.adapters.keyring_custody import computed_check

    opened = open_store(ctx)
    computed = computed_check(opened.ring, key)
    record = custody.confirm(_desk(opened, acting), key, heard=check, computed=computed)
    emit(_described(record), json_wanted, [f"{key} is ready."])


@keys.command("grant")
@click.argument("key")
@click.option("--purpose", required=True, help="The purpose, as the agreement names it.")
@click.option("--policy", "digest", required=True, help="The policy digest (64 hex digits).")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@as_option
@json_option
@click.pass_context
@exits
def grant(
    ctx: click.Context,
    key: str,
    purpose: str,
    digest: str,
    until: dt.datetime,
    acting: str,
    json_wanted: bool,
) -> None:
    """Let a key be used for one purpose under one policy digest until a day.

    Example: gateway keys grant study-nis-2026-1 --purpose national-impact-study
    --policy DIGEST --until 2027-03-31 --as carol
    """
    opened = open_store(ctx)
    desk, last = _desk(opened, acting), until.date()
    custody.grant(desk, key, purpose=purpose, policy_digest=digest, until=last)
    document = {"key": key, "purpose": purpose, "policy_digest": digest, "until": str(last)}
    emit(document, json_wanted, [f"{key} may be used for {purpose} until {last}."])


@keys.command("rotate")
@click.argument("key")
@click.option("--epoch", default="", help="The new epoch, for a study root.")
@some_as
@json_option
@click.pass_context
@exits
def rotate(ctx: click.Context, key: str, epoch: str, acting: str, json_wanted: bool) -> None:
    """Make a key's successor; the old one stays until it is destroyed.

    Example: gateway keys rotate package-signing-1 --as carol
    """
    opened = open_store(ctx)
    record = custody.rotate(_desk(opened, acting), key, epoch=epoch)
    emit(_described(record), json_wanted, [f"Made {record.id}; {key} stays until destroyed."])


@keys.command("destroy")
@click.argument("key")
@click.option("--certificate", type=writable, help="Write the signed certificate here.")
@as_option
@json_option
@click.pass_context
@exits
def destroy(
    ctx: click.Context, key: str, certificate: Path | None, acting: str, json_wanted: bool
) -> None:
    """Destroy our copies of a key for good, and certify it. Repeated, it certifies again.

    Example: gateway keys destroy study-nis-2026-1 --certificate nis.destroyed --as carol
    """
    from gateway.adapters.keyring_certificate import certify, write_certificate

    opened = open_store(ctx)
    opened.ring.unlock()
    destroyed, holders = custody.destroy(_desk(opened, acting), key)
    made = certify(opened.ring, destroyed, holders=holders, acting=acting, at=opened.at)
    if certificate is not None:
        write_certificate(certificate, made)
    emit({"key": key, "state": "destroyed here", **made}, json_wanted, [made["certificate"]])


def _desk(opened: Opened, acting: str) -> CustodyDesk:
    from gateway.adapters.keyring_books import custody_desk

    return custody_desk(opened.ring, opened.database, acting=acting, at=opened.at)


def _months(desk: CustodyDesk, opened: Opened) -> list[KeyRecord]:
    return [
        custody.make_key(desk, kind, owner=month)
        for kind, month in opened.ring.months_missing(opened.at.date())
    ]


def _described(record: KeyRecord) -> dict[str, str]:
    return {
        "key": record.id,
        "kind": record.kind.value,
        "owner": record.owner,
        "epoch": record.epoch,
        "state": record.state.value,
        "created": record.created.isoformat(),
        "public": record.public,
    }
