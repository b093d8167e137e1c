"""Agreements that changed, whose days come near, or whose next version cannot begin any more.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from flask import url_for

from gateway.adapters import policy_store, policy_waiting
from gateway.adapters.policy_reading import DecisionInputs
from gateway.model.permissions import Action
from gateway.policy import review_due
from gateway.web.desk import desk
from gateway.web.documents import changed, in_force
from gateway.web.waiting_item import Group, Item


def moved(connection: sa.Connection, read: DecisionInputs) -> Iterator[Item]:
    """What was approved and is not what it was: nothing leaves until it is proposed and signed.

    One that was proposed again waits for its approvers, and stands among the proposals.
    """
    newest = {each.agreement: each for each in policy_store.proposals(connection)}
    waits = {name for name, proposal in newest.items() if not proposal.complete}
    for name in sorted(changed(read) - waits):
        yield Item(
            text=read.bundle.agreements[name].title,
            hint="nothing leaves under it until it is proposed and approved again",
            href=url_for("policies.one", agreement=name),
        )


def ahead(connection: sa.Connection, read: DecisionInputs) -> tuple[Group, Group]:
    """What an editor has to see to before its day comes."""
    return (
        Group(
            name="Agreements whose review or last day is near",
            action=Action.POLICY_PROPOSE,
            items=tuple(near(connection, read)),
        ),
        Group(
            name="Approved versions that cannot begin as they are",
            action=Action.POLICY_PROPOSE,
            items=tuple(stale(connection, read)),
        ),
    )


def near(connection: sa.Connection, read: DecisionInputs) -> Iterator[Item]:
    """What is to be reviewed or ends soon, unless its next version begins before.

    Also of what has changed since it was approved: its days come all the same.
    """
    today = desk().now().date()
    following = policy_waiting.succeeding(connection)
    for name in sorted(in_force(read) | changed(read)):
        agreement = read.bundle.agreements[name]
        if today < agreement.starts:
            continue
        days = ((agreement.review, "Review by"), (agreement.ends, "Last day"))
        told = [
            f"{what} {day.day} {day:%B %Y}"
            for day, what in days
            if review_due(day, today) and not policy_waiting.succeeded_by(following.get(name), day)
        ]
        if told:
            href = url_for("policies.one", agreement=name)
            yield Item(text=agreement.title, hint=", ".join(told), href=href)


def stale(connection: sa.Connection, read: DecisionInputs) -> Iterator[Item]:
    """Versions that wait for their first day and of which what they read has changed."""
    for each in policy_waiting.waiting(connection):
        if not each.holds:
            name = each.proposal.agreement
            known = read.bundle.agreements.get(name)
            yield Item(
                text=known.title if known else name,
                hint=policy_waiting.said(connection, each, on=desk().now().date()),
                href=url_for("policies.one", agreement=name),
            )
