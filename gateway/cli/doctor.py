"""`gateway doctor`: what is wrong with this installation, and how to mend it.

Source: docs/how-to/run-the-service.md; security point 22.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import click

from gateway.cli.common import emit, exits, json_option, open_settings

ILL = 7


@click.command()
@json_option
@click.pass_context
@exits
def doctor(ctx: click.Context, json_wanted: bool) -> None:
    """Examine the installation and change nothing; say what is wrong and how to mend it.

    Exit 7 if something has to be mended before anything is shared.

    Example: gateway doctor
    """
    from gateway.adapters.examinations import Health, examine

    found = examine(open_settings(ctx), at=dt.datetime.now(tz=dt.UTC))
    order = list(Health)
    worst = max((each.health for each in found), key=order.index, default=Health.WELL)
    shown = sorted(found, key=lambda each: -order.index(each.health))
    lines = [
        f"{each.health:4}  {each.subject}: {each.sentence}"
        + (f"\n      {each.remedy}" if each.remedy else "")
        for each in shown
    ]
    rows = [{**dataclasses.asdict(each), "health": each.health.value} for each in shown]
    emit({"health": worst.value, "found": rows}, json_wanted, lines)
    if worst is Health.ILL:
        ctx.exit(ILL)
