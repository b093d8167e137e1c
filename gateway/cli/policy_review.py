"""`gateway policy review`: what a good information lawyer would say before approval.

Source: docs/reference/policy.md, "Review".
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings, say

REFUSED = 3
FIRST_PROBLEMS = 3


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--agreement", default="", help="Only this agreement.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="As if it were that day.")
@json_option
@click.pass_context
@exits
def review(
    ctx: click.Context,
    paths: tuple[Path, ...],
    agreement: str,
    on: dt.datetime | None,
    json_wanted: bool,
) -> None:
    """Say what is unlawful, contradictory, unneeded or about to end, and what to do.

    PATH is a policies folder or single documents, read with the policies around them.
    A problem refuses its purpose; warnings and advice do not. Exit 3 on problems.
    Where the data directory holds extracts, their counts say which groups are too small.

    Example: gateway policy review --agreement trafford-stronger-families
    """
    from gateway.adapters.policy_folder import read_with
    from gateway.policy import Weight, parse
    from gateway.policy import review as remarks_of

    folder = open_settings(ctx).policies
    documents, _ = read_with(paths or (folder,), folder)
    day = on.date() if on else dt.datetime.now(tz=dt.UTC).date()
    remarks = remarks_of(parse(documents), on=day, agreement=agreement, stored=_stored(ctx))
    counts = Counter(remark.weight.value for remark in remarks)
    lines = [_line(remark) for remark in remarks]
    document = {
        "remarks": [dataclasses.asdict(remark) for remark in remarks],
        "counts": {weight.value: counts[weight.value] for weight in Weight},
    }
    emit(document, json_wanted, lines or ["Nothing to remark."])
    if counts[Weight.PROBLEM.value]:
        say(f"{counts[Weight.PROBLEM.value]} problems.")
        sys.exit(REFUSED)


def problem_lines(problems: Sequence[Any], agreement: str) -> Iterator[str]:
    """The first problems of a proposal, which refuse a purpose although it is approved."""
    if not problems:
        return
    yield f"Problems that refuse a purpose of it even when it is approved: {len(problems)}."
    yield from (_line(problem) for problem in problems[:FIRST_PROBLEMS])
    yield f"See all of them: gateway policy review --agreement {agreement}"


def _stored(ctx: click.Context) -> Any:
    """What is counted in the extracts of the data directory; nothing where there is none."""
    from gateway.adapters.populations import stored_populations
    from gateway.adapters.schema import database_in, ready

    settings = open_settings(ctx)
    if not settings.ring.exists():
        return {}
    database = ready(database_in(settings))
    try:
        with database.read() as connection:
            return stored_populations(connection)
    finally:
        database.close()


def _line(remark: Any) -> str:
    place = " / ".join(part for part in (remark.agreement, remark.purpose) if part)
    clause = f"(clause {remark.clause})" if remark.clause else ""
    head = " ".join(part for part in (place, clause) if part)
    told = ": ".join(part for part in (remark.weight, head, remark.sentence) if part)
    return " ".join(part for part in (told, remark.remedy, f"[{remark.code}]") if part)
