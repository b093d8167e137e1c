"""`gateway pseudonym`: the published vectors, and tokens for tests of other implementations.

Tokens are made here only under a throw-away root that is given in the clear; a root
that is in the key ring is refused, so that no study's tokens can be made aside.

Source: docs/reference/pseudonyms.md; docs/reference/commands.md.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import click

from gateway.adapters.settings import Settings
from gateway.cli.common import emit, exits, json_option, open_settings, table
from gateway.errors import RefusedError, UsageError


@click.group()
def pseudonym() -> None:
    """Test vectors and test tokens of the published scheme.

    Example: gateway pseudonym vectors --json
    """


@pseudonym.command()
@json_option
@exits
def vectors(json_wanted: bool) -> None:
    """Print the published test vectors, worked out by this code.

    Example: gateway pseudonym vectors --json > vectors.json
    """
    from gateway.identity.vectors import vectors as published

    document = published()
    rows = [(v["token"], " | ".join(v["components"]), v["value"]) for v in document["vectors"]]
    drawn = table(["token", "components", "value"], rows, "Root " + document["root_hex"])
    emit(document, json_wanted, [drawn])


@pseudonym.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dataset", required=True, help="The contract of the file.")
@click.option("--study", required=True, help="Study id.")
@click.option("--linkage-unit", required=True, help="Linkage unit id.")
@click.option("--epoch", required=True, help="Epoch id.")
@click.option(
    "--root-hex", required=True, help="A throw-away root: 64 hex digits, never a real one."
)
@json_option
@click.pass_context
@exits
def tokens(
    ctx: click.Context,
    file: Path,
    dataset: str,
    study: str,
    linkage_unit: str,
    epoch: str,
    root_hex: str,
    json_wanted: bool,
) -> None:
    """Print the tokens of a CSV file under a throw-away root, to test other implementations.

    Example: gateway pseudonym tokens people.csv --dataset febrl4 --study s --linkage-unit u
    --epoch e1 --root-hex 000102...1f --json
    """
    from gateway import identity
    from gateway.cli.pseudonym_table import columns_of, contract_of

    settings = open_settings(ctx)
    root = _root(root_hex)
    _refuse_ring_root(settings, root)
    contract = contract_of(settings, dataset)
    elements = identity.standardise(columns_of(file, contract), contract)
    key = identity.study_token_key(
        identity.StudyRoot(root), study, linkage_unit=linkage_unit, epoch=epoch
    )
    names = identity.token_names(elements.columns)
    made = identity.token_columns(elements, names, key)
    rows = made.select(identity.token_texts(made[name]) for name in names).to_dicts()
    _answer(dataset, study, linkage_unit, epoch, rows, json_wanted)


def _answer(
    dataset: str, study: str, unit: str, epoch: str, rows: list[dict[str, Any]], json_wanted: bool
) -> None:
    document = {
        "scheme": "sfg1",
        "std": "std1",
        "dataset": dataset,
        "study": study,
        "linkage_unit": unit,
        "epoch": epoch,
        "rows": [{"row": number, "tokens": row} for number, row in enumerate(rows, start=1)],
    }
    lines = [
        f"{number}\t{name}\t{value or '-'}"
        for number, row in enumerate(rows, start=1)
        for name, value in row.items()
    ]
    emit(document, json_wanted, lines)


def _root(root_hex: str) -> bytes:
    try:
        root = bytes.fromhex(root_hex)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise UsageError(
            "pseudonym/root-form",
            "A root is 64 hex digits.",
            remedy="Give the root as it is printed: 64 of 0-9 and a-f.",
        )
    return root


def _refuse_ring_root(settings: Settings, root: bytes) -> None:
    """Compare with every secret of the ring of this data directory, where there is one."""
    from gateway.adapters.keyring import KeyRing
    from gateway.adapters.keyring_passphrase import read_passphrase

    ring = KeyRing(settings.ring, lambda: read_passphrase(settings))
    if not ring.exists:
        return
    for record in ring.records():
        if hmac.compare_digest(ring.secret(record.id, record.kind, pending=True), root):
            raise RefusedError(
                "pseudonym/root-in-ring",
                "This root is in the key ring: test tokens are made with throw-away roots only.",
                remedy="Draw another root; this one has been shown and should be destroyed.",
            )
