"""`gateway policy check|cases|compare|schema` and `gateway explain`: documents, read and said.

These commands decide nothing that leaves: they take every agreement as approved
and ask for no key. They never read a person's row.

Source: docs/reference/policy.md; docs/reference/commands.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings, open_store, say
from gateway.model import Plan, Refusal, SharingRequest
from gateway.model.counting import counted

REFUSED = 3


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@json_option
@click.pass_context
@exits
def check(ctx: click.Context, paths: tuple[Path, ...], json_wanted: bool) -> None:
    """Load policies strictly and name everything that stops one from loading.

    PATH is a policies folder or a single document, which is read together with the
    policies around it; without one, the policies of the settings. Exit 3 on findings.

    Example: gateway policy check policies/agreements/trafford.toml
    """
    from gateway.adapters.policy_folder import read_with
    from gateway.policy import load

    folder = open_settings(ctx).policies
    documents, named = read_with(paths or (folder,), folder)
    _, findings = load(documents)
    # What stops a single document may stand in another one: all findings are shown.
    rows = [dataclasses.asdict(finding) for finding in findings]
    lines = [str(finding) for finding in findings] or [
        f"{counted(len(named), 'document')} read without a fault."
    ]
    emit({"ok": not rows, "documents": len(named), "findings": rows}, json_wanted, lines)
    if rows:
        say(f"{len(rows)} findings.{_mend_first(findings)}")
        sys.exit(REFUSED)


def _mend_first(findings: Iterable[Any]) -> str:
    """What agreements build on: while a contract does not load, they know no column of it."""
    documents = {each.document for each in findings if each.code != "policy/vocabulary-absent"}
    first = sorted(each for each in documents if each.startswith("datasets/"))
    if not first or documents == {*first}:
        return ""
    return f" Mend {', '.join(first)} first: others may follow from that."


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@json_option
@click.pass_context
@exits
def cases(ctx: click.Context, path: Path | None, json_wanted: bool) -> None:
    """Run every case and say which decision is not the one expected.

    Exit 3 if any case fails.

    Example: gateway policy cases --json
    """
    from gateway.policy import run_cases

    results = run_cases(_bundle(path or open_settings(ctx).policies))
    failed = [result for result in results if not result.held]
    rows = [{**dataclasses.asdict(result), "held": result.held} for result in results]
    lines = [f"{r.document}: {r.name}: {' '.join(r.faults)}" for r in failed]
    document = {"cases": rows, "held": len(results) - len(failed), "failed": len(failed)}
    emit(document, json_wanted, [*lines, f"{len(results)} cases, {len(failed)} failed."])
    if failed:
        sys.exit(REFUSED)


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
@click.pass_context
@exits
def compare(ctx: click.Context, old: Path, new: Path, json_wanted: bool) -> None:
    """Say in sentences what NEW adds to or removes from OLD.

    Each is a policies folder or a single document, read with the policies around it.

    Example: gateway policy compare policies/agreements/trafford.toml draft.toml
    """
    from gateway.policy import compare as differences
    from gateway.policy import quoted

    folder = open_settings(ctx).policies
    sentences = differences(_bundle(old, folder), _bundle(new, folder))
    emit({"changes": sentences}, json_wanted, map(quoted, sentences or ["Nothing differs."]))


@click.command()
@click.argument("kind")
@json_option
@exits
def schema(kind: str, json_wanted: bool) -> None:
    """Print the JSON Schema of one kind of document.

    KIND is agreement, cases, contract, legal-bases, outcome-plan, protocol, recipient or
    vocabulary.

    Example: gateway policy schema agreement
    """
    from gateway.policy import schema as schema_of

    document = schema_of(kind)
    emit(document, json_wanted, [json.dumps(document, indent=2, ensure_ascii=False)])


@click.command()
@click.argument("purpose")
@click.option("--agreement", required=True, metavar="ID", help="The agreement asked.")
@click.option("--on", metavar="DATE", help="As if it were that day (YYYY-MM-DD).")
@json_option
@click.pass_context
@exits
def explain(
    ctx: click.Context, purpose: str, agreement: str, on: str | None, json_wanted: bool
) -> None:
    """Say what would be shared, field by field, with the clause of each.

    Reads the documents in the store, or the policies folder before `gateway init`. Takes
    the agreement as approved and every key as confirmed. Exit 3 where it is refused.

    Example: gateway explain national-impact-study --agreement trafford-stronger-families
    """
    from gateway.policy import decide
    from gateway.policy import explain as sentences_of

    bundle = _in_use(ctx)
    _known(bundle, agreement)
    request = SharingRequest(purpose=purpose, agreement=agreement)
    decision = decide(request, bundle, on=_day(on))
    sentences = sentences_of(decision, bundle.knowledge)
    emit(_decision(decision) | {"sentences": sentences}, json_wanted, sentences)
    if isinstance(decision, Refusal):
        sys.exit(REFUSED)


def _bundle(path: Path, folder: Path | None = None) -> Any:
    from gateway.adapters.policy_folder import read_with
    from gateway.policy import parse

    documents, _ = read_with((path,), folder or path)
    return parse(documents)


def _in_use(ctx: click.Context) -> Any:
    """The documents of the store, or of the folder where there is no data directory yet."""
    settings = open_settings(ctx)
    if not settings.ring.is_dir():
        return _bundle(settings.policies)
    from gateway import policy
    from gateway.adapters import policy_store

    with open_store(ctx).database.begin() as connection:
        bundle, _ = policy.load(policy_store.bundle(connection))
    return bundle


def _known(bundle: Any, agreement: str) -> None:
    from gateway.policy import policy_digest

    policy_digest(bundle, agreement)


def _day(on: str | None) -> dt.date:
    from gateway.errors import UsageError

    if on is None:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        return dt.date.fromisoformat(on)
    except ValueError:
        raise UsageError(
            "policy/not-a-date", "--on is not a date.", remedy="Write it as 2026-04-01."
        ) from None


def _decision(decision: Plan | Refusal) -> dict[str, Any]:
    if isinstance(decision, Refusal):
        return {
            "decision": "refuse",
            "policy_digest": decision.policy_digest,
            "refusal": [dataclasses.asdict(reason) for reason in decision.reasons],
        }
    return {
        "decision": "permit",
        "purpose": decision.request.purpose,
        "agreement": decision.request.agreement,
        "clause": decision.clause,
        "policy_digest": decision.policy_digest,
        "outputs": [
            {
                "output": output.name,
                "recipient": output.recipient.id,
                "identifiers": output.identifiers.value,
                "state": output.state,
                "clause": output.clause,
                "tokens": list(output.tokens),
                "beside_tokens": ["link_id", "slot"] if output.tokens else [],
                "columns": [
                    {"name": c.name, "field": c.field, "treat": c.treat, "clause": c.clause}
                    for c in output.columns
                ],
            }
            for output in decision.outputs
        ],
        "not_sent": [dataclasses.asdict(each) for each in decision.not_sent],
        "warnings": list(decision.warnings),
    }


COMMANDS = (check, cases, compare, schema)
