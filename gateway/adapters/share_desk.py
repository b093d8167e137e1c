"""Who may run a release, by which policy, over which extracts, with which keys.

Everything that a release reads is opened here, for it alone: extracts whose digest
is the ledger's, the register, and keys under a grant for this very policy.

Source: security points 3, 7, 8, 15, 16; UK GDPR Art 32(4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyrage
import sqlalchemy as sa

from gateway import identity
from gateway.adapters import keyring_grants, operators, policy_store, recipients, register_store
from gateway.adapters.approvals import Approvals
from gateway.adapters.extract_store import Extracts, StoredExtract
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_books import record_use
from gateway.adapters.register_trust import RegisterMark
from gateway.adapters.release_making import PSEUDONYM_EPOCH
from gateway.adapters.release_run import Run
from gateway.adapters.release_world import Inputs, World
from gateway.adapters.share_people import (
    COMMUNAL,
    MaskedPeople,
    communal_postcodes,
    protected_column,
    protected_people,
    without_effect,
)
from gateway.adapters.store import SealedExtract
from gateway.adapters.tapping import Tap, Tapped
from gateway.errors import RefusedError, Unavailable
from gateway.minimise import linkage_elements
from gateway.model import (
    IdentifierForm,
    OutputPlan,
    PartyRole,
    Plan,
    PurposeKind,
    Reason,
    Refusal,
    SharingRequest,
)
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, Operator, authorise
from gateway.objections import elements_compared
from gateway.pseudonymise import OutputKeys
from gateway.selection import Source
from gateway.workflows.sharing import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """See `gateway.workflows.sharing.ShareDesk`."""

    world: World
    ring: KeyRing
    extracts: Extracts
    approvals: Approvals

    def decide(self, request: SharingRequest, officer: str) -> Plan | Refusal:
        """Decide by the agreements in force, for an officer who may run this release."""
        self.approvals.require_known(request.agreement)
        with self.world.database.begin() as connection:
            person = operators.find(connection, officer)
            authorise(person, Action.RELEASE)
            decision = self.approvals.decide(connection, request)
            acted = policy_store.actors(connection, decision.policy_digest)
        if officer in acted:
            raise RefusedError(
                "operators/not-apart",
                "A release is run by someone who neither edited nor approved its agreement.",
                remedy="Ask another release officer.",
            )
        if isinstance(decision, Refusal):
            return decision
        _require_own_controller(person, decision)
        return decision if decision.kind is PurposeKind.RECORDS else _not_a_release(decision)

    def refuse(self, request: SharingRequest, refusal: Refusal) -> Outcome:
        """Record a refusal and answer with its reasons."""
        world = self.world
        release = f"rel-{world.new_id()}"
        with world.database.begin() as connection:
            world.append(
                connection,
                "release-refused",
                {
                    "release": release,
                    "purpose": request.purpose,
                    "agreement": request.agreement,
                    "policy_digest": refusal.policy_digest,
                    "reasons": len(refusal.reasons),
                    "code": refusal.reasons[0].code,
                },
            )
        return _refused(request, refusal, "refused", release)

    def would_refuse(self, request: SharingRequest, refusal: Refusal) -> Outcome:
        """Answer with the reasons and record nothing."""
        return _refused(request, refusal, "would-refuse", "")

    def begin(self, plan: Plan, officer: str) -> Run:
        """Open a release under this Plan."""
        return Run(self.world, self._inputs(plan), plan, officer)

    def rehearse(self, plan: Plan) -> Run:
        """Open the same inputs without a release."""
        return Run(self.world, self._inputs(plan), plan, "")

    def _inputs(self, plan: Plan) -> Inputs:
        world = self.world
        tap = Tap()
        with world.database.begin() as connection:
            read_at = world.now()
            register = register_store.open_register(
                connection,
                self.ring,
                plan.request.purpose,
                plan.controller,
                mark=RegisterMark(world.data / "keys" / "register.mark"),
            )
            uses = list(self._uses(connection, plan))
            public = {
                output.recipient.id: recipients.confirmed(connection, output.recipient.id).public
                for output in plan.outputs
            }
        sources = {
            dataset: self._source(plan, dataset, tap if dataset == plan.cohort.dataset else None)
            for dataset in (plan.cohort.dataset, *(join.dataset for join in plan.joins))
        }
        return Inputs(
            sources=sources,
            elements=(*linkage_elements(plan), "pc", *elements_compared(register)),
            register=register,
            register_read_at=read_at,
            keys={output.name: self._keys(plan, output) for output in plan.outputs},
            recipients=public,
            masked=self._masked(plan),
            warnings=without_effect(register, sources[plan.cohort.dataset].contract),
            directs=tap.seen,
            record_key_uses=_Uses(uses, world.now),
            link_map_key=self._link_map_key,
        )

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
        every = self.extracts.in_use(dataset)
        records = [record for record in every if record.party in plan.senders]
        if not records:
            raise Unavailable(
                "sharing/no-extract",
                f'There is no accepted extract of "{dataset}" from a party of this agreement.',
                remedy=f"Take one in: gateway receive FILE --dataset {dataset} --from PARTY.",
            )
        opened = []
        for record in records:
            secret = self.ring.storage_identity(record.storage_key)
            sealed = SealedExtract(
                self.extracts.directory / record.sealed_name,
                self.extracts.recorded_digest(record),
                pyrage.x25519.Identity.from_str(secret),
            )
            stored = StoredExtract(record, sealed)
            opened.append(Tapped(stored, tap) if tap else stored)
        return Source(self.approvals.bundle.contracts[dataset], tuple(opened))

    def _uses(self, connection: sa.Connection, plan: Plan) -> Iterator[_Use]:
        """The grants without which no key is touched."""
        for output in plan.outputs:
            for record in self._records(plan, output):
                grant = keyring_grants.require(
                    connection,
                    record.id,
                    purpose=plan.request.purpose,
                    policy_digest=plan.policy_digest,
                    on=self.approvals.on,
                )
                each = len(output.tokens) * (1 + output.alias_slots) if output.tokens else 1
                yield _Use(grant, record.kind.value, each)

    def _records(self, plan: Plan, output: OutputPlan) -> list[Any]:
        if output.identifiers is IdentifierForm.TOKENS and output.key is not None:
            study = self.ring.find(
                KeyKind.STUDY_ROOT, owner=output.key.study, epoch=output.key.epoch
            )
            return [study]
        if _needs_pseudonyms(output):
            return [self.ring.find(KeyKind.CONTROLLER_ROOT, owner=plan.controller)]
        return []

    def _keys(self, plan: Plan, output: OutputPlan) -> OutputKeys:
        if output.identifiers is IdentifierForm.TOKENS and output.key is not None:
            root = self.ring.study_root(output.key.study, output.key.epoch)
            return OutputKeys(
                token=identity.study_token_key(
                    root,
                    output.key.study,
                    linkage_unit=output.recipient.id,
                    epoch=output.key.epoch,
                )
            )
        if _needs_pseudonyms(output):
            return OutputKeys(
                pseudonym=identity.pseudonym_key(
                    self.ring.controller_root(plan.controller),
                    plan.request.purpose,
                    recipient=output.recipient.id,
                    epoch=output.key.epoch if output.key else PSEUDONYM_EPOCH,
                ),
                subject=self.ring.symmetric(KeyKind.SUBJECT_INDEX).secret,
            )
        return OutputKeys()

    def _link_map_key(self, release: str) -> bytes:
        record = self.ring.make(KeyKind.LINK_MAP, owner=release, at=self.world.now())
        return self.ring.secret(record.id, KeyKind.LINK_MAP)


@dataclass(frozen=True, slots=True)
class _Use:
    grant: keyring_grants.Grant
    kind: str
    each: int


@dataclass(frozen=True, slots=True)
class _Uses:
    """Writes down which key was used how often, in the transaction of the release."""

    uses: Sequence[_Use]
    now: Any

    def __call__(
        self, connection: sa.Connection, release: str, officer: str, told: Mapping[str, Any]
    ) -> None:
        for use in self.uses:
            record_use(
                connection,
                use.grant,
                kind=use.kind,
                count=use.each * told["forwarded"],
                operator=officer,
                at=self.now(),
                release=release,
            )


def _require_own_controller(officer: Operator, plan: Plan) -> None:
    """A role that is bound to controllers runs the releases of those alone."""
    if not any(officer.speaks_for(PartyRole.RELEASE_OFFICER, to) for to in ("", plan.controller)):
        raise RefusedError(
            "operators/other-controller",
            f"This release officer does not act for {plan.controller}.",
            remedy="Ask a release officer of the controller.",
        )


def _not_a_release(plan: Plan) -> Refusal:
    """Tables, answers and single disclosures are permitted, but not as a release of rows."""
    reason = Reason(
        code="sharing/not-records",
        clause=plan.clause,
        reason=f"This purpose lets out {plan.kind.value}, not rows: no release of rows.",
    )
    return Refusal(reasons=(reason,), policy_digest=plan.policy_digest)


def _needs_pseudonyms(output: OutputPlan) -> bool:
    by_column = any(rule.treat == "pseudonym" for rule in output.columns)
    return by_column or output.identifiers is IdentifierForm.PSEUDONYM


def _refused(request: SharingRequest, refusal: Refusal, state: str, release: str) -> Outcome:
    return Outcome(
        state=state,
        request=request,
        release=release,
        policy_digest=refusal.policy_digest,
        refusal=refusal.reasons,
    )
