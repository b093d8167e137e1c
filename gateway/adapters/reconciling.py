"""Ending the hold of a restored directory: what came after the backup is known to be there.

The register must reach its mark beside the key ring, which no data backup holds; the
ledger must verify, and continue every checkpoint that was kept outside. What no file
can tell, a named person says. That no checkpoint is there, or that the newest one is
ahead of the backup, an auditor may take upon them: the ledger says so for good.

Source: security point 24; docs/how-to/run-the-service.md, "Backups"; ADR 0337.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gateway.adapters import (
    backup,
    ledger_check,
    ledger_mark,
    ledger_store,
    operators,
    register_trust,
)
from gateway.adapters.backup import Backup
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.adapters.keyring_signing import raw_public
from gateway.adapters.register_trust import RegisterMark
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError, HeldForPerson, IntegrityError, UsageError
from gateway.ledger import Checkpoint
from gateway.model.counting import counted
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, authorise

REASONS = (
    "none-kept",
    "kept-copies-lost",
    "no-newer-backup",
    "newer-backup-damaged",
    "rehearsal",
)
LONGEST_CHECKPOINT = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the person says who ends a hold.

    Args:
        acting: their name.
        entered: objections and revocations after the backup are entered.
        outside: checkpoints (compact JWS) kept outside this machine.
        unchecked: there is none.
        loss_accepted: what the checkpoints have beyond the backup is lost.
        reason: of the last two, one of `REASONS`.
    """

    acting: str
    entered: bool
    outside: Sequence[str] = ()
    unchecked: bool = False
    loss_accepted: bool = False
    reason: str = ""


def reconcile(
    settings: Settings, database: Database, ring: KeyRing, said: Said, *, at: dt.datetime
) -> dict[str, Any]:
    """Check all that can be checked, write it down, and end the hold.

    Raises:
        UsageError: the directory is not in hold, or what is said contradicts itself.
        RefusedError: the person may not.
        HeldForPerson: something is not said to be entered, no checkpoint is given, the ledger
            is behind one, or the register is behind its mark.
        IntegrityError: the ledger does not verify, or tells another story than a checkpoint.
    """
    held = backup.held_since_restore(settings.data)
    if held is None:
        raise UsageError(
            "restore/not-held",
            "This data directory is not in hold after a restore.",
            remedy="Nothing is to be reconciled: go on.",
        )
    with database.begin() as connection:
        authorise(operators.find(connection, said.acting), Action.LEDGER_CHECKPOINT)
        if not said.entered:
            raise _not_entered(held.created)
        _require_choice(connection, said)
        accepted = _checked(connection, ring, said, held)
        _require_register(settings, register_trust.sequence(connection))
        size, root = ledger_store.size(connection), ledger_store.root(connection).hex()
        who: dict[str, str | int] = {"operator": said.acting}
        for event, facts in accepted.items():
            record(connection, event, {**facts, **who}, at=at)
        record(connection, "ledger-restored", {"size": size, "root": root, **who}, at=at)
    with database.begin() as connection:
        mark = _mark(settings)
        register_trust.read_whole(connection, None)
        mark.advance(connection, anew=mark.read()[0] > 0)
    ledger_mark.begin_anew(settings, database)
    backup.release_hold(settings.data)
    told = {"size": size + 1 + len(accepted), "root": root, "restored": held.created}
    return told | {"accepted": list(accepted)}


def read_checkpoint_file(path: Path) -> str:
    """The checkpoint in a file that was kept outside.

    Raises:
        IntegrityError: the file holds something else.
    """
    with open(path, "rb") as file:
        content = file.read(LONGEST_CHECKPOINT)
    if not content.isascii() or not content.strip():
        raise _no_checkpoint_in_it()
    return content.decode("ascii").strip()


