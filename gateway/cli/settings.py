"""`gateway settings`: each setting, where its value comes from, and what it means."""

from __future__ import annotations

import click

from gateway.adapters.settings import describe
from gateway.cli.common import emit, exits, json_option, open_settings, table


@click.command("settings")
@json_option
@click.pass_context
@exits
def settings(ctx: click.Context, json_wanted: bool) -> None:
    """Print each setting, its value, where it comes from and what it means.

    Example: gateway settings --json
    """
    rows = describe(open_settings(ctx))
    shown = table(
        ("Setting", "Value", "From", "Meaning"),
        ((row["name"], row["value"], row["source"], row["meaning"]) for row in rows),
    )
    emit({"settings": rows}, json_wanted, [shown])
