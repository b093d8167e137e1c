"""`gateway prove RELEASE`: the notices' promises, each put to the ledger, with the evidence.

Source: requirement N17; docs/reference/ledger.md, "Promises".
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from gateway.cli.common import emit, exits, json_option, open_store

BROKEN = 6


@click.command()
@click.argument("release")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the proof here, for `verify_release.py`.",
)
@json_option
@click.pass_context
@exits
def prove(ctx: click.Context, release: str, target: Path | None, json_wanted: bool) -> None:
    """Say of each promise whether a release kept it, from the ledger alone.

    Exit 6 if one is broken.

    Example: gateway prove rel-abc --to proof.json
    """
    from gateway.adapters.release_proof import proved

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        verdicts, document = proved(connection, release, on=dt.datetime.now(tz=dt.UTC).date())
    if target is not None:
        target.write_text(json.dumps(document, indent=1), encoding="utf-8")
    lines = [
        f"{verdict.outcome:8} {verdict.words} {verdict.because}"
        f" (entries {', '.join(map(str, verdict.evidence)) or 'none'})"
        for verdict in verdicts
    ]
    told = {"release": release, "verdicts": document["verdicts"], "file": str(target or "")}
    emit(told, json_wanted, lines)
    if any(verdict.outcome == "broken" for verdict in verdicts):
        ctx.exit(BROKEN)
