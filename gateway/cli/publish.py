"""`gateway publish`: what the council publishes of its agreements, made from them as they stand.

Source: requirement R10; docs/reference/publishing.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings, table
from gateway.errors import UsageError, listed


@click.group()
def publish() -> None:
    """Write registers, notices and machine-readable agreements from the policies in force.

    Example: gateway publish notice trafford-stronger-families
    """


@publish.command()
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@json_option
@click.pass_context
@exits
def register(ctx: click.Context, as_csv: bool, json_wanted: bool) -> None:
    """Print the agreement register: eighteen fields for each purpose.

    Example: gateway publish register --csv
    """
    from gateway.publishing import REGISTER_FIELDS, agreement_register

    bundle, standings = _standing(ctx)
    rows = agreement_register(bundle, standings=standings)
    if as_csv:
        click.echo(_csv(REGISTER_FIELDS, rows), nl=False)
        return
    shown = (REGISTER_FIELDS[0], "review-date", "end-date")
    lines = [table(("id", *shown[1:]), [[row[name] for name in shown] for row in rows])]
    emit({"register": list(rows)}, json_wanted, lines)


@publish.command()
@json_option
@click.pass_context
@exits
def processing(ctx: click.Context, json_wanted: bool) -> None:
    """Print the record of processing activities (UK GDPR Article 30).

    Example: gateway publish processing --json
    """
    from gateway.publishing import record_of_processing

    bundle, standings = _standing(ctx)
    entries = record_of_processing(bundle, standings=standings)
    emit({"processing": list(entries)}, json_wanted, _sentences(entries))


@publish.command()
@click.argument("agreement")
@json_option
@click.pass_context
@exits
def notice(ctx: click.Context, agreement: str, json_wanted: bool) -> None:
    """Print the privacy notice of an agreement, in plain English.

    Example: gateway publish notice trafford-stronger-families
    """
    from gateway.publishing import notice as sections_of
    from gateway.publishing import notice_text

    bundle, standings = _standing(ctx)
    found = _agreement(bundle, agreement)
    standing = standings[agreement]
    sections = sections_of(found, bundle, standing=standing)
    document = {"sections": [asdict(section) for section in sections]}
    emit(document, json_wanted, [notice_text(found, bundle, standing=standing)])


@publish.command()
@click.argument("agreement")
@click.pass_context
@exits
def odrl(ctx: click.Context, agreement: str) -> None:
    """Print an agreement as ODRL 2.2 JSON-LD with DPV terms.

    Example: gateway publish odrl trafford-stronger-families
    """
    from gateway.publishing import odrl_agreement

    bundle, standings = _standing(ctx)
    found = _agreement(bundle, agreement)
    emit(odrl_agreement(found, bundle, standing=standings[agreement]), True, [])


@publish.command("odrl-profile")
@click.pass_context
@exits
def profile(ctx: click.Context) -> None:
    """Print the ODRL profile that exported agreements name: each duty and what it means.

    Example: gateway publish odrl-profile
    """
    from gateway.publishing import odrl_profile

    emit(odrl_profile(_bundle(ctx)), True, [])


@publish.command("sharing-policy")
@click.argument("agreement")
@click.pass_context
@exits
def sharing_policy(ctx: click.Context, agreement: str) -> None:
    """Print an agreement as a SharingPolicy of the Information Governance Standard.

    Example: gateway publish sharing-policy trafford-stronger-families
    """
    from gateway.publishing import sharing_policy as written

    bundle, standings = _standing(ctx)
    found = _agreement(bundle, agreement)
    emit(written(found, bundle, standing=standings[agreement]), True, [])


@publish.command()
@click.option("--agreement", default="", help="Only this agreement.")
@click.option("--clause", default="", help="Only what stands on this clause.")
@click.option("--column", default="", help="Only this column, token or table.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@json_option
@click.pass_context
@exits
def traces(
    ctx: click.Context, agreement: str, clause: str, column: str, as_csv: bool, json_wanted: bool
) -> None:
    """Print every column that may leave with its clause, and every clause with its columns.

    Example: gateway publish traces --agreement trafford-stronger-families --clause "4.2(c)i"
    """
    from gateway.policy.tracing import traces as every

    found = [
        {**asdict(trace), "sources": " ".join(".".join(each) for each in trace.sources)}
        for trace in every(_bundle(ctx))
        if agreement in ("", trace.agreement)
        and clause in ("", trace.clause)
        and column in ("", trace.column, trace.field)
    ]
    rows = [{name: _text(value) for name, value in trace.items()} for trace in found]
    shown = ("clause", "column", "treat", "recipient", "purpose", "sources")
    if as_csv:
        click.echo(_csv(tuple(rows[0]) if rows else shown, rows), nl=False)
        return
    lines = [table(shown, [[row[name] for name in shown] for row in rows])] if rows else ["None."]
    emit({"traces": found}, json_wanted, lines)


@publish.command()
@click.argument("release")
@click.pass_context
@exits
def lineage(ctx: click.Context, release: str) -> None:
    """Print a release as OpenLineage events: which column came from where, by which clause.

    Example: gateway publish lineage rel-mq3kd7
    """
    from gateway.adapters.release_lineage import events_of
    from gateway.wiring import open_database

    with open_database(open_settings(ctx)).read() as connection:
        found = events_of(connection, release)
    emit({"events": list(found)}, True, [])


def _bundle(ctx: click.Context) -> Any:
    from gateway.wiring import open_bundle, open_database

    return open_bundle(open_database(open_settings(ctx)))


def _standing(ctx: click.Context) -> tuple[Any, dict[str, str]]:
    """The documents, and of each agreement whether it is approved."""
    from gateway.adapters.policy_versions import standings
    from gateway.wiring import open_bundle, open_database

    database = open_database(open_settings(ctx))
    bundle = open_bundle(database)
    with database.read() as connection:
        return bundle, standings(connection, bundle.agreements)


def _agreement(bundle: Any, wanted: str) -> Any:
    if wanted not in bundle.agreements:
        raise UsageError(
            "policy/unknown-agreement",
            "There is no agreement of that id.",
            remedy=listed("Agreements", bundle.agreements),
        )
    return bundle.agreements[wanted]


def _csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """CSV for a spreadsheet: text that it would take for a formula is neutralised."""
    written = io.StringIO()
    out = csv.DictWriter(written, list(names), lineterminator="\r\n")
    out.writeheader()
    out.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _sentences(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for entry in entries:
        yield f"{entry['purpose']} ({entry['agreement']}, clause {entry['clause']})"
        for name in ("standing", "categories_of_people", "recipients", "legal_bases", "erased_by"):
            value = entry[name]
            told = "; ".join(value) if isinstance(value, list) else value
            yield f"  {name.replace('_', ' ')}: {told}"
