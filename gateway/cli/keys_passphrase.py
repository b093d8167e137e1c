"""`gateway keys passphrase`: a new passphrase for the whole key ring.

Source: security point 7; docs/how-to/rotate-and-destroy-keys.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from gateway.cli.common import emit, exits, json_option, open_store


@click.command()
@click.option(
    "--new-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the new passphrase; generated into it if it does not exist.",
)
@click.option("--as", "acting", metavar="NAME", default="", help="The custodian who acts.")
@json_option
@click.pass_context
@exits
def passphrase(ctx: click.Context, new_file: Path | None, acting: str, json_wanted: bool) -> None:
    """Seal every key of the ring under a new passphrase, all of them or none.

    The present passphrase is read as for every command; the new one from --new-file,
    or asked for twice on the terminal. Stop other processes of this gateway first.

    Example: gateway keys passphrase --new-file /run/secrets/gateway-2027 --as carol
    """
    from gateway.adapters.keyring_books import custody_desk
    from gateway.adapters.keyring_passphrase import new_passphrase
    from gateway.adapters.locks import one_at_a_time
    from gateway.workflows import custody

    opened = open_store(ctx)
    opened.ring.unlock()
    wanted = replace(opened.settings, passphrase_file=new_file and new_file.absolute())
    made = new_file is not None and not new_file.exists()
    desk = custody_desk(opened.ring, opened.database, acting=acting, at=opened.at)
    # A release makes keys of its own: none runs meanwhile.
    with one_at_a_time(opened.settings.data, opened.database):
        count = custody.change_passphrase(desk, lambda: new_passphrase(wanted)[0])
    lines = [f"{count} keys are sealed under the new passphrase; the old one opens nothing here."]
    if new_file is not None:
        kept = "A passphrase was generated into" if made else "Name"
        lines.append(f"{kept} {new_file}: set GATEWAY_PASSPHRASE_FILE to it.")
    lines.append("Backups of the ring still open with the old one, until they are 30 days old.")
    document = {"keys": count, "file": str(new_file or ""), "generated": made}
    emit(document, json_wanted, lines)
