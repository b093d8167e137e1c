"""`gateway share` and `gateway releases`: make a release, and see what left.

Source: docs/reference/commands.md; docs/how-to/share.md.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.adapters.settings import Settings
from gateway.cli.common import as_option, emit, exits, json_option, open_settings, table
from gateway.errors import GatewayError, HeldForPerson, RefusedError
from gateway.model.counting import counted

REASONS = ("before-release", "policy-change", "question", "training")
EXIT_OF_STATE = {
    "forwarded": 0,
    "recorded": 0,
    "would-forward": 0,
    "refused": 3,
    "would-refuse": 3,
    "held": 5,
}


@click.command()
@click.argument("purpose")
@click.option("--agreement", required=True, help="The agreement that permits it.")
@as_option
@click.option(
    "--to",
    "outbox",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the packages, one sub-folder for each recipient; without it each "
    "package goes by its recipient's registered channel.",
)
@click.option("--dry-run", is_flag=True, help="Say what would leave and why; send nothing.")
@click.option("--on", "on", help="With --dry-run: decide as of this date (YYYY-MM-DD).")
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default=REASONS[0],
    show_default=True,
    help="With --dry-run: why you ask; it is recorded.",
)
@json_option
@click.pass_context
@exits
def share(
    ctx: click.Context,
    purpose: str,
    agreement: str,
    acting: str,
    outbox: Path | None,
    dry_run: bool,
    on: str | None,
    reason: str,
    json_wanted: bool,
) -> None:
    """Decide, make, seal, record and forward a release; each package to OUTBOX/RECIPIENT/.

    A dry run counts in tens, is written into the ledger, and is made at most ten times
    a day by one officer for one purpose.

    Example: gateway share national-impact-study --agreement trafford-stronger-families
    --as rosa --to outbox
    """
    if on and not dry_run:
        raise click.UsageError("--on is for dry runs only.")
    settings = _settings(ctx)
    from gateway.adapters.outbox import require_outbox
    from gateway.cli.progress import progress_on
    from gateway.model import SharingRequest
    from gateway.wiring import share_desk
    from gateway.workflows.share import preview

    request = SharingRequest(purpose=purpose, agreement=agreement)
    target = str(outbox.absolute()) if outbox else ""
    if not dry_run and settings.data.is_dir():
        require_outbox(Path(target or settings.data / "outbox").absolute())
    with (
        progress_on(sys.stderr.isatty()) as progress,
        share_desk(settings, progress=progress, rehearsal=dry_run, on=_date(on)) as desk,
    ):
        try:
            outcome = (
                preview(desk, request, officer=acting, reason=reason)
                if dry_run
                else _made(desk, request, officer=acting, outbox=target)
            )
        except (RefusedError, HeldForPerson) as no:
            outcome = stopped(request, no)
        _say(desk, outcome, json_wanted)
    ctx.exit(EXIT_OF_STATE[outcome.state])


def _made(desk: Any, request: Any, *, officer: str, outbox: str) -> Any:
    """The release that this command recorded and never answered for, else a new one."""
    from gateway.adapters import release_owed
    from gateway.workflows.share import share as make_release

    owed = release_owed.answer(desk.world, request, officer=officer, outbox=outbox)
    return owed or make_release(desk, request, officer=officer, outbox=outbox)


def _say(desk: Any, outcome: Any, json_wanted: bool) -> None:
    """Print the answer while it is still our turn: from then on it is not owed any more."""
    from gateway.adapters import release_owed

    database = desk.world.database
    others = [each for each in desk.moved_on if each != outcome.release]
    notes = (*outcome.warnings, *release_owed.notes(database, others))
    document = answer(replace(outcome, warnings=notes))
    emit(document, json_wanted, lines(document))
    release_owed.answered(database, outcome.release)


def _settings(ctx: click.Context) -> Settings:
    """The settings; the key ring is being unlocked from here on."""
    from gateway.wiring import unlock_ahead

    settings = open_settings(ctx)
    unlock_ahead(settings)
    return settings


@click.command()
@click.argument("release", required=False)
@click.option("--as", "acting", metavar="NAME", help="A rights officer or auditor: exact counts.")
@json_option
@click.pass_context
@exits
def releases(
    ctx: click.Context, release: str | None, acting: str | None, json_wanted: bool
) -> None:
    """List the releases, or show one with its record and packages.

    Counts of people and of rows are rounded to 10 ("<10" below); a rights officer or
    auditor, named with --as, sees the exact record.

    Example: gateway releases
    """
    from gateway.wiring import release_documents

    every = release_documents(open_settings(ctx), release, reader=acting)
    if release is not None:
        emit(every[0], json_wanted, release_lines(every[0]))
        return
    headings = ("release", "state", "purpose", "agreement", "created")
    rows = [[str(entry[name]) for name in headings] for entry in every]
    emit({"releases": every}, json_wanted, [table(headings, rows)] if every else ["None yet."])


def answer(outcome: Any) -> dict[str, Any]:
    """The document of `share --json` (docs/reference/commands.md)."""
    return {
        "release": outcome.release,
        "state": outcome.state,
        "purpose": outcome.request.purpose,
        "agreement": outcome.request.agreement,
        "policy_digest": outcome.policy_digest,
        "packages": [
            {
                "package": package.package,
                "output": package.output,
                "recipient": package.recipient,
                "path": package.path,
                "rows": package.rows,
            }
            for package in outcome.packages
        ],
        "conservation": {
            "received": outcome.received,
            "forwarded": outcome.forwarded,
            "withheld": dict(outcome.withheld),
        },
        "refusal": [
            {"code": reason.code, "clause": reason.clause, "reason": reason.reason}
            for reason in outcome.refusal
        ],
        "warnings": list(outcome.warnings),
        "columns": {name: list(columns) for name, columns in outcome.columns.items()},
        "resumed": outcome.resumed,
    }


def stopped(request: Any, no: GatewayError) -> Any:
    """The outcome when a release under way was refused or held: nothing of it left."""
    from gateway.model import Reason
    from gateway.workflows.sharing import Outcome

    reason = Reason(code=no.code, clause="", reason=f"{no.sentence} {no.remedy}".strip())
    state = "refused" if isinstance(no, RefusedError) else "held"
    return Outcome(
        state=state,
        request=request,
        release=str(no.facts.get("release", "")),
        policy_digest=str(no.facts.get("policy_digest", "")),
        refusal=(reason,),
    )


def lines(document: dict[str, Any]) -> Iterator[str]:
    """The answer for people: what left, who was withheld and why, or why nothing left."""
    if document["refusal"]:
        # Of a release that an earlier command recorded a part may have left.
        no = "the rest does not leave" if document["resumed"] else "nothing leaves"
        yield f"{document['state'].capitalize()}: {no}."
        for package in document["packages"]:
            yield f"Has left: {_package(package)}"
            yield from (f"  {place}" for place in (package["path"],) if place)
        for reason in document["refusal"]:
            clause = f" (clause {reason['clause']})" if reason["clause"] else ""
            yield f"{reason['code']}: {reason['reason']}{clause}"
        yield from (f"Note: {warning}" for warning in document["warnings"])
        return
    told = document["conservation"]
    yield f"{document['state'].capitalize()}: {document['release'] or 'a rehearsal'}"
    yield conservation(told, rounded=not document["release"])
    for output, columns in document["columns"].items():
        yield f"{output}: {', '.join(columns)}"
    for package in document["packages"]:
        yield _package(package)
        yield f"  {package['path'] or 'on its way: gateway deliveries list'}"
    yield from (f"Note: {warning}" for warning in document["warnings"])


def _package(package: dict[str, Any]) -> str:
    return f"{package['output']} to {package['recipient']}: {counted(package['rows'], 'row')}"


def conservation(told: dict[str, Any], *, rounded: bool) -> str:
    """Who was received and what became of them; rounded counts need not add up."""
    parts = [f"{told['forwarded']} forwarded"]
    parts += [f"{count} {reason}" for reason, count in told["withheld"].items()]
    if rounded:
        return f"About {told['received']} people received; about {', '.join(parts)}"
    return f"{told['received']} people received = {' + '.join(parts)}"


def release_lines(document: dict[str, Any]) -> Iterator[str]:
    """One release for people."""
    for name in ("release", "state", "purpose", "agreement", "officer", "created"):
        yield f"{name:10} {document[name]}"
    record = document["record"]
    if "received" in record:
        withheld = "".join(f" + {count} {why}" for why, count in record["withheld"].items())
        yield f"{record['received']} received = {record['forwarded']} forwarded{withheld}"
    for package in document["packages"]:
        yield _package(package)
        place = package["path"] or package["package"]
        yield f"  {place}  {package['forwarded'] or 'not yet forwarded'}"
        yield f"  {duty_line(package)}"


def duty_line(package: dict[str, Any]) -> str:
    """What the recipient of one package owes, for people."""
    if package["certificate_digest"]:
        return f"certified: unreadable after {package['unreadable_after']}"
    return f"destroy by {package['destroy_by'] or 'a day that is not known'}: {package['duty']}"


def _date(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--on needs a date, YYYY-MM-DD.") from None
