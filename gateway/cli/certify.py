"""`gateway certify`: a recipient without a gateway certifies that a package is destroyed.

Source: docs/how-to/deliver-packages.md; docs/reference/package.md; security points 8 and 15.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option

readable = click.Path(path_type=Path, dir_okay=False, exists=True)


def day_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The days of a certificate, which every way of certifying asks for."""
    kind = click.DateTime(["%Y-%m-%d"])
    for name, said in (
        ("--unreadable-after", "The last day on which a backup may still hold a copy [destroyed]."),
        ("--destroyed", "When every copy was destroyed, YYYY-MM-DD [today]."),
    ):
        command = click.option(name, type=kind, help=said)(command)
    return command


@click.command()
@click.argument("manifest", type=readable)
@click.option("--key", "key_file", required=True, type=readable, help="Your signing.key.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File for it.")
@day_options
@json_option
@exits
def certify(
    manifest: Path,
    key_file: Path,
    to: Path | None,
    destroyed: dt.datetime | None,
    unreadable_after: dt.datetime | None,
    json_wanted: bool,
) -> None:
    """Certify to the sender that every copy of a package is destroyed.

    Destroy the data first and keep its manifest.json, which holds nobody's data. Send
    what this prints, or the file, to the sender: it is a signature and no secret.

    Example: gateway certify study/manifest.json --key keys/signing.key --to rel-x.certificate
    """
    from gateway.adapters import destruction_certificates, recipient_signing

    key, at = recipient_signing.read(key_file), dt.datetime.now(dt.UTC)
    told = said(destroyed, unreadable_after, by="", at=at)
    certificate = recipient_signing.certify(manifest, told, key=key, at=at)
    jws = destruction_certificates.give(certificate, key.signer)
    if to is not None:
        to.write_text(f"{jws}\n", encoding="ascii")
    document = {"package": certificate.package, "destroyed": certificate.destroyed}
    document |= {"unreadable_after": certificate.unreadable_after, "certificate": jws}
    emit(document, json_wanted, [jws if to is None else f"{to}: send it to {certificate.sender}."])


def said(
    destroyed: dt.datetime | None, unreadable_after: dt.datetime | None, *, by: str, at: dt.datetime
) -> Any:
    """What a person says of their copies; today, and no backup, where they say nothing."""
    from gateway.adapters.inbox_certificates import Destroyed

    gone = destroyed.date() if destroyed else at.date()
    until = unreadable_after.date() if unreadable_after else gone
    return Destroyed(destroyed=gone, unreadable_after=until, by=by)
