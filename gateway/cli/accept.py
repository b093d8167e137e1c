"""`gateway accept RELEASE`: a second person accepts what was unusual about a held release.

Source: docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_store


@click.command()
@click.argument("release")
@click.option("--reason", required=True, help="Why it is as it should be.")
@as_option
@json_option
@click.pass_context
@exits
def accept(ctx: click.Context, release: str, reason: str, acting: str, json_wanted: bool) -> None:
    """Accept what was unusual, so that the next release of the purpose may be so.

    By another release officer, or an approver of a controller of its agreement; never by
    the officer who ran it. Run the release again afterwards.

    Example: gateway accept rel-abc --reason "Two schools joined" --as april
    """
    from gateway.adapters.release_acceptance import accept as settle
    from gateway.wiring import append

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        held = settle(
            connection,
            append,
            release,
            by=acting,
            reason=reason,
            at=opened.at.isoformat(timespec="seconds"),
        )
    document = {"release": held.id, "purpose": held.purpose, "accepted_by": acting}
    lines = [f"Accepted. Run it again: gateway share {held.purpose} --agreement {held.agreement}"]
    emit(document, json_wanted, lines)
