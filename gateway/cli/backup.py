"""`gateway backup`, `restore` and `reconcile`: the data's way out and back, without the keys.

Source: security points 8, 24; docs/how-to/run-the-service.md, "Backups".
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_settings, open_store
from gateway.model.counting import counted

# The adapter's words, known without loading it.
REASONS = ("none-kept", "kept-copies-lost", "no-newer-backup", "newer-backup-damaged", "rehearsal")


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keys", is_flag=True, help="Back up the key ring instead; keep it 30 days at most.")
@json_option
@click.pass_context
@exits
def backup(ctx: click.Context, target: Path, keys: bool, json_wanted: bool) -> None:
    """Write the database and the sealed files into one file, while the service runs.

    The key ring is not in it: a stolen backup opens nothing.

    Example: gateway backup /backups/2026-11-22.tar
    """
    from gateway.adapters.backup import back_up, back_up_keys

    write = back_up_keys if keys else back_up
    told = write(open_settings(ctx), target, at=dt.datetime.now(tz=dt.UTC))
    document = {"file": str(target), "files": len(told.files), "entries": told.size}
    emit(document, json_wanted, [f"{counted(len(told.files), 'file')} in {target}."])


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
@exits
def restore(ctx: click.Context, source: Path, json_wanted: bool) -> None:
    """Put a backup back into an empty data directory; the keys and the data in either order.

    Nothing leaves it before `gateway reconcile`.

    Example: gateway --data /srv/gateway restore /backups/2026-11-22.tar
    """
    from gateway.adapters.backup import restore as put_back
    from gateway.adapters.keyring import ring_there

    settings = open_settings(ctx)
    told = put_back(settings, source)
    ring = ring_there(settings)
    document = {"files": len(told.files), "entries": told.size, "created": told.created}
    document["key_ring"] = ring
    lines = [f"{counted(len(told.files), 'file')} of {told.created} put back."]
    if told.size:
        lines.append("Nothing leaves before `gateway reconcile`: enter first what came after it.")
    if not ring:
        lines.append("The key ring is not here yet. Restore it next, from the backup of the keys.")
    emit(document, json_wanted, lines)


@click.command()
@as_option
@click.option("--objections-entered", is_flag=True, help="Those after the backup are entered.")
@click.option("--revocations-entered", is_flag=True, help="So are roles, keys and agreements.")
@click.option(
    "--checkpoint",
    "outside",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept outside this machine.",
)
@click.option("--no-checkpoint", is_flag=True, help="There is none; an auditor says so.")
@click.option("--accept-loss", is_flag=True, help="Entries that are missing are lost (auditor).")
@click.option("--reason", type=click.Choice(REASONS), help="Why; it is recorded in the ledger.")
@json_option
@click.pass_context
@exits
def reconcile(ctx: click.Context, /, json_wanted: bool, **said: Any) -> None:
    """End the hold of a restored directory, once what came after the backup is entered.

    Example: gateway reconcile --objections-entered --revocations-entered
    --checkpoint checkpoint.jws --as ada
    """
    from gateway.adapters import reconciling

    opened = open_store(ctx)
    told = reconciling.reconcile(
        opened.settings,
        opened.database,
        opened.ring,
        reconciling.Said(
            acting=said["acting"],
            entered=said["objections_entered"] and said["revocations_entered"],
            outside=[reconciling.read_checkpoint_file(path) for path in said["outside"]],
            unchecked=said["no_checkpoint"],
            loss_accepted=said["accept_loss"],
            reason=said["reason"] or "",
        ),
        at=opened.at,
    )
    emit(
        told,
        json_wanted,
        [f"The hold is over; the ledger holds {counted(told['size'], 'entry', 'entries')}."],
    )
