"""`gateway policy propose | proposal | approve | withdraw | status | export`: a version's life.

Source: docs/reference/policy.md, "Life of a version"; security point 3.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_store, table
from gateway.cli.policy_review import problem_lines
from gateway.workflows.ports_policy import Proposal


@click.command("propose")
@click.argument("what", metavar="AGREEMENT|FILE")
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--without",
    multiple=True,
    metavar="PATH",
    help="Take this document out, as recipients/old.toml; refused while anything needs it.",
)
@as_option
@json_option
@click.pass_context
@exits
def propose(
    ctx: click.Context,
    what: str,
    more: tuple[Path, ...],
    without: tuple[str, ...],
    acting: str,
    json_wanted: bool,
) -> None:
    """Propose an agreement: as the store has it (its id), or with changed texts (files).

    A changed contract, vocabulary or recipient goes with the agreement that it is
    for: name the agreement first, then the files. Files keep their place under the
    policies folder.

    Example: gateway policy propose policies/agreements/trafford.toml --as ana
    """
    from gateway.adapters import policy_exported
    from gateway.adapters.policy_files import changes_named, ended_by, placed, taken_out
    from gateway.adapters.policy_shelf import policy_desk
    from gateway.workflows import approve as life

    opened = _opened(ctx)
    folder = opened.settings.policies
    with opened.database.begin() as connection:
        agreement, changes = changes_named(connection, folder, what, more)
        files = placed(connection, folder, what, more)
        changes |= taken_out(connection, without)
        ended = ended_by(connection, agreement, changes)
    opened.ring.unlock()
    desk = policy_desk(opened.ring, opened.database, acting=acting, at=opened.at)
    proposal = life.propose(desk, agreement, changes=changes, bases=policy_exported.bases(files))
    policy_exported.add(files, changes)
    waiting = ", ".join(proposal.controllers)
    lines = [
        f"{agreement} version {proposal.version} is proposed.",
        f"Policy digest: {proposal.policy_digest}",
        f"An approver of each controller approves it now: {waiting}.",
    ]
    if ended:
        lines.append(
            f"Once it is approved, these count as changed, and nothing is shared under them until "
            f"they are approved again: {', '.join(ended)}."
        )
    problems = _problems(opened.database, agreement, changes, on=opened.at.date())
    document, told = _told(opened, proposal)
    document |= {"ends_approval_of": ended, "problems": [asdict(each) for each in problems]}
    told += problem_lines(problems, agreement)
    emit(_described(proposal) | document, json_wanted, [*lines, *told])


def _problems(
    database: Any, agreement: str, changes: Mapping[str, str], *, on: dt.date
) -> list[Any]:
    """What would refuse a purpose of the proposal even when it is approved."""
    from gateway.adapters import policy_store
    from gateway.policy import Weight, load
    from gateway.policy import review as remarks_of
    from gateway.policy.rereading import changed

    with database.read() as connection:
        documents = changed(policy_store.bundle(connection), changes)
    remarks = remarks_of(load(documents)[0], on=on, agreement=agreement)
    return [each for each in remarks if each.weight is Weight.PROBLEM]


@click.command("proposal")
@click.argument("agreement")
@json_option
@click.pass_context
@exits
def newest(ctx: click.Context, agreement: str, json_wanted: bool) -> None:
    """Say what the newest proposal of an agreement changes, for who is to approve it.

    It is compared with what the agreement was last approved for, in every document that
    it reads, through whichever agreement that was changed.

    Example: gateway policy proposal trafford-stronger-families
    """
    from gateway.adapters import policy_store

    opened = _opened(ctx)
    with opened.database.read() as connection:
        proposal = policy_store.latest(connection, agreement)
    document, told = _told(opened, proposal)
    lines = [
        f"{agreement} version {proposal.version}, proposed by {proposal.editor}.",
        f"Policy digest: {proposal.policy_digest}",
        *told,
    ]
    emit(_described(proposal) | document, json_wanted, lines)


@click.command("approve")
@click.argument("agreement")
@as_option
@json_option
@click.pass_context
@exits
def approve(ctx: click.Context, agreement: str, acting: str, json_wanted: bool) -> None:
    """Approve the newest proposal of an agreement for the controllers you speak for.

    Example: gateway policy approve trafford-stronger-families --as ben
    """
    from gateway.adapters import policy_store
    from gateway.adapters.policy_shelf import policy_desk
    from gateway.workflows import approve as life

    opened = _opened(ctx)
    with opened.database.read() as connection:
        waiting = policy_store.latest(connection, agreement)
    document, told = _told(opened, waiting)
    opened.ring.unlock()
    desk = policy_desk(opened.ring, opened.database, acting=acting, at=opened.at)
    proposal = life.approve(desk, agreement)
    missing = sorted(set(proposal.controllers) - {given for given, _ in proposal.approvals})
    state = f"{', '.join(missing)} to approve yet" if missing else "approved by every controller"
    lines = [f"{agreement}: {state}.", f"Policy digest: {proposal.policy_digest}", *told]
    emit(_described(proposal) | document, json_wanted, lines)


@click.command("withdraw")
@click.argument("agreement")
@as_option
@json_option
@click.pass_context
@exits
def withdraw(ctx: click.Context, agreement: str, acting: str, json_wanted: bool) -> None:
    """Withdraw an agreement at once: nothing more is shared under it.

    Example: gateway policy withdraw trafford-stronger-families --as ben
    """
    from gateway.adapters.policy_shelf import policy_desk
    from gateway.workflows import approve as life

    opened = _opened(ctx)
    desk = policy_desk(opened.ring, opened.database, acting=acting, at=opened.at)
    count = life.withdraw(desk, agreement)
    document = {"agreement": agreement, "state": "withdrawn", "proposals": count}
    emit(document, json_wanted, [f"{agreement} is withdrawn; nothing is shared under it now."])


@click.command("status")
@json_option
@click.pass_context
@exits
def status(ctx: click.Context, json_wanted: bool) -> None:
    """Say of each agreement which version is in the store, and who has approved it.

    Example: gateway policy status
    """
    from gateway.adapters import policy_waiting
    from gateway.adapters.policy_files import statuses

    opened = _opened(ctx)
    with opened.database.begin() as connection:
        rows = statuses(connection)
        on = opened.at.date()
        later = [
            f"{each.proposal.agreement}: {policy_waiting.said(connection, each, on=on)}"
            for each in policy_waiting.waiting(connection)
        ]
    shown = table(
        ("Agreement", "Version", "State", "Approved by", "Waits for"),
        (
            (
                row["agreement"],
                row["version"],
                row["state"],
                ", ".join(
                    f"{given['approver']} ({given['controller']})" for given in row["approved"]
                ),
                ", ".join(row["missing"]),
            )
            for row in rows
        ),
    )
    emit({"agreements": rows}, json_wanted, [shown, *later])


@click.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@json_option
@click.pass_context
@exits
def export(ctx: click.Context, folder: Path, json_wanted: bool) -> None:
    """Write the current documents of the store into a folder, and the list of their digests.

    A proposal from this folder is refused where the store has moved on since.

    Example: gateway policy export policies
    """
    from gateway.adapters import policy_exported, policy_store
    from gateway.adapters.policy_files import write_documents

    opened = _opened(ctx)
    with opened.database.begin() as connection:
        documents = policy_store.bundle(connection)
    changed = write_documents(folder, documents)
    policy_exported.write_list(folder, documents)
    document = {"folder": str(folder), "documents": len(documents), "changed": changed}
    lines = [f"{len(documents)} documents are in {folder}; {len(changed)} were new or changed."]
    emit(document, json_wanted, lines)


def _opened(ctx: click.Context) -> Any:
    """The store, in which what begins today has begun."""
    from gateway.wiring.beginning import begin_due

    opened = open_store(ctx)
    begin_due(opened.settings, opened.database, opened.ring, at=opened.at)
    return opened


def _told(opened: Any, proposal: Proposal) -> tuple[dict[str, object], list[str]]:
    """What a proposal changes and when it begins, for programs and in lines."""
    from gateway.adapters import policy_since
    from gateway.policy import quoted

    with opened.database.read() as connection:
        begins, changes = policy_since.told(connection, proposal, on=opened.at.date())
    wrote = [f"Written by {', '.join(proposal.writers)}."] if proposal.writers else []
    lines = [*wrote, *([begins] if begins else []), *map(quoted, changes)]
    return {"changes": list(changes), "begins": begins}, lines


def _described(proposal: Proposal) -> dict[str, object]:
    given = [
        {"controller": controller, "approver": approver}
        for controller, approver in proposal.approvals
    ]
    return {
        "agreement": proposal.agreement,
        "version": proposal.version,
        "policy_digest": proposal.policy_digest,
        "editor": proposal.editor,
        "writers": list(proposal.writers),
        "controllers": list(proposal.controllers),
        "approved": given,
        "state": "approved" if proposal.complete else "proposed",
    }


COMMANDS = (propose, newest, approve, withdraw, status, export)