def _require_choice(connection: Connection, said: Said) -> None:
    """A checkpoint, or an auditor's word that there is none."""
    if said.outside and said.unchecked:
        raise UsageError(
            "restore/checkpoint-or-none",
            "A checkpoint is given, and it is said that there is none.",
            remedy="Leave out --no-checkpoint, or --checkpoint.",
        )
    if not said.outside and not said.unchecked:
        raise HeldForPerson(
            "restore/no-checkpoint",
            "No checkpoint is given: nothing shows whether the backup has lost something.",
            remedy="Name the newest one with --checkpoint (partners were sent some). If there is "
            "none, an auditor says so: --no-checkpoint --reason … --as AUDITOR.",
        )
    if said.unchecked or said.loss_accepted:
        authorise(operators.find(connection, said.acting), Action.LEDGER_LOSS_ACCEPT)
        if said.reason not in REASONS:
            raise UsageError(
                "restore/no-reason",
                "There is no reason, or one that is not known.",
                remedy=f"Say --reason with one of: {', '.join(REASONS)}.",
            )


def _checked(
    connection: Connection, ring: KeyRing, said: Said, held: Backup
) -> dict[str, Mapping[str, str | int]]:
    """What an auditor takes upon them, as events with their facts; all else must verify."""
    keys = {
        each.id: raw_public(each.public) for each in ring.verifying_keys(KeyKind.LEDGER_SIGNING)
    }
    signed = [(_signed(jws, keys), jws) for jws in said.outside]
    beyond = [point for point, _ in signed if _is_beyond(connection, point, held)]
    within = [jws for point, jws in signed if point not in beyond]
    report = ledger_check.verify(connection, keys=keys, outside=within)
    if not report.ok or not _begins_as(connection, held, report.size):
        fault = report.faults[0] if report.faults else f"ledger/not-consistent at {held.size}"
        raise IntegrityError(
            "restore/ledger-differs",
            f"The ledger does not continue what is known of it ({fault}).",
            remedy="Share nothing. Restore another backup, and find out who changed this one.",
        )
    if said.unchecked:
        return {"restore-unchecked": {"code": said.reason, "size": held.size}}
    if not beyond:
        return {}
    newest = max(beyond, key=lambda point: point.size)
    missing = newest.size - held.size
    if not said.loss_accepted:
        raise _behind(held, newest.size, missing)
    root = newest.root.hex()
    facts: dict[str, str | int] = {
        "size": held.size,
        "entries": missing,
        "root": root,
        "code": said.reason,
    }
    return {"restore-loss-accepted": facts}


def _signed(jws: str, keys: Mapping[str, bytes]) -> Checkpoint:
    try:
        return ledger_check.read_checkpoint(jws, keys)
    except GatewayError:
        raise _no_checkpoint_in_it() from None


def _is_beyond(connection: Connection, point: Checkpoint, held: Backup) -> bool:
    """Whether a checkpoint was made after the backup, of entries that this ledger has not.

    What is entered after the restore makes the ledger longer, with other entries: its
    length alone says nothing.
    """
    if point.size <= held.size:
        return False
    here = point.size <= ledger_store.size(connection)
    return not (here and ledger_store.root(connection, point.size) == point.root)


def _begins_as(connection: Connection, held: Backup, size: int) -> bool:
    """Whether the ledger begins with what the backup said that it holds."""
    return held.size <= size and ledger_store.root(connection, held.size).hex() == held.root


def _behind(held: Backup, size: int, missing: int) -> HeldForPerson:
    return HeldForPerson(
        "restore/ledger-behind",
        f"{counted(missing, 'entry is', 'entries are')} missing: the backup ends at {held.size}, "
        f"the checkpoint is of {size}.",
        remedy="Restore a newer backup. If there is none, an auditor accepts the loss: "
        "--accept-loss --reason … --as AUDITOR. Releases after the backup are not in the ledger.",
        entries=missing,
    )


def _no_checkpoint_in_it() -> IntegrityError:
    return IntegrityError(
        "restore/checkpoint-form",
        "The file holds no checkpoint that this ledger has signed.",
        remedy="Name the file that `gateway ledger checkpoint --to` wrote, unchanged.",
    )


def _mark(settings: Settings) -> RegisterMark:
    return RegisterMark(settings.data / "keys" / "register.mark")


def _require_register(settings: Settings, number: int) -> None:
    reached, _ = _mark(settings).read()
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
