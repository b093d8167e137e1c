"""`gateway receipt`: verify a signed receipt of an extract by the gateway's trust file.

Source: docs/how-to/send-by-api.md; requirements R18.
"""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import emit, exits, json_option
from gateway.model.counting import counted


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust",
    "trust_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The gateway's descriptor (`gateway trust export`), got outside the service.",
)
@json_option
@exits
def receipt(file: Path, trust_file: Path, json_wanted: bool) -> None:
    """Verify the signed receipt of an extract and say what it says.

    Example: gateway receipt receipt.jws --trust trust.json
    """
    from gateway.adapters.receipts import verify
    from gateway.sealing import parse_trust

    signed = file.read_bytes()[: 1 << 16].decode("ascii", "replace").strip()
    told = verify(signed, trust=parse_trust(trust_file.read_bytes()))
    emit(
        told,
        json_wanted,
        [
            f"Verified: receipt {told['extract']} of {told['sender']}.",
            f"{told['dataset']} from {told['party']}, received {told['received']}.",
            f"{told['state'].capitalize()}: {counted(told['rows'], 'row')} read, "
            f"{told['accepted']} accepted, {told['quarantined']} quarantined, "
            f"{counted(told['findings'], 'finding')}.",
            f"SHA-256 of the file: {told['content_digest']}.",
        ],
    )
