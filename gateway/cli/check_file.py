"""`gateway check`: what the gateway will say of a file, before anything leaves the partner.

Source: requirements R12-R14; docs/how-to/check-before-sending.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings
from gateway.cli.receive import EXIT_OF_STATE, finding_line
from gateway.model.counting import counted


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", required=True, help="The dataset whose contract the file must keep.")
@click.option(
    "--contracts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of published contracts (`gateway contract kit`); else the policies folder.",
)
@click.option(
    "--rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="List the failing rows here: row, column and rule, no value.",
)
@json_option
@click.pass_context
@exits
def check(
    ctx: click.Context,
    file: Path,
    dataset: str,
    contracts: Path | None,
    rows: Path | None,
    json_wanted: bool,
) -> None:
    """Check a file here, by the contract; nothing leaves this machine and nothing is stored.

    The checker and the contract are the gateway's own, so that the verdict is as well.
    Exit 0 accepted, 5 the whole file would wait for a person, 4 rejected.

    Example: gateway check attendance.csv --dataset school_attendance
    """
    document = verdict_of(contracts or open_settings(ctx).policies, file, dataset, rows)
    emit(document, json_wanted, _lines(document))
    ctx.exit(EXIT_OF_STATE[document["state"]])


def verdict_of(folder: Path, file: Path, dataset: str, rows: Path | None) -> dict[str, Any]:
    """What the gateway would say of a file, as a document."""
    from gateway import policy
    from gateway.adapters.checking import checked
    from gateway.adapters.policy_folder import read_policies
    from gateway.errors import UsageError, listed
    from gateway.intake import told_apart

    bundle, _ = policy.load(read_policies(folder))
    contract = bundle.contracts.get(dataset)
    if contract is None:
        raise UsageError(
            "intake/unknown-dataset",
            f'There is no dataset "{dataset}".',
            remedy=listed("Datasets", bundle.contracts),
            dataset=dataset,
        )
    names = frozenset(
        name
        for each in bundle.contracts.values()
        for column in each.columns
        for name in (column.name, *column.aliases)
    )
    with file.open("rb") as source:
        seen = checked(source, contract, known_columns=names, rows=rows)
    verdict = told_apart(seen, contract, bundle.contracts.values())
    return {
        "dataset": dataset,
        "state": verdict.state,
        "rows": verdict.rows,
        "accepted": verdict.accepted,
        "quarantined": verdict.quarantined,
        "dropped_columns": list(verdict.dropped_columns),
        "findings": verdict.findings_json(contract),
    }


def _lines(document: dict[str, Any]) -> list[str]:
    told = {"accepted": "It would be accepted", "rejected": "It would be rejected"}
    lead = told.get(document["state"], "It would wait for a person")
    dropped = document["dropped_columns"]
    return [
        f"{lead}: {counted(document['rows'], 'row')} read, {document['accepted']} accepted, "
        f"{document['quarantined']} left out.",
        *([f"Not asked for, take them out: {', '.join(dropped)}."] if dropped else []),
        *(finding_line(finding) for finding in document["findings"]),
    ]
