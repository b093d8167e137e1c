"""The keys of one release: each under a grant for this very policy, each use written down.

A rehearsal never touches a study's or controller's key. It asks whether the grant is
there, and then makes its tokens and pseudonyms under keys drawn for it alone, which
nobody keeps and which leave nothing that could be joined with anything.

Source: security points 3, 5 and 7; docs/reference/keys.md, "Grants"; docs/adr/0225.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from gateway import identity
from gateway.adapters import keyring_grants
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_books import record_use
from gateway.adapters.release_making import PSEUDONYM_EPOCH
from gateway.identity import PseudonymKey, TokenKey
from gateway.model import IdentifierForm, OutputPlan, Plan
from gateway.model.keys import KeyKind, KeyRecord
from gateway.pseudonymise import OutputKeys

DRAWN = 32


@dataclass(frozen=True, slots=True)
class Use:
    """One key of a release: its grant, its kind, and how often it is used for a person."""

    grant: keyring_grants.Grant
    kind: str
    each: int


@dataclass(frozen=True, slots=True)
class Uses:
    """Writes down which key was used how often, in a transaction of the release."""

    uses: Sequence[Use]
    now: Callable[[], dt.datetime]

    def __call__(
        self, connection: sa.Connection, release: str, *, officer: str, people: int
    ) -> None:
        """Record every key's use for so many people."""
        for use in self.uses:
            record_use(
                connection,
                use.grant,
                kind=use.kind,
                count=use.each * people,
                operator=officer,
                at=self.now(),
                release=release,
            )


@dataclass(frozen=True, slots=True)
class ReleaseKeys:
    """What a plan's outputs need of the ring."""

    ring: KeyRing = field(repr=False)
    plan: Plan

    def uses(self, connection: sa.Connection, *, on: dt.date) -> tuple[Use, ...]:
        """The grants without which no key is touched.

        Raises:
            RefusedError: a key has no grant for this purpose and policy on that day.
        """
        return tuple(self._granted(connection, on))

    def opened(self) -> Mapping[str, OutputKeys]:
        """The derived keys of each output."""
        return {output.name: self._keys(output) for output in self.plan.outputs}

    def drawn(self) -> Mapping[str, OutputKeys]:
        """Keys of a rehearsal: random, of this run alone."""
        return {output.name: self._drawn(output) for output in self.plan.outputs}

    def _granted(self, connection: sa.Connection, on: dt.date) -> Iterator[Use]:
        for output in self.plan.outputs:
            for record in self._records(output):
                grant = keyring_grants.require(
                    connection,
                    record.id,
                    purpose=self.plan.request.purpose,
                    policy_digest=self.plan.policy_digest,
                    on=on,
                )
                each = len(output.tokens) * (1 + output.alias_slots) if output.tokens else 1
                yield Use(grant, record.kind.value, each)

    def _records(self, output: OutputPlan) -> list[KeyRecord]:
        if output.identifiers is IdentifierForm.TOKENS and output.key is not None:
            study, epoch = output.key.study, output.key.epoch
            return [self.ring.find(KeyKind.STUDY_ROOT, owner=study, epoch=epoch)]
        if _needs_pseudonyms(output):
            return [self.ring.find(KeyKind.CONTROLLER_ROOT, owner=self.plan.controller)]
        return []

    def _keys(self, output: OutputPlan) -> OutputKeys:
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
                    self.ring.controller_root(self.plan.controller),
                    self.plan.request.purpose,
                    recipient=output.recipient.id,
                    epoch=output.key.epoch if output.key else PSEUDONYM_EPOCH,
                ),
                subject=self.ring.symmetric(KeyKind.SUBJECT_INDEX).secret,
            )
        return OutputKeys()

    def _drawn(self, output: OutputPlan) -> OutputKeys:
        if output.identifiers is IdentifierForm.TOKENS and output.key is not None:
            return OutputKeys(token=TokenKey(secrets.token_bytes(DRAWN)))
        if _needs_pseudonyms(output):
            drawn = PseudonymKey(secrets.token_bytes(DRAWN))
            return OutputKeys(pseudonym=drawn, subject=secrets.token_bytes(DRAWN))
        return OutputKeys()


def _needs_pseudonyms(output: OutputPlan) -> bool:
    by_column = any(rule.treat == "pseudonym" for rule in output.columns)
    return by_column or output.identifiers is IdentifierForm.PSEUDONYM
