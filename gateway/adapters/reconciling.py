"""Ending the hold of a restored directory: what came after the backup is known to be there.

The register must reach its mark beside the key ring, which no data backup holds; the
ledger must verify, and continue every checkpoint that was kept outside. What no file
can tell, a named person says.

Source: security point 24; docs/how-to/run-the-service.md, "Backups".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from gateway.adapters import backup, ledger_check, operators, register_trust
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.adapters.keyring_signing import raw_public
from gateway.adapters.register_trust import RegisterMark
from gateway.adapters.settings import Settings
from gateway.errors import HeldForPerson, IntegrityError, UsageError
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, authorise


def reconcile(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    *,
    acting: str,
    entered: bool,
    outside: Sequence[str],
    at: dt.datetime,
) -> dict[str, Any]:
    """Check all that can be checked, write it down, and end the hold.

    Raises:
        UsageError: the directory is not in hold.
        RefusedError: the person may not.
        HeldForPerson: objections or revocations are not said to be entered, or the register
            is behind its mark.
        IntegrityError: the ledger does not verify, or does not continue a checkpoint.
    """
    held = backup.held_since_restore(settings.data)
    if held is None:
        raise UsageError(
            "restore/not-held",
            "This data directory is not in hold after a restore.",
            remedy="Nothing is to be reconciled: go on.",
        )
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.LEDGER_CHECKPOINT)
        if not entered:
            raise _not_entered(held.created)
        public = {
            each.id: raw_public(each.public) for each in ring.verifying_keys(KeyKind.LEDGER_SIGNING)
        }
        report = ledger_check.verify(connection, keys=public, outside=outside)
        if not report.ok:
            raise IntegrityError(
                "restore/ledger-behind",
                f"The ledger does not continue what is known of it ({report.faults[0]}).",
                remedy="Restore a newer backup; releases after this one are not in it.",
            )
        _require_register(settings, register_trust.sequence(connection))
        facts: dict[str, str | int] = {"size": report.size, "root": report.root, "operator": acting}
        record(connection, "ledger-restored", facts, at=at)
    backup.release_hold(settings.data)
    return {"size": report.size + 1, "root": report.root, "restored": held.created}


def _require_register(settings: Settings, number: int) -> None:
    reached, _ = RegisterMark(settings.data / "keys" / "register.mark").read()
    if number < reached:
        raise HeldForPerson(
            "restore/register-behind",
            f"The register ends at entry {number}; it had come to {reached}.",
            remedy="Enter the objections that are missing, from their letters and forms.",
            entries=number,
            wanted=reached,
        )


def _not_entered(created: str) -> HeldForPerson:
    return HeldForPerson(
        "restore/not-entered",
        f"Nobody has said that what came after {created} is entered.",
        remedy="Enter objections, withdrawals, revoked roles, keys and agreements, then say so "
        "with --objections-entered --revocations-entered.",
    )
