"""`gateway objections`: list what the register holds, answer it, settle doubtful matches.

Nobody is named in a list: entries and matches go by reference. Only `show` opens
both sides of a match, for a rights officer, and only after that is written down.

Source: UK GDPR Arts 12(3), 21; docs/how-to/object.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from gateway.cli.common import Opened, as_option, emit, exits, json_option, open_store, table

STATES = ("considered", "upheld", "not-upheld")
AUTHORITIES = ("self", "representative", "officer")

authority_option = click.option(
    "--authority",
    type=click.Choice(AUTHORITIES),
    default="officer",
    show_default=True,
    help="By whose word.",
)


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Settled matches too.")
@json_option
@click.pass_context
@exits
def objections(ctx: click.Context, every: bool, json_wanted: bool) -> None:
    """List objections, opt-outs and consents by receipt, and the doubtful matches.

    Example: gateway objections
    """
    if ctx.invoked_subcommand is not None:
        return
    from gateway.adapters import objections_list

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        entries = objections_list.listed(connection, _mark(opened))
        waiting = objections_list.queue(connection, every=every)
    document = {"entries": [entry.document() for entry in entries], "matches": waiting}
    emit(document, json_wanted, [*_entry_lines(document["entries"]), *_match_lines(waiting)])


@objections.command("answer")
@click.argument("reference")
@click.option("--state", required=True, type=click.Choice(STATES), help="What is answered.")
@click.option("--purpose", default="", help="Of an objection to all purposes, only this one.")
@authority_option
@as_option
@json_option
@click.pass_context
@exits
def answer(
    ctx: click.Context,
    reference: str,
    state: str,
    purpose: str,
    authority: str,
    acting: str,
    json_wanted: bool,
) -> None:
    """Answer the entries of a receipt, or one entry by its number.

    "considered" and "upheld" keep an entry in force. "not-upheld" ends it: only for an
    objection, under a rule that considers objections, one person at a time, by a
    rights officer.

    Example: gateway objections answer reg-0123456789abcdef --state upheld --as rita
    """
    from gateway.objections import Authority, Status
    from gateway.workflows import answer_objection as job

    opened = open_store(ctx)
    wanted = job.Answer(
        state=Status(state), authority=Authority(authority), officer=acting, purpose=purpose
    )
    number = job.answer(_desk(opened), reference, wanted)
    document = {"reference": reference, "state": state, "register_sequence": number}
    emit(document, json_wanted, [f"{reference} is answered: {state}."])


@objections.command("settle")
@click.argument("match")
@click.option(
    "--same/--other",
    "same",
    default=None,
    required=True,
    help="One person, or two people.",
)
@authority_option
@click.option("--as", "acting", metavar="NAME", default="", help="Who found it; needed by --other.")
@json_option
@click.pass_context
@exits
def settle(
    ctx: click.Context, match: str, same: bool, authority: str, acting: str, json_wanted: bool
) -> None:
    """Say of a doubtful match whether it is one person or two.

    It counts from the next release on, for this pair, and for as long as the details
    of both sides stay as they are. Anyone may say that they are the same; that they
    are not lets more leave, and needs a rights officer.

    Example: gateway objections settle match-0123456789abcdef --other --as rita
    """
    from gateway.objections import Authority
    from gateway.workflows import answer_objection as job

    opened = open_store(ctx)
    wanted = job.Settlement(match=match, same=same, authority=Authority(authority), officer=acting)
    number = job.settle(_desk(opened), wanted)
    told = "the same person: withheld for certain" if same else "two people: no longer withheld"
    document = {"match": match, "same": same, "register_sequence": number}
    emit(document, json_wanted, [f"{match} is settled as {told}, from the next release on."])


@objections.command("show")
@click.argument("match")
@as_option
@json_option
@click.pass_context
@exits
def show(ctx: click.Context, match: str, acting: str, json_wanted: bool) -> None:
    """Open both sides of a doubtful match, for a rights officer; the look is recorded.

    What is printed is personal data: do not keep it.

    Example: gateway objections show match-0123456789abcdef --as rita
    """
    from gateway.adapters.objections_view import ViewDesk
    from gateway.wiring import extract_store, open_bundle

    opened = open_store(ctx)
    desk = ViewDesk(
        database=opened.database,
        ring=opened.ring,
        mark=_mark(opened),
        extracts=extract_store(opened.settings, opened.database),
        contracts=open_bundle(opened.database).contracts,
        at=opened.at,
    )
    both = desk.show(match, officer=acting)
    document = {"match": match, "entry": dict(both.entry), "person": dict(both.person)}
    names = [*both.entry, *(name for name in both.person if name not in both.entry)]
    rows = [(name, both.entry.get(name, ""), both.person.get(name, "")) for name in names]
    gone = [] if both.person else ["The extract no longer holds this person."]
    emit(document, json_wanted, [table(("Field", "Register", "Extract"), rows), *gone])


def _mark(opened: Opened) -> Any:
    from gateway.adapters.register_trust import RegisterMark

    return RegisterMark(opened.settings.ring / "register.mark")


def _desk(opened: Opened) -> Any:
    from gateway.adapters.objections_desk import StoredAnswerDesk

    return StoredAnswerDesk(
        database=opened.database, ring=opened.ring, mark=_mark(opened), at=opened.at
    )


def _entry_lines(entries: Sequence[dict[str, Any]]) -> list[object]:
    if not entries:
        return ["The register holds no entry."]
    headings = ("Receipt", "Entries", "Kind", "Purpose", "State", "Received", "Answer by")
    rows = [
        (
            entry["receipt"],
            "-".join(dict.fromkeys(str(number) for number in entry["entries"])),
            f"{entry['kind']} ({entry['source']})",
            f"{entry['purpose']} of {entry['controller']}",
            entry["state"],
            entry["received"],
            entry["answer_by"],
        )
        for entry in entries
    ]
    return [table(headings, rows)]


def _match_lines(matches: Sequence[dict[str, Any]]) -> list[object]:
    if not matches:
        return ["No doubtful match waits for a person."]
    headings = ("Match", "Entry", "Purpose", "Because", "Since", "State")
    rows = [
        (
            match["match"],
            f"{match['entry']} ({match['receipt']})",
            match["purpose"],
            ", ".join(match["because"]),
            match["day"],
            match["state"],
        )
        for match in matches
    ]
    return [table(headings, rows, title="Doubtful matches: withheld until somebody settles them")]
