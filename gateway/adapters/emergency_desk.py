"""One emergency disclosure as a release of one person: its desk, and its run.

It is made in the rooms of every release and written down as one. In the transaction
that records it both people come to owe their reason, so that nothing leaves of which
that is not known.

Source: security points 4, 15, 20; requirement R29; docs/adr/0298.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
import pyrage
import sqlalchemy as sa

from gateway import model
from gateway.adapters import emergency_records, emergency_rules, operators, release_refusals
from gateway.adapters.emergency_records import Emergency, EmergencyState, Reason, as_text
from gateway.adapters.emergency_rules import Wanted
from gateway.adapters.keyring import KeyRing
from gateway.adapters.release_answers import refused
from gateway.adapters.release_run import Run
from gateway.adapters.release_stops import write_refusal
from gateway.adapters.release_store import ReleaseState
from gateway.adapters.release_world import Inputs, World
from gateway.adapters.share_desk import Desk
from gateway.errors import HeldForPerson, IntegrityError, RefusedError
from gateway.minimise import Masking
from gateway.model import Plan, Refusal, SharingRequest
from gateway.model.permissions import Action, Owing, reason_owed
from gateway.model.urgent import TYPED, Asked
from gateway.selection import FOUND_BY, Source
from gateway.workflows.disclosing import asked_from_sealed, sought_of
from gateway.workflows.sharing import Outcome

REASON_WITHIN = dt.timedelta(hours=24)
NOT_CERTAIN = "emergency/not-certain"


@dataclass(slots=True)
class TypedRow:
    """What was typed, as one row of a dataset, once it is known of whom."""

    asked: Asked = field(repr=False)
    person: str = field(default="", repr=False)
    rows: int = 1

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The one row; nothing before the person was found."""
        if self.person:
            yield pl.DataFrame(
                {
                    "person_id": [self.person],
                    "risk_statement": [self.asked.risk_statement],
                    "contact_route": [self.asked.contact_route],
                }
            )


class DisclosureRelease(Run):
    """See `gateway.workflows.disclosing.DisclosureRun`."""

    def __init__(
        self, world: World, inputs: Inputs, plan: Plan, *, emergency: Emergency, typed: TypedRow
    ) -> None:
        """Open it as a release of the one who asked."""
        super().__init__(world, inputs, plan, emergency.asked_by)
        self._emergency = emergency
        self._typed = typed
        self._overridden = 0
        drawn = self.masking
        self.masking = Masking(
            seed=drawn.seed, communal=drawn.communal, protected=drawn.protected, one_in=0
        )

    @property
    def sought(self) -> pl.DataFrame:
        """Who is meant, as elements."""
        return sought_of(self._typed.asked)

    def about(self, person: str) -> None:
        """Join what was typed to the person who was found."""
        self._typed.person = person

    def overrides(self, people: int) -> None:
        """Note how many had said no, for the register of disclosures."""
        self._overridden = people

    def not_certain(self) -> Outcome:
        """Record that nobody was certainly found."""
        sentence = emergency_records.why(NOT_CERTAIN)
        reasons = [model.Reason(code=NOT_CERTAIN, clause=self._plan.clause, reason=sentence)]
        with self._world.database.begin() as connection:
            write_refusal(
                connection, self._world, self._plan, release=self.release, reasons=reasons
            )
        self._state = ReleaseState.REFUSED
        return refused(self._plan, reasons, release=self.release)

    def recording(self, connection: sa.Connection) -> None:
        """Write down the disclosure, and what both people owe, with the release itself.

        Raises:
            HeldForPerson: another attempt has taken it over.
            RefusedError: one of the two has come to owe a reason since, or may no longer.
        """
        now = emergency_records.find(connection, self._emergency.id)
        if now.state is not EmergencyState.CONFIRMED or now.release != self.release:
            raise HeldForPerson(
                "emergency/taken-over",
                "Another attempt has taken this disclosure over.",
                remedy="`gateway emergency list` shows where it stands.",
            )
        require_both(connection, now, self._plan)
        output, at = self._plan.outputs[0], self._world.now()
        facts = {"subject": now.id, "release": self.release, "clause": output.clause}
        facts |= {"operator": now.asked_by, "approver": now.confirmed_by}
        facts |= {"recipient": now.recipient, "policy_digest": self._plan.policy_digest}
        self._world.append(connection, "emergency-disclosed", facts | {"count": self._overridden})
        emergency_records.owe(connection, now.id, now.people, due=as_text(at + REASON_WITHIN))
        told = {"disclosed_at": as_text(at), "overridden": self._overridden}
        emergency_records.change(connection, now.id, state=EmergencyState.DISCLOSED, **told)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyDesk(Desk):
    """See `gateway.workflows.disclosing.DisclosureDesk`; made with `disclosure_desk`."""

    emergency: Emergency
    typed: TypedRow = field(repr=False)

    def settled(self) -> Plan | Refusal:
        """Decide by the agreement in force, for the two people of this disclosure."""
        found = self.emergency
        try:
            with self.world.database.begin() as connection:
                wanted = Wanted.of(found)
                plan = emergency_rules.plan_for(connection, wanted, on=self.approvals.on)
                if found.state is EmergencyState.CONFIRMED:
                    require_both(connection, found, plan)
        except RefusedError as no:
            return release_refusals.refusal_of(no, "")
        return plan

    def open(self, plan: Plan) -> DisclosureRelease:
        """Open the disclosure as a release."""
        inputs = self._inputs(plan)
        # The last scan reads the batch; nothing else of it is needed but to find and compare.
        inputs = replace(inputs, elements=tuple(sorted({*inputs.elements, *FOUND_BY})))
        return DisclosureRelease(
            self.world, inputs, plan, emergency=self.emergency, typed=self.typed
        )

    def spine(self, plan: Plan) -> Source:
        """The stored extracts in which the person is looked for."""
        return self._source(plan, plan.cohort.dataset, None)


