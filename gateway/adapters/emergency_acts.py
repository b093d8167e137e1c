"""The acts of an emergency disclosure, each one transaction with its ledger entry.

    ask (first person) -> looked for by a worker -> confirm (second person) -> disclosed
    -> both file their reason; an overseer says that they have seen it

None of them opens anything: what was typed is sealed on its way in, to the month's
storage key, and only a worker, or a command with the passphrase, looks into it.

Source: security points 4, 8, 20; requirement R29; docs/adr/0298.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import pyrage
import sqlalchemy as sa

from gateway.adapters import emergency_records, emergency_rules, jobs, operators
from gateway.adapters.database import Database
from gateway.adapters.dispatching import Append
from gateway.adapters.emergency_records import WAITING, Emergency, EmergencyState, Reason, as_text
from gateway.adapters.emergency_rules import Wanted
from gateway.adapters.jobs import JobKind
from gateway.adapters.keyring import StorageRecipient
from gateway.errors import InputRejected, RefusedError, UsageError
from gateway.model.permissions import Action, authorise
from gateway.model.urgent import Asked

LAPSES_AFTER = dt.timedelta(hours=1)
A_DAY = 10
LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOffice:
    """What the acts work with; `storage` is the month's public key."""

    database: Database = field(repr=False)
    append: Append = field(repr=False)
    new_id: Callable[[], str]
    storage: StorageRecipient
    at: dt.datetime

    def ask(self, wanted: Wanted, asked: Asked, *, by: str, form: str = "") -> Emergency:
        """Ask for a disclosure about one person; a second person has to confirm it.

        A form that is sent twice, as by a double click, asks once.

        Raises:
            RefusedError: the policy, the permission table, or `emergency/too-many`.
        """
        sealed = self._sealed(asked.written())
        emergency = Emergency(
            id=emergency_rules.id_of(form or self.new_id(), by, wanted, asked),
            agreement=wanted.agreement,
            purpose=wanted.purpose,
            recipient=wanted.recipient,
            state=EmergencyState.ASKED,
            asked_by=by,
            asked_at=as_text(self.at),
            until=as_text(self.at + LAPSES_AFTER),
            sealed=sealed,
            storage_key=self.storage.key_id,
        )
        facts = {"subject": emergency.id, "operator": by, "recipient": wanted.recipient}
        facts |= {"purpose": wanted.purpose, "agreement": wanted.agreement}
        with self.database.begin() as connection:
            authorise(operators.find(connection, by), Action.EMERGENCY_ASK)
            if before := emergency_records.known(connection, emergency.id):
                return before
            plan = emergency_rules.plan_for(connection, wanted, on=self.at.date())
            emergency_rules.require_may(connection, by, Action.EMERGENCY_ASK, plan)
            self._require_few(connection, by)
            facts |= {
                "policy_digest": plan.policy_digest,
                "sealed_digest": hashlib.sha256(sealed).hexdigest(),
            }
            self.append(connection, "emergency-asked", facts)
            emergency_records.add(connection, emergency)
            self._enqueue(connection, JobKind.SEEK, emergency, by=by)
        return emergency

    def confirm(self, emergency: str, *, by: str) -> Emergency:
        """Confirm, as the second person, what somebody else has asked for.

        Confirming again what oneself has confirmed asks the workers again, also where it is
        recorded and a crash came before it left: then nothing is decided any more.

        Raises:
            RefusedError: `emergency/same-person`, `emergency/lapsed`, `emergency/not-made`,
                `emergency/not-ready`, `emergency/over`, or as for `ask`.
        """
        with self.database.begin() as connection:
            found = emergency_records.find(connection, emergency)
            if found.state is EmergencyState.DISCLOSED and found.confirmed_by == by:
                self._enqueue(connection, JobKind.DISCLOSE, found, by=by)
                return found
            authorise(operators.find(connection, by), Action.EMERGENCY_CONFIRM)
            emergency_rules.require_two(found, by)
            late = found.lapsed(self.at)
            if late:
                self.close(connection, found, EmergencyState.LAPSED, code=found.lapse_code)
            else:
                self._confirmed(connection, found, by)
        if late:
            raise _not_made() if found.confirmed_by else _lapsed()
        with self.database.read() as connection:
            return emergency_records.find(connection, emergency)

    def decline(self, emergency: str, *, by: str) -> Emergency:
        """Say no, as the second person, or take it back, as the first.

        Raises:
            RefusedError: they are neither, or it is over.
        """
        with self.database.begin() as connection:
            found = emergency_records.find(connection, emergency)
            if by != found.asked_by:
                authorise(operators.find(connection, by), Action.EMERGENCY_CONFIRM)
            if found.state not in WAITING:
                raise over()
            facts = {"subject": found.id, "code": "emergency/declined", "operator": by}
            self.append(connection, "emergency-closed", facts)
            told = {"state": EmergencyState.DECLINED, "code": "emergency/declined"}
            emergency_records.change(connection, found.id, **told)
            return emergency_records.find(connection, emergency)

    def file_reason(self, emergency: str, text: str, *, by: str) -> Reason:
        """File the reason that somebody owes; it is sealed, its digest in the ledger.

        Raises:
            UsageError: `emergency/no-reason-owed`.
            InputRejected: `emergency/reason`.
        """
        said = _reason(text)
        with self.database.begin() as connection:
            found = emergency_records.find(connection, emergency)
            mine = [r for r in emergency_records.reasons(connection, found.id) if r.person == by]
            if not mine or mine[0].filed_at:
                raise _not_owed()
            sealed = self._sealed(said.encode())
            reason = Reason(
                emergency=found.id,
                person=by,
                due=mine[0].due,
                filed_at=as_text(self.at),
                digest=_digest(sealed),
                sealed=sealed,
                storage_key=self.storage.key_id,
            )
            late = reason.filed_at >= reason.due
            facts = {"subject": found.id, "operator": by, "release": found.release}
            facts |= {"digest": reason.digest, "state": "late" if late else "in-time"}
            self.append(connection, "emergency-reason-filed", facts)
            emergency_records.filed(connection, reason)
        return reason

    def seen(self, emergency: str, *, by: str) -> Emergency:
        """Write down that whoever oversees disclosures has looked at this one.

        Raises:
            RefusedError: they may not, they took part in it, or nothing was disclosed.
        """
        with self.database.begin() as connection:
            authorise(operators.find(connection, by), Action.EMERGENCY_READ)
            found = emergency_records.find(connection, emergency)
            emergency_rules.require_apart(found, by)
            if found.state is not EmergencyState.DISCLOSED:
                raise over()
            if not found.read_by:
                facts = {"subject": found.id, "operator": by, "release": found.release}
                self.append(connection, "emergency-seen", facts)
                emergency_records.change(connection, found.id, read_by=by)
            return emergency_records.find(connection, emergency)

    def ask_reasons(self, emergency: str, *, by: str, reader: str) -> str:
        """Ask a worker to open the filed reasons for one reader; the job.

        Args:
            emergency: which disclosure; asking for its reasons is having `seen` it.
            by: whoever oversees disclosures, and took no part in this one.
            reader: the public half of the pair that was made for this reading.
        """
        self.seen(emergency, by=by)
        with self.database.begin() as connection:
            return jobs.enqueue(
                connection,
                JobKind.REASONS,
                # Each reading is one of its own: nobody waits for another's key.
                subject=f"read-{self.new_id()}",
                by=by,
                request={"emergency": emergency, "reader": reader},
                at=self.at,
            )

    def close(
        self, connection: sa.Connection, found: Emergency, state: EmergencyState, *, code: str
    ) -> None:
        """End one of which nothing has left; what was typed is gone with it."""
        facts = {"subject": found.id, "code": code, "purpose": found.purpose}
        self.append(connection, "emergency-closed", facts | {"agreement": found.agreement})
        emergency_records.change(connection, found.id, state=state, code=code)

    def _confirmed(self, connection: sa.Connection, found: Emergency, by: str) -> None:
        if found.state is EmergencyState.CONFIRMED and found.confirmed_by == by:
            self._enqueue(connection, JobKind.DISCLOSE, found, by=by)
            return
        if found.state is EmergencyState.ASKED:
            raise RefusedError(
                "emergency/not-ready",
                "The person is still being looked for.",
                remedy="Look again in a moment.",
            )
        if found.state is not EmergencyState.FOUND:
            raise over()
        plan = emergency_rules.plan_for(connection, Wanted.of(found), on=self.at.date())
        emergency_rules.require_may(connection, by, Action.EMERGENCY_CONFIRM, plan)
        # Who asked must still be somebody who may.
        emergency_rules.require_may(connection, found.asked_by, Action.EMERGENCY_ASK, plan)
        facts = {"subject": found.id, "operator": found.asked_by, "approver": by}
        facts |= {"policy_digest": plan.policy_digest}
        self.append(connection, "emergency-confirmed", facts)
        told = {"confirmed_by": by, "confirmed_at": as_text(self.at)}
        emergency_records.change(connection, found.id, state=EmergencyState.CONFIRMED, **told)
        self._enqueue(connection, JobKind.DISCLOSE, found, by=by)

    def _enqueue(
        self, connection: sa.Connection, kind: JobKind, found: Emergency, *, by: str
    ) -> None:
        request = {"purpose": found.purpose, "agreement": found.agreement}
        job = jobs.enqueue(connection, kind, subject=found.id, by=by, request=request, at=self.at)
        jobs.hurry(connection, job)

    def _require_few(self, connection: sa.Connection, by: str) -> None:
        since = self.at - dt.timedelta(days=1)
        if emergency_records.asked_since(connection, by, since) >= A_DAY:
            raise RefusedError(
                "emergency/too-many",
                f"You have asked for {A_DAY} emergency disclosures within a day.",
                remedy="Ask a colleague who may, or tell the authority by telephone.",
            )

    def _sealed(self, content: bytes) -> bytes:
        to = pyrage.x25519.Recipient.from_str(self.storage.public)
        return bytes(pyrage.encrypt(content, [to]))


