"""`gateway object`: record an objection, opt-out, consent or its withdrawal.

Who it is about comes on standard input or in a file, never in the arguments,
which other users of the machine can read.

Source: UK GDPR Arts 7(3), 12(2), 21; docs/how-to/object.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_store, say

KINDS = ("objection", "opt-out", "consent")
AUTHORITIES = ("self", "representative", "partner-extract", "officer")


@click.command("object")
@click.option("--purpose", required=True, help='A purpose, or "*" for all purposes.')
@click.option("--agreement", default="", help="Only this agreement (default: all that have it).")
@click.option(
    "--withdraw", is_flag=True, help="Take it back; an objection or opt-out only with --as."
)
@click.option("--kind", type=click.Choice(KINDS), default="objection", show_default=True)
@click.option(
    "--authority",
    type=click.Choice(AUTHORITIES),
    default="self",
    show_default=True,
    help="By whose word.",
)
@click.option("--as", "acting", metavar="NAME", default="", help="The operator who records it.")
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="CSV file with one identity on each row, instead of standard input.",
)
@json_option
@click.pass_context
@exits
def object_to(
    ctx: click.Context,
    purpose: str,
    agreement: str,
    withdraw: bool,
    kind: str,
    authority: str,
    acting: str,
    source: Path | None,
    json_wanted: bool,
) -> None:
    """Record an objection, opt-out or consent, or take it back.

    The identity comes on standard input, as JSON or as `name: value` lines:
    forename, middle_names, surname, former_surname, date_of_birth, sex, postcode,
    house_number, street, town, uprn, nhs_number, upn, nino. Give what is known.

    Anyone may record what stops a sharing. A consent, and the withdrawal of an
    objection or opt-out, is recorded by a rights officer, one person at a time.

    Example: gateway object --purpose national-impact-study < identity.txt
    """
    from gateway import objections
    from gateway.adapters.register_desk import StoredRegisterDesk
    from gateway.adapters.register_store import RegisterMark
    from gateway.workflows import object_to as job

    what = objections.EntryKind(kind)
    wish = job.Wish(
        purpose=purpose,
        agreement=agreement,
        kind=job.withdrawal_of(what) if withdraw else what,
        authority=objections.Authority(authority),
        operator=acting,
    )
    details = objections.many_identities(source.read_bytes()) if source else _from_standard_input()
    opened = open_store(ctx)
    desk = StoredRegisterDesk(
        database=opened.database,
        ring=opened.ring,
        mark=RegisterMark(opened.settings.ring / "register.mark"),
        at=opened.at,
    )
    receipt = job.object_to(desk, wish, details)
    emit(_document(receipt), json_wanted, _lines(receipt))


def _from_standard_input() -> Any:
    from gateway import objections

    if sys.stdin.isatty():
        say('Who is it about? One "name: value" on each line, then Ctrl-D.')
    return objections.one_identity(sys.stdin.buffer.read())


def _document(receipt: Any) -> dict[str, Any]:
    return {
        "receipt": receipt.receipt,
        "kind": receipt.kind.value,
        "purpose": receipt.purpose,
        "people": receipt.people,
        "controllers": list(receipt.controllers),
        "lifted": receipt.lifted,
        "register_sequence": receipt.sequence,
        "effects": {name: rule.value for name, rule in receipt.effects.items()},
    }


def _lines(receipt: Any) -> Iterator[str]:
    """The receipt for people, with what it does."""
    people = "one person" if receipt.people == 1 else f"{receipt.people} people"
    yield f"Recorded: {receipt.kind.value} of {people}, receipt {receipt.receipt}."
    if receipt.lifted:
        yield f"{receipt.lifted} earlier entries no longer count."
    for name, rule in receipt.effects.items():
        yield f"{name}: {_EFFECT[rule.value][_loosens(receipt)]}"


def _loosens(receipt: Any) -> bool:
    return receipt.kind.value in {"consent", "objection-withdrawn", "opt-out-withdrawn"}


# What an entry does under each participation rule: one that stops, and one that lets.
_EFFECT = {
    "consent": (
        "nothing more is shared, from the next release on.",
        "shared only with a consent in force, and no other entry against it.",
    ),
    "opt-out": (
        "nothing more is shared, from the next release on.",
        "may be shared again, if no other entry is against it.",
    ),
    "objection": (
        "nothing is shared while the objection is considered, from the next release on.",
        "may be shared again, if no other entry is against it.",
    ),
    "statutory": (
        "noted; a duty in law does not depend on it.",
        "noted; a duty in law does not depend on it.",
    ),
}
