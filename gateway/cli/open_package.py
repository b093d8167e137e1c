"""`gateway open`, `gateway recipient-key`, `gateway trust`: both ends of trust.

Source: docs/reference/commands.md; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.cli.common import emit, exits, json_option, open_store, say
from gateway.model.counting import counted

readable = click.Path(path_type=Path, dir_okay=False, exists=True)
folder = click.Path(path_type=Path, file_okay=False)


@click.command("open")
@click.argument("package", type=readable)
@click.option("--key", "key_file", required=True, type=readable, help="Your secret key's file.")
@click.option("--trust", "trust_file", type=readable, help="The sender's descriptor.")
@click.option("--to", required=True, type=folder, help="Folder for the files.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that remembers what was opened (default: beside the trust file).",
)
@click.option("--ledger", "export", type=readable, help="An export of the sender's ledger.")
@json_option
@exits
def open_package(
    package: Path,
    key_file: Path,
    trust_file: Path | None,
    to: Path,
    state: Path | None,
    export: Path | None,
    json_wanted: bool,
) -> None:
    """Verify a package in full, then unseal it; write nothing unless all of it verifies.

    Example: gateway open p1.gwp --key recipient.key --trust council.json --to study
    """
    from gateway.adapters import packages, recipient_keys

    recipient = recipient_keys.recipient_from_files(key_file, trust_file=trust_file, state=state)
    opened = packages.open_package(package, recipient=recipient, to=to, export=export)
    manifest = opened.contents.manifest
    checks = ("form", "envelope", "manifest", "digests", "ledger")
    document = {
        "package": manifest["package"],
        "release": manifest["release"],
        "output": manifest["output"],
        "rows": opened.contents.rows,
        "columns": list(opened.contents.columns),
        "verified": dict.fromkeys(checks, True),
        "ledger_link": opened.link.value,
        "files": [str(path) for path in opened.files],
    }
    said = manifest.get("duty_sentences", {})
    lines = [
        f"Package {manifest['package']} from {manifest['sender']} verifies: {', '.join(checks)}.",
        f"{counted(opened.contents.rows, 'row')}, "
        f"{counted(len(opened.contents.columns), 'column')}, in {to}.",
        *(f"Duty: {said.get(duty, duty)}" for duty in manifest["duties"]),
    ]
    emit(document, json_wanted, lines)


@click.group("recipient-key")
def recipient_key() -> None:
    """Make a recipient's own keys: to open packages, and to certify their end.

    Example: gateway recipient-key new --to keys
    """


@recipient_key.command("new")
@click.option("--to", required=True, type=folder, help="Folder for the two files.")
@json_option
@exits
def new_key(to: Path, json_wanted: bool) -> None:
    """Make a pair: the secret file stays with you, the public one goes to the sender.

    Example: gateway recipient-key new --to keys
    """
    import hashlib

    from gateway.adapters.recipient_keys import new_pair

    pair = new_pair(to, at=dt.datetime.now(dt.UTC))
    mark = hashlib.sha256(pair.public.encode("ascii")).hexdigest()
    document = {
        "key_id": pair.key_id,
        "public": pair.public,
        "fingerprint": mark,
        "secret_file": str(pair.secret_file),
        "public_file": str(pair.public_file),
    }
    lines = [
        f"Your secret key is in {pair.secret_file}. Nobody else may read it; keep a copy safe.",
        f"Send {pair.public_file} to the sender, and read them this fingerprint by telephone:",
        mark,
    ]
    emit(document, json_wanted, lines)


@recipient_key.command("signing")
@click.option("--name", required=True, help="Your id, as the sender's documents name you.")
@click.option("--to", required=True, type=folder, help="Folder for the two files.")
@json_option
@exits
def new_signing_key(name: str, to: Path, json_wanted: bool) -> None:
    """Make the key that signs your certificates of destruction, if you have no gateway.

    The secret file stays with you; the other goes to the sender, who registers it.

    Example: gateway recipient-key signing --name ons-research --to keys
    """
    from gateway.adapters import recipient_signing

    mark = recipient_signing.make(to, name, at=dt.datetime.now(dt.UTC))
    secret, public = to / recipient_signing.SECRET, to / recipient_signing.DESCRIPTOR
    document = {"fingerprint": mark, "secret_file": str(secret), "public_file": str(public)}
    lines = [
        f"Your signing key is in {secret}. Nobody else may read it; keep a copy safe.",
        f"Send {public} to the sender, and read them this fingerprint by telephone:",
        mark,
    ]
    emit({"name": name, **document}, json_wanted, lines)


@click.group()
def trust() -> None:
    """Publish the sender's descriptor for recipients.

    Example: gateway trust export > council.json
    """


@trust.command("export")
@json_option
@click.pass_context
@exits
def trust_export(ctx: click.Context, json_wanted: bool) -> None:
    """Print the descriptor: signing and ledger keys with their validity. It is one JSON document.

    Example: gateway trust export > council.json
    """
    from gateway.adapters.trust_export import sender_descriptor
    from gateway.sealing import fingerprint, parse_trust

    descriptor = sender_descriptor(open_store(ctx).ring)
    click.echo(descriptor.decode("ascii"), nl=False)
    if not json_wanted:
        say(f"Fingerprint, to be compared by voice: {fingerprint(parse_trust(descriptor))}")
