"""What policy answers with: a Plan to obey, or a Refusal with its reasons.

After `policy.decide` no room reads a policy again. Everything that a later room
must know stands in the Plan, each part with the clause that made it.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from gateway.model.tokens import of_surname
from gateway.model.words import (
    FieldClass,
    Household,
    IdentifierForm,
    OnSmallGroup,
    Participation,
    PurposeKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingRequest:
    """Who asks what of which agreement."""

    purpose: str
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason of a refusal: code, clause ("" where none applies), sentence."""

    code: str
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The expected no, with all of its reasons at once."""

    reasons: tuple[Reason, ...]
    policy_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRef:
    """Whom an output goes to and which public key opens it there."""

    id: str
    organisation: str
    team: str
    classes: frozenset[str]
    key_id: str
    fingerprint: str
    channel: str
    delivery: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRule:
    """Rows of one dataset: every condition must hold; equality, in-list or date range only."""

    name: str
    dataset: str
    within: tuple[tuple[str, tuple[str, ...]], ...] = ()
    between: tuple[tuple[str, dt.date | None, dt.date | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRule:
    """One more dataset at the spine: `take` is one, latest or wide-by:COLUMN."""

    dataset: str
    on: str
    take: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """One column that may leave: where it comes from, how it is treated, by which clause.

    `column` is the contract column in `dataset` (the spine or a join); with a
    wide join `wave` names the value of the widening column. `at` is the
    reference date of an age: a date, or the name of a date column of the spine.
    `field` is the vocabulary entry, `level` "person" or "family" and `combine`
    (union, any, max, sum, count) say how a family value is made of its members' rows;
    `address` marks what comes from any part of an address.
    """

    name: str
    field: str
    dataset: str
    column: str
    treat: str
    clause: str
    field_class: FieldClass
    wave: str = ""
    at: dt.date | str | None = None
    level: str = "person"
    combine: str = ""
    is_date: bool = False
    harm: str = ""
    codes: tuple[str, ...] = ()
    address: bool = False

    @property
    def source(self) -> str:
        """The cohort column that holds this rule's source value."""
        return source_name(self.dataset, self.column, self.wave)

    @property
    def reference(self) -> str:
        """The cohort column that holds the reference date, where `at` names a column."""
        return source_name(self.dataset, str(self.at), "")


def source_name(dataset: str, column: str, wave: str) -> str:
    """The name that a source value has in the cohort, whichever outputs use it."""
    return f"in.{dataset}.{column}" + (f".{wave}" if wave else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When an output is safe enough: k families in each group, l values of each sensitive flag."""

    key_variables: tuple[str, ...]
    k: int
    l_values: tuple[tuple[str, int], ...] = ()
    on_small_group: OnSmallGroup = OnSmallGroup.SUPPRESS
    coarsen: tuple[tuple[str, str], ...] = ()
    not_key: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """Which study and epoch root makes the tokens, for which linkage unit."""

    study: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """One table of counts of families or people by columns of its output, rounded."""

    name: str
    count: str
    by: tuple[str, ...]
    clause: str
    round_to: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """One column of a source that does not leave, and why: a prohibition or no permission."""

    dataset: str
    column: str
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One file for one recipient.

    `state` is the notice's word for how it leaves (anonymous, de-identified,
    pseudonymised, identified); `longitudinal` the clause that lets its key span rounds.
    """

    name: str
    recipient: RecipientRef
    identifiers: IdentifierForm
    clause: str
    tokens: tuple[str, ...] = ()
    slots: int = 1
    key: KeyUse | None = None
    columns: tuple[ColumnRule, ...] = ()
    limits: Limits | None = None
    file_format: str = "csv"
    tables: tuple[TableRule, ...] = ()
    state: str = ""
    longitudinal: str = ""

    @property
    def alias_slots(self) -> int:
        """How many rows a person has beside the first: none where no token is of a surname.

        Other tokens are the same under every name, so that such a row would hold
        nothing but random filling.
        """
        return self.slots if any(of_surname(token) for token in self.tokens) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The permission, complete: what later rooms obey.

    `not_sent` lists every column of the sources that stays; `notice` is the version
    of the notice; `population` is "synthetic" if any source holds made-up people;
    `senders` are the controllers and parties who are bound, whose extracts alone are read;
    `spine_take` is "one" (nobody may stand in the spine twice) or "latest"; `under` is
    the protocol that the agreement stands under, where it stands under one; `controllers`
    are those whose approval it needs, in order, each once.
    """

    request: SharingRequest
    agreement_version: int
    controller: str
    kind: PurposeKind
    clause: str
    legal_bases: tuple[str, ...]
    cohort: CohortRule
    joins: tuple[JoinRule, ...]
    participation: Participation
    household: Household
    outputs: tuple[OutputPlan, ...]
    retain_until: dt.date
    link_map_until: str
    returns: str
    duties: tuple[str, ...]
    policy_digest: str
    warnings: tuple[str, ...] = field(default=())
    not_sent: tuple[NotSent, ...] = field(default=())
    notice: str = ""
    population: str = "residents"
    senders: frozenset[str] = frozenset()
    spine_take: str = "one"
    duty_sentences: tuple[tuple[str, str], ...] = ()
    under: str = ""
    controllers: tuple[str, ...] = ()