def over() -> RefusedError:
    """The no to an act that comes when nothing waits for it any more."""
    return RefusedError(
        "emergency/over",
        "This emergency disclosure does not wait for that.",
        remedy="Look at its state; ask for a new one if it is still needed.",
    )


def _lapsed() -> RefusedError:
    return RefusedError(
        "emergency/lapsed",
        "Nobody confirmed it within an hour, so that it has lapsed; nothing has left.",
        remedy="Ask for it again, with the second person beside you.",
    )


def _not_made() -> RefusedError:
    return RefusedError(
        "emergency/not-made",
        "No worker could make it within a day of its confirmation, so that it has lapsed; "
        "nothing has left.",
        remedy="Tell the authority by telephone; ask for it again if it is still needed.",
    )


def _not_owed() -> UsageError:
    return UsageError(
        "emergency/no-reason-owed",
        "You owe no reason for this disclosure, or you have filed it.",
        remedy="`gateway emergency list` shows what is owed.",
    )


def _reason(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    whole = not any(unicodedata.category(each) in {"Cc", "Cs"} for each in said.replace("\n", " "))
    if not said or len(said) > LONGEST_REASON or not whole:
        raise InputRejected(
            "emergency/reason",
            f"A reason is a text of at most {LONGEST_REASON} characters.",
            remedy="Say why it could not wait and who decided, without any detail of a person.",
        )
    return said


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
