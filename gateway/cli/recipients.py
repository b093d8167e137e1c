"""`gateway recipients`: public keys of recipients, registered and confirmed by two people.

Source: docs/reference/policy.md, "Recipients"; docs/how-to/rotate-and-destroy-keys.md.
"""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_store, table


@click.group()
def recipients() -> None:
    """Register and confirm recipients' public keys.

    Example: gateway recipients add ons-research keys/recipients/ons-research.pub
    """


@recipients.command("add")
@click.argument("recipient", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--as", "acting", metavar="NAME", default="", help="The operator who acts.")
@json_option
@click.pass_context
@exits
def add(ctx: click.Context, recipient: str, file: Path, acting: str, json_wanted: bool) -> None:
    """Register a recipient's public key; packages need two confirmations of it.

    Example: gateway recipients add ons-research ons-research.pub --as ana
    """
    from gateway.adapters.recipient_desk import register

    opened = open_store(ctx)
    key = register(
        opened.database, recipient, content=file.read_bytes(), acting=acting, at=opened.at
    )
    document = {"recipient": key.id, "key": key.key_id, "fingerprint": key.fingerprint}
    lines = [f"{key.id}: fingerprint {key.fingerprint}. Two people confirm it now."]
    emit(document, json_wanted, lines)


@recipients.command("confirm")
@click.argument("recipient", metavar="ID")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, recipient: str, acting: str, json_wanted: bool) -> None:
    """Say that you compared the fingerprint with the recipient over another channel.

    Example: gateway recipients confirm ons-research --as ben
    """
    from gateway.adapters.recipient_desk import confirm as confirm_key

    opened = open_store(ctx)
    key = confirm_key(opened.ring, opened.database, recipient, acting=acting, at=opened.at)
    document = {
        "recipient": key.id,
        "fingerprint": key.fingerprint,
        "confirmed_by": list(key.confirmed_by),
        "usable": key.usable,
    }
    state = "usable" if key.usable else "one more person is needed"
    emit(document, json_wanted, [f"{key.id}: {key.fingerprint}: {state}."])


@recipients.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List the registered keys, their fingerprints and who confirmed them.

    Example: gateway recipients list --json
    """
    from gateway.adapters import recipients as registered

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        found = registered.listed(connection)
    rows = [
        {
            "recipient": key.id,
            "key": key.key_id,
            "public": key.public,
            "fingerprint": key.fingerprint,
            "confirmed_by": list(key.confirmed_by),
            "usable": key.usable,
        }
        for key in found
    ]
    shown = table(
        ("Recipient", "Fingerprint", "Confirmed by"),
        ((key.id, key.fingerprint, ", ".join(key.confirmed_by)) for key in found),
    )
    emit({"recipients": rows}, json_wanted, [shown])
