"""`gateway purge`: let go of what has outlived its retention, and prove it in the ledger.

Source: UK GDPR Art 5(1)(e); security point 25; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import click

from gateway.cli.common import emit, exits, json_option, open_store


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@json_option
@click.pass_context
@exits
def purge(ctx: click.Context, dry_run: bool, json_wanted: bool) -> None:
    """Destroy extracts past their contract's retention, and storage keys that nothing needs.

    The service does it each night; this does it now.

    Example: gateway purge --dry-run
    """
    from gateway.adapters import retention

    opened = open_store(ctx)
    if dry_run:
        with opened.database.begin() as connection:
            gone = retention.expired(connection, at=dt.datetime.now(tz=dt.UTC))
        rows = [dataclasses.asdict(each) for each in gone]
        lines = [f"{each.id}: {each.dataset}, received {each.since}" for each in gone]
        emit({"would_go": rows}, json_wanted, lines or ["Nothing has outlived its retention."])
        return
    opened.ring.unlock()
    told = retention.purge(opened.settings, opened.ring)
    line = (
        f"Gone: {told['extracts']} extracts, {told['storage_keys']} storage keys, "
        f"{told['uploads']} uploads, {told['jobs']} finished jobs."
    )
    emit(told, json_wanted, [line])
