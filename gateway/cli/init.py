"""`gateway init`: make a data directory.

Source: docs/reference/keys.md; docs/reference/settings.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli.common import emit, exits, json_option, open_settings


@click.command()
@click.option("--name", "sender", default="gateway", show_default=True, help="The sender's id.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data directory, as the option of the same name before the command.",
)
@json_option
@click.pass_context
@exits
def init(ctx: click.Context, sender: str, data: Path | None, json_wanted: bool) -> None:
    """Make a data directory: database, ledger, key ring, and the documents to approve.

    If GATEWAY_PASSPHRASE_FILE names a file that does not exist, a passphrase of
    120 bits is generated into it. An interrupted init is finished by repeating it.

    Example: gateway --data /srv/gateway init --name trafford-council
    """
    from gateway.adapters.founding import found
    from gateway.adapters.settings import read_settings

    settings = read_settings(data) if data is not None else open_settings(ctx)
    made = found(settings, sender=sender, at=dt.datetime.now(dt.UTC))
    lines = [
        f"{settings.data} is ready for {made.sender}: {made.keys} keys, "
        f"{made.documents} policy documents, none of them approved yet.",
        "Next: gateway operators add NAME --role administrator",
    ]
    if made.passphrase_made:
        lines.insert(
            1,
            f"A passphrase was generated into {settings.passphrase_file}: keep a copy of it "
            "apart from every copy of the data.",
        )
    emit({"data": str(settings.data), **asdict(made)}, json_wanted, lines)
