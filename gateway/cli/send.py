"""`gateway send`: a partner's file to the council's service, in pieces that are never lost.

Source: tus 1.0; docs/how-to/send-by-api.md; requirements R12-R18.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, say
from gateway.cli.receive import EXIT_OF_STATE, finding_line
from gateway.model.counting import counted


def _dataset(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    """A name that the service could have; which ones it has, it says itself."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise click.BadParameter(
            "a dataset is called like school_attendance: small letters, digits and _. "
            "Your pages list the ones that you may send."
        )
    return name


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", required=True, callback=_dataset, help="The dataset that the file is.")
@click.option("--to", "address", required=True, help="The service, like https://data.council.uk.")
@click.option("--client", required=True, help="Your client's id, as the council registered it.")
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key (`gateway clients key`).",
)
@click.option(
    "--check",
    "contracts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check it first by the contracts in this folder; a rejected file is not sent.",
)
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Resume memory.")
@click.option("--patience", default=60, show_default=True, help="Minutes to wait out a fault.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="The service's own CA.")
@json_option
@click.pass_context
@exits
def send(
    ctx: click.Context,
    file: Path,
    dataset: str,
    address: str,
    client: str,
    key: Path,
    contracts: Path | None,
    state: Path | None,
    patience: int,
    ca: str | None,
    json_wanted: bool,
) -> None:
    """Send a file and wait for its findings; run again after a fault, it goes on from there.

    Exit 0 accepted, 5 the whole file waits for a person, 4 rejected, 7 out of reach.

    Example: gateway send attendance.csv --dataset school_attendance
    --to https://data.council.uk --client schools-nightly --key client.key
    """
    import datetime as dt

    from gateway.adapters.client_keys import read_private
    from gateway.adapters.sending_memory import SendingMemory, usual_folder
    from gateway.adapters.service_client import ServiceClient, connected
    from gateway.adapters.service_upload import outcome
    from gateway.adapters.service_upload import send as sent_to
    from gateway.cli.progress import progress_on

    if contracts is not None and not _fit_to_send(contracts, file, dataset):
        ctx.exit(EXIT_OF_STATE["rejected"])
    with progress_on(sys.stderr.isatty()) as progress, connected(address, ca=ca) as web:
        service = ServiceClient(
            address=address.rstrip("/"),
            client=client,
            key=read_private(key),
            patience=dt.timedelta(minutes=patience),
            web=web,
            told=say,
        )
        memory = SendingMemory(state or usual_folder())
        sent = sent_to(service, file, dataset, memory=memory, progress=progress)
        receipt = outcome(service, sent, memory=memory, progress=progress)
    document = {**receipt, "upload": sent.upload}
    emit(document, json_wanted, _lines(document))
    ctx.exit(EXIT_OF_STATE[document["state"]])


def _fit_to_send(contracts: Path, file: Path, dataset: str) -> bool:
    from gateway.cli.check_file import verdict_of

    verdict = verdict_of(contracts, file, dataset, None)
    if verdict["state"] != "rejected":
        return True
    say("The contract rejects this file; it was not sent.")
    for finding in verdict["findings"]:
        say(finding_line(finding))
    return False


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"Receipt {document['extract']}: {document['dataset']}."
    yield (
        f"{document['state'].capitalize()}: {counted(document['rows'], 'row')} read, "
        f"{document['accepted']} accepted, {document['quarantined']} left out."
    )
    if document["superseded_by"]:
        yield (
            f"These bytes came before; {document['superseded_by']} has taken their place since, "
            "and releases read the newest that was accepted. To have these read again, ask the "
            "council's data team to take them in anew, or send a corrected file."
        )
    if document["dropped_columns"]:
        yield f"Dropped before storage: {', '.join(document['dropped_columns'])}."
    yield from (finding_line(finding) for finding in document["findings"])
