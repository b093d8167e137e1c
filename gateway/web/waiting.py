"""What waits for a person: emergencies, proposals, held releases, roles, matches, packages.

Each kind names the act that settles it, so that the permission table says for whom it waits.

Source: security points 1, 3; docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import sqlalchemy as sa
from flask import url_for

from gateway.adapters import (
    asked_access,
    duties,
    operators,
    policy_store,
    register_matches,
)
from gateway.adapters.asked_access import OF_ACCOUNTS, OF_CLIENTS, Way
from gateway.adapters.deliveries import DeliveryState
from gateway.adapters.operators import ASKED
from gateway.adapters.policy_reading import DecisionInputs
from gateway.adapters.release_acceptance import among
from gateway.adapters.release_store import RELEASES, ReleaseState
from gateway.model.permissions import Action
from gateway.model.rounding import rounded
from gateway.policy import Bundle
from gateway.web import release_choice, waiting_emergencies, waiting_packages, waiting_versions
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.proposals import newcomers, signers
from gateway.web.release_columns import recipient_title
from gateway.web.waiting_item import Group, Item

_WAYS = {
    Way.ACCOUNT: "added",
    Way.RESET: "new first password",
    Way.SUBJECT: "bound to somebody of the provider",
    Way.KEY: "key added",
}
MOST = 50
FEW = 10


def everything(
    connection: sa.Connection, read: DecisionInputs, caller: Caller
) -> tuple[Group, ...]:
    """Each kind of thing that waits, also those of which nothing does; the most urgent first.

    Args:
        connection: any.
        read: the documents and what is approved of them.
        caller: who looks; what they may not open is not linked.
    """
    bundle = read.bundle
    return (
        *waiting_emergencies.groups(connection, read, caller),
        Group(
            name="Agreements that changed since they were approved",
            action=Action.POLICY_PROPOSE,
            items=tuple(waiting_versions.moved(connection, read)),
            how="gateway policy propose AGREEMENT --as YOU",
        ),
        Group(
            name="Proposals to sign",
            action=Action.POLICY_APPROVE,
            items=tuple(_proposals(connection, bundle)),
        ),
        Group(
            name="Releases held because they were unusual",
            action=Action.RELEASE_ACCEPT,
            items=tuple(_held(connection, bundle)),
        ),
        *waiting_versions.ahead(connection, read),
        Group(
            name="Roles that a second person confirms",
            action=Action.OPERATOR_CONFIRM,
            items=tuple(_roles(connection)),
            how="gateway operators confirm NAME --as YOU",
        ),
        *_ways_in(connection),
        Group(
            name="People who may have objected",
            action=Action.SUBJECT_ANSWER,
            items=tuple(_matches(connection)),
            how="gateway objections settle MATCH --as YOU",
        ),
        *_at_recipients(connection, bundle),
    )


def _at_recipients(connection: sa.Connection, bundle: Bundle) -> tuple[Group, ...]:
    """What waits for recipients, and for whoever asks them."""
    return (
        Group(
            name="Packages to carry to the recipient’s portal",
            action=Action.PACKAGE_CARRY,
            items=tuple(_to_carry(connection, bundle)),
            how="gateway deliveries carry PACKAGE --to FOLDER --as YOU",
        ),
        Group(
            name="Packages not delivered",
            action=Action.PACKAGE_CARRY,
            items=tuple(_undelivered(waiting_packages.to_try_again(connection))),
            how="gateway deliveries retry PACKAGE --as YOU",
        ),
        Group(
            name="Packages of a release that was stopped on its way",
            action=Action.RELEASE,
            items=tuple(_undelivered(waiting_packages.to_release_again(connection))),
            how="gateway share PURPOSE --agreement AGREEMENT --as YOU",
        ),
        Group(
            name="Certificates of destruction that are overdue",
            action=Action.PACKAGE_CARRY,
            items=tuple(_overdue(connection, bundle)),
            how="gateway duties certificate PACKAGE FILE",
        ),
    )


def without_links(groups: Iterable[Group], path: str) -> tuple[Group, ...]:
    """The same groups without links to pages under a path, for whoever may not open them."""
    return tuple(
        replace(
            group,
            items=tuple(
                replace(item, href="") if item.href.startswith(path) else item
                for item in group.items
            ),
        )
        for group in groups
    )


def _proposals(connection: sa.Connection, bundle: Bundle) -> Iterator[Item]:
    newest = {proposal.agreement: proposal for proposal in policy_store.proposals(connection)}
    new = {each.agreement: found for each, found in newcomers(connection, bundle, newest.values())}
    for proposal in newest.values():
        if proposal.complete:
            continue
        signed = {controller for controller, _ in proposal.approvals}
        known = bundle.agreements.get(proposal.agreement) or new.get(proposal.agreement)
        yield Item(
            text=known.title if known else proposal.agreement,
            hint=f"Version {proposal.version}, for "
            + ", ".join(each for each in proposal.controllers if each not in signed),
            by=proposal.editor,
            href=url_for("policies.proposed", agreement=proposal.agreement),
            people=signers(connection, proposal),
        )


def _held(connection: sa.Connection, bundle: Bundle) -> Iterator[Item]:
    # Accepted ones stay held; the record says so. It is one text, looked into here.
    unusual = RELEASES.c.record.contains('"alarms": ')
    accepted = RELEASES.c.record.contains('"accepted_by": ')
    query = (
        sa.select(RELEASES)
        .where(RELEASES.c.state == ReleaseState.HELD, unusual, ~accepted)
        .order_by(RELEASES.c.sequence.desc())
        .limit(MOST)
    )
    everybody = operators.listed(connection)
    for row in connection.execute(query):
        known = bundle.agreements.get(row.agreement)
        title, agreement = release_choice.titles(bundle, row.purpose, row.agreement)
        yield Item(
            text=title,
            hint=agreement,
            since=row.created,
            by=row.officer,
            href=url_for("releases.one", release=row.id),
            people=among(everybody, tuple(known.controllers) if known else ()),
        )


def _roles(connection: sa.Connection) -> Iterator[Item]:
    for row in connection.execute(sa.select(ASKED).order_by(ASKED.c.operator, ASKED.c.role)):
        what = f"{row.operator}: {row.role}"
        yield Item(text=f"{what} for {row.controller}" if row.controller else what, by=row.asked_by)


def _ways_in(connection: sa.Connection) -> tuple[Group, ...]:
    """Accounts and programs that nobody can use before a second person has confirmed them."""
    kinds = (
        ("Accounts that a second person confirms", OF_ACCOUNTS, "accounts confirm LOGIN"),
        ("Clients' keys that a second person confirms", OF_CLIENTS, "clients confirm CLIENT"),
    )
    return tuple(
        Group(
            name=name,
            action=Action.ACCOUNT_CONFIRM,
            items=tuple(
                Item(text=f"{asked.owner}: {_WAYS[asked.way]}", by=asked.asked_by)
                for asked in asked_access.waiting(connection, ways)
            ),
            how=f"gateway {command} --as YOU",
        )
        for name, ways, command in kinds
    )


def _matches(connection: sa.Connection) -> Iterator[Item]:
    matches = register_matches.MATCHES
    query = (
        sa.select(matches.c.purpose, sa.func.count(), sa.func.min(matches.c.day))
        .where(matches.c.state == register_matches.OPEN)
        .group_by(matches.c.purpose)
        .order_by(matches.c.purpose)
    )
    for purpose, count, day in connection.execute(query):
        many = "fewer than 10" if count < FEW else rounded(count)
        what = f"{many} doubtful matches for {purpose}"
        yield Item(text=what[:1].upper() + what[1:], since=day)


def _to_carry(connection: sa.Connection, bundle: Bundle) -> Iterator[Item]:
    for each in waiting_packages.to_carry(connection):
        fetched = each.state == DeliveryState.DISPATCHED
        yield Item(
            text=f"{each.package} for {recipient_title(bundle, each.recipient)}",
            hint="Fetched; its receipt number is missing" if fetched else "Nobody has fetched it",
            since=each.dispatched_at if fetched else each.created,
            href=url_for("deliveries.one", package=each.package),
        )


def _undelivered(found: waiting_packages.Rows) -> Iterator[Item]:
    for each in found:
        yield Item(
            text=f"{each.package} for {each.recipient}",
            hint=each.last_code,
            since=each.created,
            href=url_for("releases.one", release=each.release),
        )


def _overdue(connection: sa.Connection, bundle: Bundle) -> Iterator[Item]:
    on = desk().now().date()
    for duty in duties.overdue(connection, on=on, limit=MOST):
        yield Item(
            text=f"{duty.package} at {recipient_title(bundle, duty.recipient)}",
            since=duty.destroy_by,
            href=url_for("releases.one", release=duty.release, _anchor="duties"),
        )