@dataclass(frozen=True, slots=True)
class Disclosing:
    """The disclosure that two people have asked for and confirmed."""

    desk: EmergencyDesk

    def decide(self) -> Plan | Refusal:
        """Decide by the agreement in force, for two people who may disclose."""
        return self.desk.settled()

    def refuse(self, refusal: Refusal) -> Outcome:
        """Record a refusal and answer with its reasons."""
        emergency = self.desk.emergency
        request = SharingRequest(purpose=emergency.purpose, agreement=emergency.agreement)
        return self.desk.refuse(request, refusal, officer=emergency.asked_by)

    def begin(self, plan: Plan) -> DisclosureRelease:
        """Open the disclosure under this Plan."""
        return self.desk.open(plan)


def emergency_desk(desk: Desk, emergency: Emergency) -> EmergencyDesk:
    """A release desk for one emergency disclosure; what was typed is opened in memory."""
    typed = TypedRow(asked_from_sealed(opened(desk.ring, emergency)))
    contract = desk.approvals.bundle.contracts[TYPED]
    return EmergencyDesk(
        world=desk.world,
        ring=desk.ring,
        extracts=desk.extracts,
        approvals=desk.approvals,
        emergency=emergency,
        typed=typed,
        beside={TYPED: Source(contract, (typed,))},
    )


def opened(ring: KeyRing, kept: Emergency | Reason) -> bytes:
    """What was sealed with a disclosure or a reason.

    Raises:
        IntegrityError: it does not open under its key.
    """
    identity = pyrage.x25519.Identity.from_str(ring.storage_identity(kept.storage_key))
    try:
        return bytes(pyrage.decrypt(kept.sealed or b"", [identity]))
    except pyrage.DecryptError:
        raise IntegrityError(
            "emergency/not-openable",
            "What was sealed with it does not open.",
            remedy="Restore database and key ring from one backup, or ask for it anew.",
        ) from None


def require_both(connection: sa.Connection, emergency: Emergency, plan: Plan) -> None:
    """Both people may still do what they did, and neither owes a reason.

    Raises:
        RefusedError: one may not.
    """
    emergency_rules.require_two(emergency, emergency.confirmed_by)
    for person in emergency.people:
        if operators.find(connection, person).owes is not Owing.NOTHING:
            raise reason_owed(Action.EMERGENCY_CONFIRM)
    acts = (Action.EMERGENCY_ASK, Action.EMERGENCY_CONFIRM)
    for person, action in zip(emergency.people, acts, strict=True):
        emergency_rules.require_may(connection, person, action, plan)
