"""`gateway policy preview`: what a change would do to who and what leaves, before it is proposed.

Source: docs/reference/policy.md, "Preview"; docs/explanation/disclosure.md, "Preview".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_settings

REASONS = ("policy-change", "question", "training")
STATES = {
    "the-same": "the same leaves as before.",
    "no-extract": "nothing that a party of the agreement has sent is stored for it, so that "
    "nothing could be compared.",
}


@click.command("preview")
@click.argument("what", metavar="DRAFT|FILE")
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--agreement", default="", help="The agreement that the change is for.")
@as_option
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default=REASONS[0],
    show_default=True,
    help="Why you ask; it is recorded.",
)
@json_option
@click.pass_context
@exits
def preview(
    ctx: click.Context,
    what: str,
    more: tuple[Path, ...],
    agreement: str,
    acting: str,
    reason: str,
    json_wanted: bool,
) -> None:
    """Compare what leaves now with what would leave under a draft, over what is stored.

    Counts are rounded to ten; ten a day for one editor and purpose. Nothing leaves.

    Example: gateway policy preview policies/agreements/trafford.toml
    --agreement trafford-stronger-families --as edith
    """
    from gateway.adapters.preview_desk import Draft
    from gateway.cli.progress import progress_on
    from gateway.wiring import unlock_ahead
    from gateway.wiring.previewing import preview_of

    settings = open_settings(ctx)
    unlock_ahead(settings)
    named, changes = _changes(settings, what, more, agreement)
    draft = Draft(agreement=named, changes=changes, editor=acting, reason=reason)
    with progress_on(sys.stderr.isatty()) as progress:
        told = preview_of(settings, draft, progress=progress)
    emit(told, json_wanted, lines(told))


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """A preview for people."""
    from gateway.policy import quoted

    yield from map(quoted, told["changes"] or ["The draft changes nothing."])
    for purpose in told["purposes"]:
        yield ""
        yield from _of_purpose(purpose, told["titles"])
    for remark in told["remarks"]:
        yield f"{remark['weight']}: {remark['sentence']} {remark['remedy']} [{remark['code']}]"
    for section in told["notices"]:
        yield f'The privacy notice changes under "{section["heading"]}":'
        yield from (f"  no longer: {each}" for each in section["gone"])
        yield from (f"  new: {each}" for each in section["new"])


def _of_purpose(purpose: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    named = _named(titles, purpose["purpose"])
    if purpose["state"] in STATES and not purpose["refused_after"]:
        yield f"{named}: {STATES[purpose['state']]}"
    for name, when in (("refused_before", "now"), ("refused_after", "with the draft")):
        for reason in purpose[name]:
            yield f"{named}: nothing leaves {when}: {reason['reason']}"
    impact = purpose["impact"]
    if impact is None:
        return
    yield f"{named}:"
    for word in ("people", "families"):
        moved = impact[word]
        yield f"  {word}: {_change(moved['total'])}; {moved['gained']} in, {moved['lost']} out"
    for output in impact["outputs"]:
        yield from _of_output(output, titles)
    if purpose["new_fields"]:
        yield f"  never received by anybody: {_named(titles, *purpose['new_fields'])}"


def _named(titles: Mapping[str, str], *ids: str) -> str:
    from gateway.policy import unmarked

    return ", ".join(unmarked(titles[each]) if each in titles else each for each in ids)


def _of_output(output: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    yield f"  {output['output']} for {_named(titles, output['recipient'])}:"
    for name, told in (("columns_gained", "gains"), ("columns_lost", "loses")):
        if output[name]:
            yield f"    {told} {_named(titles, *output[name])}"
    for column, before, after in output["columns_changed"]:
        yield f"    {_named(titles, column)}: {before} becomes {after}"
    yield f"    small groups: {_change(output['small_groups'])}"
    if output["k_after"] or output["k_before"]:
        yield f"    families in the smallest group: {output['k_before']} -> {output['k_after']}"
    yield f"    rows unlike any other: {_change(output['unique'])}"


def _change(change: Mapping[str, str]) -> str:
    return f"{change['before']} -> {change['after']} ({change['difference']})"


def _changes(
    settings: Any, what: str, more: tuple[Path, ...], agreement: str
) -> tuple[str, dict[str, str]]:
    """The agreement and the texts of a draft's id, or of files."""
    from gateway.adapters import policy_drafts
    from gateway.adapters.policy_files import changes_named
    from gateway.wiring.common import open_database

    database = open_database(settings)
    try:
        with database.begin() as connection:
            if what.startswith("draft-") and not Path(what).is_file():
                found = policy_drafts.find(connection, what)
                return found.agreement, dict(found.changes)
            if agreement:
                _, changes = changes_named(
                    connection, settings.policies, agreement, (Path(what), *more)
                )
                return agreement, changes
            return changes_named(connection, settings.policies, what, more)
    finally:
        database.close()


@click.command("prove-preview")
@click.argument("preview_id", metavar="PREVIEW")
@click.option("--before", required=True, help="The last release without the change.")
@click.option("--after", required=True, help="The first release with it.")
@as_option
@json_option
@click.pass_context
@exits
def prove_preview(
    ctx: click.Context, preview_id: str, before: str, after: str, acting: str, json_wanted: bool
) -> None:
    """Say whether two releases differ as a preview said, person for person; exit 3 if not.

    Example: gateway policy prove-preview pre-abc --before rel-abc --after rel-def --as aude
    """
    import dataclasses

    from gateway.adapters.preview_proof import proved
    from gateway.cli.common import open_store
    from gateway.model.keys import KeyKind

    opened = open_store(ctx)
    opened.ring.unlock()
    with opened.database.read() as connection:
        found = proved(
            connection,
            opened.settings.data,
            preview_id,
            releases=(before, after),
            secret=opened.ring.symmetric(KeyKind.SUBJECT_INDEX).secret,
            auditor=acting,
        )
    told = "The same" if found.holds else "Not the same"
    lines_told = [f"{told} people, families and columns as {preview_id} said: {found.purpose}."]
    emit(dataclasses.asdict(found), json_wanted, lines_told)
    if not found.holds:
        sys.exit(3)
