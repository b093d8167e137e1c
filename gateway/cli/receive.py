"""`gateway receive` and `gateway extracts`: what came in, and what is wrong with it.

Source: docs/reference/commands.md; requirements R12-R18.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings, table
from gateway.model.counting import counted

EXIT_OF_STATE = {"accepted": 0, "quarantined": 5, "rejected": 4}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", required=True, help="The dataset whose contract the file must keep.")
@click.option("--from", "party", required=True, help="The partner that sent the file.")
@click.option(
    "--again", is_flag=True, help="Take the same bytes in anew if another file took their place."
)
@click.option("--follow", is_flag=True, help="Show progress while the file is read.")
@json_option
@click.pass_context
@exits
def receive(
    ctx: click.Context,
    file: Path,
    dataset: str,
    party: str,
    again: bool,
    follow: bool,
    json_wanted: bool,
) -> None:
    """Take in an extract: print its receipt, then what is wrong, without any value.

    Example: gateway receive register.csv --dataset family_register --from trafford-council
    """
    from gateway.cli.progress import progress_on
    from gateway.wiring.ahead import started_ahead

    with (
        started_ahead() as ahead,
        progress_on(follow or sys.stderr.isatty()) as progress,
        file.open("rb") as source,
    ):
        # The children load while this does.
        from gateway.wiring.receiving import intake_desk
        from gateway.workflows.receive import receive as take_in

        with intake_desk(open_settings(ctx), progress=progress, ahead=ahead) as desk:
            record = take_in(desk, source, dataset=dataset, party=party, again=again)
    document = receipt(record)
    emit(document, json_wanted, lines(document))
    ctx.exit(EXIT_OF_STATE[record.state])


@click.command()
@click.argument("extract", required=False)
@json_option
@click.pass_context
@exits
def extracts(ctx: click.Context, extract: str | None, json_wanted: bool) -> None:
    """List the extracts that arrived, or show one with its findings.

    Example: gateway extracts
    """
    from gateway.wiring.common import extract_store

    store = extract_store(open_settings(ctx))
    if extract is not None:
        document = receipt(store.get(extract))
        emit(document, json_wanted, lines(document))
        return
    every = [receipt(record) for record in store.all()]
    headings = ("extract", "dataset", "party", "state", "rows", "accepted", "received")
    rows = [[str(entry[name]) for name in headings] for entry in every]
    emit({"extracts": every}, json_wanted, [table(headings, rows)] if every else ["None yet."])


def receipt(record: Any) -> dict[str, Any]:
    """The document of `receive --json` (docs/reference/commands.md)."""
    return {
        "extract": record.id,
        "dataset": record.dataset,
        "party": record.party,
        "state": record.state,
        "rows": record.rows,
        "accepted": record.accepted,
        "quarantined": record.quarantined,
        "dropped_columns": list(record.dropped_columns),
        "findings": list(record.findings),
        "received": record.received_at.isoformat(timespec="seconds"),
        "content_digest": record.content_digest,
        "supersedes": record.supersedes,
        "superseded_by": record.superseded_by,
        "evidence": record.evidence,
    }


def lines(document: dict[str, Any]) -> Iterator[str]:
    """The receipt for people: what happened, then every finding with its remedy."""
    yield f"Receipt {document['extract']}: {document['dataset']} from {document['party']}."
    yield (
        f"{document['state'].capitalize()}: {counted(document['rows'], 'row')} read, "
        f"{document['accepted']} accepted, {document['quarantined']} left out."
    )
    if document["supersedes"]:
        yield f"It takes the place of {document['supersedes']}."
    if document["superseded_by"]:
        yield (
            f"These bytes came before; {document['superseded_by']} has taken their place since, "
            "and releases read the newest that was accepted. To have these read again, receive "
            "them with --again."
        )
    if document["dropped_columns"]:
        yield (
            "Dropped before storage, because the contract does not know them: "
            f"{', '.join(document['dropped_columns'])}."
        )
    for finding in document["findings"]:
        yield finding_line(finding)


def finding_line(finding: dict[str, Any]) -> str:
    """One finding in two sentences: what is wrong and where, and what to do."""
    return f"{finding['code']}: {finding['sentence']} {finding['remedy']}".rstrip()
