"""Agreements whose days come near, and approved versions that cannot begin any more.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from flask import url_for

from gateway.adapters import policy_waiting
from gateway.adapters.policy_reading import DecisionInputs
from gateway.policy import review_due
from gateway.web.desk import desk
from gateway.web.documents import in_force
from gateway.web.waiting_item import Item


def near(connection: sa.Connection, read: DecisionInputs) -> Iterator[Item]:
    """What is to be reviewed or ends soon, unless its next version begins before."""
    today = desk().now().date()
    following = policy_waiting.succeeding(connection)
    for name in sorted(in_force(read)):
        agreement = read.bundle.agreements[name]
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
