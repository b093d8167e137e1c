"""`gateway ledger`: check the log, export it, sign a checkpoint, prove an entry.

Source: docs/reference/commands.md; docs/reference/ledger.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Opened, emit, exits, json_option, open_store, say

readable = click.Path(path_type=Path, dir_okay=False, exists=True)
writable = click.Path(path_type=Path, dir_okay=False)


@click.group()
def ledger() -> None:
    """Verify, export, checkpoint and prove the ledger.

    Example: gateway ledger verify --json
    """


@ledger.command()
@click.option(
    "--against",
    type=readable,
    multiple=True,
    help="A checkpoint kept outside this machine, so that a roll-back shows.",
)
@json_option
@click.pass_context
@exits
def verify(ctx: click.Context, against: tuple[Path, ...], json_wanted: bool) -> None:
    """Hash the whole log again and hold it against every checkpoint; exit 6 when it fails.

    Example: gateway ledger verify --against checkpoint-2026-05.txt
    """
    report = _report(open_store(ctx), against)
    document = {
        "size": report.size,
        "root": report.root,
        "checkpoint": report.checkpoint,
        "ok": report.ok,
        "faults": list(report.faults),
    }
    verdict = "verifies" if report.ok else "does NOT verify"
    lines = [f"The ledger of {report.size} entries {verdict}.", f"Root {report.root}"]
    emit(document, json_wanted, [*lines, *report.faults])
    ctx.exit(0 if report.ok else 6)


@ledger.command()
@click.argument("file", type=writable, required=False)
@click.option("--show", multiple=True, metavar="EVENT", help="Write out entries of this event.")
@click.option("--show-all", is_flag=True, help="Write out every entry with its salt.")
@json_option
@click.pass_context
@exits
def export(
    ctx: click.Context, file: Path | None, show: tuple[str, ...], show_all: bool, json_wanted: bool
) -> None:
    """Write the log as JSON lines; entries that are not shown leave their commitment only.

    Without FILE the lines go to standard output, with or without --json.

    Example: gateway ledger export ledger.jsonl --show package-made
    """
    from gateway.adapters import ledger_check
    from gateway.errors import UsageError
    from gateway.ledger import EVENTS

    for event in show:
        if event not in EVENTS:
            raise UsageError(
                "ledger/unknown-event",
                "The ledger has no event of that name.",
                remedy="docs/reference/ledger.md lists them.",
            )
    opened = open_store(ctx)
    with opened.database.begin() as connection:
        count = ledger_check.export(
            connection,
            file,
            origin=opened.ring.sender,
            show=lambda event: show_all or event in show,
        )
    if file is None:
        say(f"{count} entries were written.")
        return
    emit({"file": str(file), "size": count}, json_wanted, [f"{count} entries are in {file}."])


@ledger.command()
@click.option("--to", type=writable, help="Also write it to this new file; keep that elsewhere.")
@click.option("--as", "acting", metavar="NAME", default="", help="The auditor who acts.")
@json_option
@click.pass_context
@exits
def checkpoint(ctx: click.Context, to: Path | None, acting: str, json_wanted: bool) -> None:
    """Sign what the ledger is now. Send it to a partner, so that a roll-back shows.

    Example: gateway ledger checkpoint --to checkpoint-2026-05.txt --as olu
    """
    from gateway.adapters import keyring_books, ledger_check, ledger_store
    from gateway.model.keys import KeyKind
    from gateway.model.permissions import Action
    from gateway.workflows.custody import allow

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        books = keyring_books.SqlBooks(connection, opened.ring, at=opened.at)
        allow(books, acting, Action.LEDGER_CHECKPOINT)
        ledger_check.require_whole(connection, keys=_keys(opened))
        signed = ledger_store.checkpoint(
            connection,
            opened.ring.signer(KeyKind.LEDGER_SIGNING),
            opened.at,
            origin=opened.ring.sender,
        )
    if to is not None:
        _write_new(to, signed.jws + "\n")
    now = signed.checkpoint
    document = {"size": now.size, "root": now.root.hex(), "checkpoint": signed.jws}
    emit(document, json_wanted, [signed.jws])


@ledger.command()
@click.argument("entry")
@click.option("--to", type=writable, help="Write the proof to this new file.")
@json_option
@click.pass_context
@exits
def prove(ctx: click.Context, entry: str, to: Path | None, json_wanted: bool) -> None:
    """Prove one entry, by its id or index, against the newest checkpoint that covers it.

    Example: gateway ledger prove 12 --to proof.json
    """
    from gateway.adapters import ledger_check, ledger_store
    from gateway.errors import UsageError

    wanted = int(entry) if entry.isascii() and entry.isdecimal() and len(entry) < 19 else entry
    with open_store(ctx).database.begin() as connection:
        signed = ledger_store.last_checkpoint(connection)
        proof = ledger_store.prove(connection, wanted)
        if signed is None or signed.checkpoint.size <= proof.index:
            raise UsageError(
                "ledger/no-checkpoint",
                "No checkpoint covers this entry yet.",
                remedy="Run `gateway ledger checkpoint` first.",
            )
        proof = ledger_store.prove(connection, wanted, at_size=signed.checkpoint.size)
    document = ledger_check.proof_document(proof, signed.jws)
    if to is not None:
        _write_new(to, json.dumps(document) + "\n")
    say(f"Entry {proof.index} of {proof.size}, under root {proof.root.hex()}.")
    emit(document, json_wanted or to is None, [f"The proof is in {to}."])


def _keys(opened: Opened) -> dict[str, bytes]:
    from gateway.adapters.keyring_signing import raw_public
    from gateway.model.keys import KeyKind

    records = opened.ring.verifying_keys(KeyKind.LEDGER_SIGNING)
    return {record.id: raw_public(record.public) for record in records}


def _report(opened: Opened, against: tuple[Path, ...]) -> Any:
    from gateway.adapters import ledger_check

    outside = [
        line for path in against for line in path.read_text("ascii", "replace").split() if line
    ]
    with opened.database.begin() as connection:
        return ledger_check.verify(connection, keys=_keys(opened), outside=outside)


def _write_new(path: Path, text: str) -> None:
    from gateway.errors import Unavailable, UsageError

    try:
        with open(path, "x", encoding="ascii") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            "ledger/file-exists",
            "The file is there already.",
            remedy="Choose another name: nothing is overwritten.",
        ) from None
    except OSError as fault:
        raise Unavailable(
            "ledger/not-exported",
            f"The file cannot be written ({fault.strerror}).",
            remedy="Name a folder that exists, that you may write to, and that has room.",
        ) from None
