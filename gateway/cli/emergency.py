"""`gateway emergency`: disclose one person to a safeguarding authority, by two people.

Who it is about comes on standard input and nowhere else.

Source: docs/how-to/disclose-in-an-emergency.md; requirement R29.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_settings, say, table

EXIT_OF_STATE = {"refused": 3, "lapsed": 3, "declined": 3}


@click.group()
def emergency() -> None:
    """Disclose one person to a safeguarding authority, to prevent harm.

    One person asks, another confirms within the hour, both file their reason within a
    day. Until it is filed neither lets any data out; after the day neither does anything.

    Example: gateway emergency list
    """


@emergency.command()
@click.option("--agreement", required=True, help="The agreement that permits it.")
@click.option("--purpose", default="urgent-safeguarding", show_default=True, help="Its purpose.")
@click.option("--to", "recipient", required=True, help="A safeguarding authority that it lists.")
@as_option
@json_option
@click.pass_context
@exits
def ask(
    ctx: click.Context, agreement: str, purpose: str, recipient: str, acting: str, json_wanted: bool
) -> None:
    """Ask for a disclosure about one person, as the first of two people.

    Standard input holds, as JSON or as `name: value` lines, whom it is about (forename,
    surname, date_of_birth, postcode, nhs_number and so on; give what you are sure of),
    risk_statement (what harm is feared, in one sentence) and contact_route (who is
    reached, and how).

    Example: gateway emergency ask --agreement trafford-stronger-families
    --to trafford-mash --as pia < asked.txt
    """
    from gateway.adapters.emergency_rules import Wanted
    from gateway.cli.progress import progress_on
    from gateway.wiring import emergency as parts
    from gateway.wiring import emergency_office
    from gateway.workflows.disclosing import asked_from_text

    asked = asked_from_text(_standard_input('Whom is it about, and why? "name: value" lines'))
    settings, database = _opened(ctx)
    wanted = Wanted(agreement=agreement, purpose=purpose, recipient=recipient)
    made = emergency_office.office(settings, database).ask(wanted, asked, by=acting)
    with progress_on(sys.stderr.isatty()) as progress:
        parts.seek(settings, database, made.id, progress=progress)
    _answer(ctx, emergency_office.told(database, made.id), json_wanted)


@emergency.command()
@click.argument("emergency_id", metavar="ID")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, emergency_id: str, acting: str, json_wanted: bool) -> None:
    """Confirm it as the second person: it is made, recorded and forwarded at once.

    Repeat it after a crash: what was begun is finished, and at most one package leaves.

    Example: gateway emergency confirm emg-x --as rosa
    """
    from gateway.cli.progress import progress_on
    from gateway.wiring import emergency as parts
    from gateway.wiring import emergency_office

    settings, database = _opened(ctx)
    emergency_office.office(settings, database).confirm(emergency_id, by=acting)
    with progress_on(sys.stderr.isatty()) as progress:
        told = parts.finish(settings, database, emergency_id, progress=progress)
    _answer(ctx, told, json_wanted)


@emergency.command()
@click.argument("emergency_id", metavar="ID")
@as_option
@json_option
@click.pass_context
@exits
def decline(ctx: click.Context, emergency_id: str, acting: str, json_wanted: bool) -> None:
    """Say no as the second person, or take it back as the first.

    Example: gateway emergency decline emg-x --as rosa
    """
    from gateway.wiring import emergency_office

    settings, database = _opened(ctx)
    emergency_office.office(settings, database).decline(emergency_id, by=acting)
    told = emergency_office.told(database, emergency_id)
    emit(told, json_wanted, _lines(told))


@emergency.command()
@click.argument("emergency_id", metavar="ID")
@as_option
@json_option
@click.pass_context
@exits
def reason(ctx: click.Context, emergency_id: str, acting: str, json_wanted: bool) -> None:
    """File your reason, on standard input; your rights come back with it.

    Say why it could not wait and who decided, without any detail of a person. It is
    kept sealed; the ledger holds its digest.

    Example: gateway emergency reason emg-x --as pia < reason.txt
    """
    from gateway.wiring import emergency_office

    text = _standard_input("Why could it not wait? No detail of a person, please")
    settings, database = _opened(ctx)
    emergency_office.office(settings, database).file_reason(emergency_id, text, by=acting)
    told = emergency_office.told(database, emergency_id)
    emit(told, json_wanted, ["Filed.", *_lines(told)])


@emergency.command()
@click.argument("emergency_id", metavar="ID")
@as_option
@json_option
@click.pass_context
@exits
def seen(ctx: click.Context, emergency_id: str, acting: str, json_wanted: bool) -> None:
    """Say as data protection officer that you have seen it, and read the filed reasons.

    Example: gateway emergency seen emg-x --as aude
    """
    from gateway.wiring import emergency as parts
    from gateway.wiring import emergency_office

    settings, database = _opened(ctx)
    emergency_office.office(settings, database).seen(emergency_id, by=acting)
    told = emergency_office.told(database, emergency_id)
    read = parts.reasons_read(settings, database, emergency_id, by=acting)
    shown = [f"{person}: {text}" for person, text in read.items()]
    emit({**told, "read": read}, json_wanted, [*_lines(told), *shown])


@emergency.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List the emergency disclosures, newest first, with what is owed.

    Example: gateway emergency list
    """
    from gateway.adapters import emergency_records
    from gateway.wiring import emergency_office

    _settings, database = _opened(ctx)
    with database.read() as connection:
        names = [each.id for each in emergency_records.listed(connection)]
    every = [emergency_office.told(database, name) for name in names]
    headings = ("id", "state", "recipient", "asked_by", "confirmed_by", "asked_at")
    rows = [[str(each[name]) for name in headings] + [_owed(each)] for each in every]
    shown: list[object] = [table([*headings, "owes"], rows)] if rows else ["None yet."]
    emit({"emergencies": every}, json_wanted, shown)


def _opened(ctx: click.Context) -> tuple[Any, Any]:
    from gateway.wiring.common import open_database

    settings = open_settings(ctx)
    return settings, open_database(settings)


def _standard_input(asked: str) -> str:
    if sys.stdin.isatty():
        say(f"{asked}, then Ctrl-D.")
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError("Standard input is not UTF-8.") from None


def _answer(ctx: click.Context, told: dict[str, Any], json_wanted: bool) -> None:
    emit(told, json_wanted, _lines(told))
    ctx.exit(EXIT_OF_STATE.get(told["state"], 0))


def _owed(told: dict[str, Any]) -> str:
    return ", ".join(each["person"] for each in told["reasons"] if not each["filed_at"])


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """One emergency disclosure for people."""
    yield f"{told['id']}: {told['state']}{' (' + told['code'] + ')' if told['code'] else ''}"
    yield f"To {told['recipient']} under {told['agreement']}, asked by {told['asked_by']}."
    if told["state"] == "found":
        yield f"One person was found. Somebody else confirms it by {told['until']}:"
        yield f"  gateway emergency confirm {told['id']} --as NAME"
    if told["why"]:
        yield told["why"]
    if told["release"] and told["packages"]:
        yield f"Release {told['release']} ({told['release_state']}): {', '.join(told['packages'])}"
    if told["overridden"]:
        yield "The person had objected; the law lets this purpose go on, and it is recorded."
    for each in told["reasons"]:
        state = f"filed {each['filed_at']}" if each["filed_at"] else f"due {each['due']}"
        yield f"Reason of {each['person']}: {state}"
