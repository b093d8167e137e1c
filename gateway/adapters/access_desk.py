"""A way in takes two people, once there have been two administrators: asking and taking.

Source: security points 4, 20; docs/adr/0282.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.adapters import asked_access, operators
from gateway.adapters.asked_access import OF_CLIENTS, Asked
from gateway.adapters.keyring_ledger import record
from gateway.adapters.operator_desk import one_is_enough
from gateway.errors import RefusedError, UsageError
from gateway.model.permissions import Action, authorise


def ask(connection: Connection, asked: Asked, facts: Mapping[str, str], *, at: dt.datetime) -> None:
    """Keep a way in shut until another person confirms it, unless there never was another.

    Args:
        connection: that of the act itself.
        asked: the way in, and who gives it.
        facts: for whom it is, as the ledger names it.
        at: when.
    """
    if one_is_enough(connection):
        return
    asked_access.ask(connection, asked)
    _record(connection, "asked", asked, {**facts, "approver": asked.asked_by}, at)


def confirm(
    connection: Connection,
    waiting: tuple[Asked, ...],
    facts: Mapping[str, Mapping[str, str]],
    *,
    acting: str,
    operator: str = "",
    at: dt.datetime,
) -> None:
    """Open the ways in that wait, as a second person.

    Args:
        connection: that of the act.
        waiting: what waits of one account or client.
        facts: of each by its name, as the ledger says it.
        acting: who confirms.
        operator: whom they let in, if it is an operator.
        at: when.

    Raises:
        UsageError: nothing waits.
        RefusedError: it is one who asked, or whom it lets in, or nobody who may confirm.
    """
    authorise(operators.find(connection, acting), Action.ACCOUNT_CONFIRM)
    if not waiting:
        raise UsageError(
            "accounts/nothing-asked",
            "Nothing of that waits for a second person.",
            remedy="`gateway accounts list` and `gateway clients list` show what waits.",
        )
    if acting in {operator, *(asked.asked_by for asked in waiting)}:
        raise RefusedError(
            "accounts/same-person",
            "A way in takes two people, neither of them the one whom it lets in.",
            remedy="Ask another administrator, an auditor or a custodian.",
        )
    for asked in waiting:
        asked_access.forget(connection, frozenset({asked.way}), owner=asked.owner, name=asked.name)
        _record(connection, "confirmed", asked, {**facts[asked.name], "approver": acting}, at)


def _record(
    connection: Connection, what: str, asked: Asked, facts: Mapping[str, str], at: dt.datetime
) -> None:
    if asked.way in OF_CLIENTS:
        named = {"client": asked.owner, "key": asked.owner}
        record(connection, f"client-{what}", {**named, **facts}, at=at)
    else:
        named = {"account": asked.owner, "code": asked.way.value}
        record(connection, f"account-{what}", {**named, **facts}, at=at)
