"""`gateway database`: which version the schema has, and bringing it forward.

Source: docs/how-to/run-on-postgresql.md.
"""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings


@click.group()
def database() -> None:
    """See and bring forward the version of the database.

    Example: gateway database current
    """


@database.command()
@json_option
@click.pass_context
@exits
def current(ctx: click.Context, json_wanted: bool) -> None:
    """Say which version the database has and which this gateway knows.

    Example: gateway database current --json
    """
    from gateway.adapters import schema

    opened = _open(ctx)
    found, known = schema.current(opened), schema.newest()
    document = {"back_end": _kind(opened), "version": found, "known": known}
    state = "up to date" if found == known else "newer than this" if found > known else "behind"
    lines = [f"{_kind(opened)}: schema {found or 'none'}, this gateway knows {known} ({state})."]
    opened.close()
    emit(document, json_wanted, lines)


@database.command()
@json_option
@click.pass_context
@exits
def upgrade(ctx: click.Context, json_wanted: bool) -> None:
    """Bring the schema forward; every command does it too, if its account may.

    Example: GATEWAY_DATABASE_URL=postgresql://owner@db/gateway gateway database upgrade
    """
    from gateway.adapters import schema

    opened = _open(ctx)
    before = schema.current(opened)
    schema.ready(opened)
    document = {"back_end": _kind(opened), "before": before, "version": schema.newest()}
    changed = f"Schema {before or 'none'} became {schema.newest()}."
    lines = [changed if before != schema.newest() else f"Schema {before} is the newest."]
    opened.close()
    emit(document, json_wanted, lines)


def _open(ctx: click.Context) -> Any:
    from gateway.adapters.schema import database_in

    return database_in(open_settings(ctx))


def _kind(opened: Any) -> str:
    return "PostgreSQL" if opened.postgresql else "SQLite"
