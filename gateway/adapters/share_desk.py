"""Who may run a release, by which policy, over which extracts, with which keys.

Everything that a release reads is opened here, for it alone: extracts whose digest
is the ledger's, the register, and keys under a grant for this very policy.

Source: security points 3, 7, 8, 15, 16; UK GDPR Art 32(4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyrage
import sqlalchemy as sa

from gateway.adapters import dry_runs, operators, recipients, register_store, release_refusals
from gateway.adapters.approvals import Approvals
from gateway.adapters.extract_store import Extracts
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_trust import RegisterMark
from gateway.adapters.release_keys import ReleaseKeys, Uses
from gateway.adapters.release_memory import ReleaseMemory, memory_of
from gateway.adapters.release_run import Run
from gateway.adapters.release_world import Inputs, World
from gateway.adapters.replaced_extracts import called_then, not_asked
from gateway.adapters.share_people import (
    COMMUNAL,
    MaskedPeople,
    communal_postcodes,
    protected_column,
    protected_people,
    stayed_behind,
    without_effect,
    without_list,
)
from gateway.adapters.store_reading import SealedExtract, StoredExtract
from gateway.adapters.tapping import Tap, Tapped, untapped
from gateway.errors import RefusedError, Unavailable
from gateway.minimise import linkage_elements
from gateway.model import (
    Contract,
    Plan,
    Refusal,
    SharingRequest,
)
from gateway.model.extracts import AGREED, ExtractRecord, meanings
from gateway.model.keys import KeyKind
from gateway.objections import Register, elements_compared
from gateway.selection import Replaced, Source, of_another_contract
from gateway.selection.sources import column_of_field
from gateway.workflows.sharing import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """See `gateway.workflows.sharing.ShareDesk`.

    `beside` are sources that nobody sent; `moved_on` are the releases recorded before this
    run that moved on as it began, or cannot.
    """

    world: World
    ring: KeyRing
    extracts: Extracts
    approvals: Approvals
    beside: Mapping[str, Source] = field(default_factory=dict, repr=False)
    moved_on: tuple[str, ...] = ()

    def decide(self, request: SharingRequest, officer: str) -> Plan | Refusal:
        """Decide by the agreements in force, for an officer who may run this release."""
        self.approvals.require_known(request.agreement)
        with self.world.database.begin() as connection:
            person = operators.find(connection, officer)
            decision = self.approvals.decide(connection, request)
            no = release_refusals.may_not(connection, person, decision)
            if no is not None or isinstance(decision, Refusal):
                return no or decision
            keys, on = ReleaseKeys(self.ring, decision), self.approvals.on
            no = release_refusals.not_releasable(connection, person, decision, keys, on=on)
        return no or decision

    def refuse(self, request: SharingRequest, refusal: Refusal, *, officer: str) -> Outcome:
        """Record a refusal and answer with its reasons."""
        release = release_refusals.note(self.world, request, refusal, officer=officer)
        return release_refusals.answered(request, refusal, state="refused", release=release)

    def would_refuse(self, request: SharingRequest, refusal: Refusal) -> Outcome:
        """Answer with the reasons and record nothing."""
        return release_refusals.answered(request, refusal, state="would-refuse")

    def begin(self, plan: Plan, officer: str) -> Run:
        """Open a release under this Plan."""
        try:
            return Run(self.world, self._inputs(plan), plan, officer)
        except RefusedError as no:
            raise release_refusals.noted(self.world, plan, no, officer=officer) from None

    def rehearse(self, plan: Plan, officer: str, *, reason: str) -> Run:
        """Open the same inputs without a release; today's number of rehearsals is bounded."""
        on = self.approvals.on
        dry_runs.note(self.world, plan, officer=officer, reason=reason, as_of=on)
        return Run(self.world, self._inputs(plan, rehearsal=True), plan, "")

    def imagine(self, plan: Plan, *, register: Register | None = None) -> Run:
        """Open the same inputs for a plan that nobody has approved: no grant is asked for.

        Args:
            plan: what is imagined.
            register: where the same register was opened a moment ago.
        """
        inputs = self._inputs(plan, rehearsal=True, granted=False, register=register)
        return Run(self.world, inputs, plan, "")

    def stored(self, plan: Plan) -> bool:
        """Whether an extract of each dataset that the plan reads is in use."""
        return all(self._records(plan, dataset) for dataset in _read_by(plan))

    def unfit(self, plan: Plan) -> RefusedError | None:
        """Why the extracts in use cannot be read by this plan's contracts, if so."""
        contracts = self.approvals.bundle.contracts
        try:
            for dataset in _read_by(plan):
                if dataset not in self.beside:
                    records = self._records(plan, dataset)
                    _require_same_meaning(Source(contracts[dataset], ()), plan, records)
        except RefusedError as no:
            return no
        return None

    def _inputs(
        self,
        plan: Plan,
        *,
        rehearsal: bool = False,
        granted: bool = True,
        register: Register | None = None,
    ) -> Inputs:
        world, keys = self.world, ReleaseKeys(self.ring, plan)
        tap = None if rehearsal else Tap()
        with world.database.begin() as connection:
            read_at = world.now()
            register = register or self._register(connection, plan)
            uses = keys.uses(connection, on=self.approvals.on) if granted else ()
            public = {
                output.recipient.id: recipients.confirmed(connection, output.recipient.id).public
                for output in plan.outputs
            }
        sources = {
            dataset: self._source(plan, dataset, tap if dataset == plan.cohort.dataset else None)
            for dataset in _read_by(plan)
        }
        return Inputs(
            sources=sources,
            elements=(*linkage_elements(plan), "pc", *elements_compared(register)),
            register=register,
            register_read_at=read_at,
            keys=keys.drawn() if rehearsal else keys.opened(),
            recipients=public,
            masked=self._masked(plan),
            extracts=tuple(each.id for each in self._records(plan, plan.cohort.dataset)),
            warnings=self._warnings(plan, register, sources[plan.cohort.dataset].contract),
            directs=tap.seen if tap else untapped,
            record_key_uses=Uses(uses, world.now),
            link_map_key=self._link_map_key,
            memory=self._memory(plan),
        )

    def _warnings(self, plan: Plan, register: Register, spine: Contract) -> tuple[str, ...]:
        return (
            *without_effect(register, spine),
            *without_list(self.world.data / COMMUNAL, spine),
            *stayed_behind(plan, self._records(plan, plan.cohort.dataset)),
            *not_asked(
                plan,
                spine,
                (
                    (self.approvals.bundle.contracts[dataset], record)
                    for dataset in _read_by(plan)
                    if dataset not in self.beside
                    for record in self._earlier(plan, dataset)
                ),
            ),
        )

    def _register(self, connection: sa.Connection, plan: Plan) -> Register:
        """The whole register verified, and of it what is in force for this purpose."""
        return register_store.open_register(
            connection,
            self.ring,
            plan.request.purpose,
            plan.controller,
            mark=RegisterMark(self.world.data / "keys" / "register.mark"),
            participation=plan.participation,
        )

    def _memory(self, plan: Plan) -> ReleaseMemory:
        """What is remembered of earlier releases of this purpose to these recipients."""
        secret = self.ring.symmetric(KeyKind.SUBJECT_INDEX).secret
        with self.world.database.read() as connection:
            return memory_of(connection, self.world.data, plan, secret=secret, on=self.approvals.on)

    def _masked(self, plan: Plan) -> MaskedPeople:
        """Who gets nothing of an address: listed communal places, and the register's protected."""
        listed = communal_postcodes(self.world.data / COMMUNAL)
        marking = [
            self._source(plan, contract.id, None)
            for contract in self.approvals.bundle.contracts.values()
            if protected_column(contract)
            and contract.id != plan.cohort.dataset
            and any(r.party in plan.senders for r in self.extracts.in_use(contract.id))
        ]
        return MaskedPeople(communal=listed, protected=protected_people(marking))

    def _source(self, plan: Plan, dataset: str, tap: Tap | None) -> Source:
        if dataset in self.beside:
            return self.beside[dataset]
        records = self._records(plan, dataset)
        if not records:
            raise Unavailable(
                "sharing/no-extract",
                f'There is no accepted extract of "{dataset}" from a party of this agreement.',
                remedy=f"Take one in: gateway receive FILE --dataset {dataset} --from PARTY.",
            )
        opened = (self._stored(record) for record in records)
        source = Source(
            self.approvals.bundle.contracts[dataset],
            tuple(Tapped(stored, tap) if tap else stored for stored in opened),
            self._replaced(plan, dataset) if dataset in _read_by(plan) else (),
        )
        _require_same_meaning(source, plan, records)
        return source

    def _stored(self, record: ExtractRecord) -> StoredExtract:
        secret = self.ring.storage_identity(record.storage_key)
        sealed = SealedExtract(
            self.extracts.directory / record.sealed_name,
            self.extracts.recorded_digest(record),
            pyrage.x25519.Identity.from_str(secret),
        )
        return StoredExtract(record, sealed)

    def _replaced(self, plan: Plan, dataset: str) -> tuple[Replaced, ...]:
        """The extracts before those in use, as far as they are kept and say who said no."""
        contract = self.approvals.bundle.contracts[dataset]
        return tuple(
            Replaced(self._stored(record), record.received_at.isoformat(), called)
            for record in self._earlier(plan, dataset)
            if (called := called_then(contract, record)) is not None
        )

    def _earlier(self, plan: Plan, dataset: str) -> list[ExtractRecord]:
        """The extracts from parties of the agreement whose words are not read as today's.

        They are those before the ones in use; and these too, where the contract has lost the
        column of the word since they came.
        """
        found = self.extracts.replaced(dataset)
        if not column_of_field(self.approvals.bundle.contracts[dataset], "participation"):
            found = [*found, *self.extracts.in_use(dataset)]
        return [each for each in found if each.party in plan.senders]

    def _records(self, plan: Plan, dataset: str) -> list[ExtractRecord]:
        """The extracts in use that come from parties of the agreement."""
        return [each for each in self.extracts.in_use(dataset) if each.party in plan.senders]

    def _link_map_key(self, release: str) -> bytes:
        record = self.ring.make(KeyKind.LINK_MAP, owner=release, at=self.world.now())
        return self.ring.secret(record.id, KeyKind.LINK_MAP)


def _read_by(plan: Plan) -> tuple[str, ...]:
    """The datasets that a plan reads: the spine first, then what is joined."""
    return (plan.cohort.dataset, *(join.dataset for join in plan.joins))


def _require_same_meaning(source: Source, plan: Plan, records: Iterable[ExtractRecord]) -> None:
    """Refuse an extract whose contract said something else of a column that is read.

    Raises:
        RefusedError: it did; one from before meanings were kept is asked when it is read.
    """
    agreed, read = meanings(source.contract), source.read_by(plan)
    for record in records:
        then = record.evidence.get(AGREED)
        if then and (other := [name for name in read if then.get(name) != agreed.get(name)]):
            raise of_another_contract(source.contract, other)
