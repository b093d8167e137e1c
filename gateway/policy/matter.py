"""One request, with everything that its decision reads: the argument of every check.

Source: docs/reference/policy.md, "Decision".
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model import Contract, FieldClass, SharingRequest
from gateway.policy.agreements import Agreement, Output, Prohibition, Purpose
from gateway.policy.bases import LegalBasis
from gateway.policy.knowledge import Knowledge
from gateway.policy.protocols import Protocol
from gateway.policy.recipients import Recipient, RecipientKey
from gateway.policy.resolving import Fault, Resolved, resolve_output
from gateway.policy.treatments import expand_names
from gateway.policy.vocabulary import Cohort

Keys = Mapping[str, RecipientKey]
PERSONAL_KINDS = frozenset({"records", "answer", "single-disclosure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One output with its resolved rules and its recipient."""

    name: str
    output: Output
    rules: tuple[Resolved, ...]
    faults: tuple[Fault, ...]
    recipient: Recipient | None

    @property
    def classes(self) -> frozenset[str]:
        """The recipient's classes; none where it is unknown."""
        return frozenset(self.recipient.class_) if self.recipient else frozenset()

    @property
    def carries_identifiers(self) -> bool:
        """Whether it says who a row is about to someone who could know."""
        return self.output.identifiers in {"tokens", "sealed-clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """The request and its documents."""

    request: SharingRequest
    agreement: Agreement
    purpose: Purpose
    knowledge: Knowledge
    deliveries: tuple[Delivery, ...]
    on: dt.date
    keys: Keys | None

    @property
    def personal(self) -> bool:
        """Whether anything about a person leaves, rather than tables."""
        return self.purpose.kind in PERSONAL_KINDS

    @property
    def cohort(self) -> Cohort | None:
        """Whose rows are asked for."""
        return self.knowledge.vocabulary.cohorts.get(self.purpose.subjects)

    @property
    def listed_harm(self) -> str:
        """What being on the list tells of a person, whatever columns leave."""
        spine = self.knowledge.contracts.get(self.purpose.spine)
        return (self.cohort.harm if self.cohort else "") or (spine.harm if spine else "")

    @property
    def bases(self) -> dict[str, LegalBasis]:
        """The known legal bases of the purpose."""
        known = self.knowledge.bases
        return {each: known[each] for each in sorted(self.purpose.legal_bases) if each in known}

    @property
    def sources(self) -> tuple[Contract, ...]:
        """The contracts of the spine and the joins, the spine first."""
        joined = sorted(join.source for join in self.purpose.joins or ())
        names = (self.purpose.spine, *joined)
        known = self.knowledge.contracts
        return tuple(known[name] for name in names if name in known)

    @property
    def research(self) -> bool:
        """Whether the safeguards of research apply."""
        return any("safeguard" in basis.satisfies for basis in self.bases.values())

    @property
    def protocol(self) -> Protocol | None:
        """The protocol above the agreement, where it names one that is known."""
        return self.knowledge.protocol_of(self.agreement)

    @property
    def organisations(self) -> frozenset[str]:
        """The controllers and parties of the agreement."""
        return frozenset((*self.agreement.controllers, *self.agreement.parties))

    @property
    def bound(self) -> frozenset[str]:
        """Those of them who have signed and are of the protocol: who may send and receive."""
        return frozenset(p for p in self.organisations if self.signed(p) and self.of_protocol(p))

    def signed(self, party: str) -> bool:
        """Whether a party had signed on the day; an agreement without dates asks for none."""
        dates = self.agreement.signed
        return dates is None or (party in dates and dates[party] <= self.on)

    def of_protocol(self, party: str) -> bool:
        """Whether a party is of the protocol above; always where there is none."""
        if self.agreement.under is None:
            return True
        return self.protocol is not None and party in self.protocol.parties

    def prohibitions(self) -> dict[str, Prohibition]:
        """Each prohibited word with its clause; the agreement's own come first."""
        found: dict[str, Prohibition] = {}
        above = self.protocol.prohibitions if self.protocol else {}
        for written in (self.agreement.prohibitions, self.purpose.prohibitions, above):
            for word in sorted(written):
                for each in expand_names(word):
                    found.setdefault(each, written[word])
        return found

    def carries(self, wanted: FieldClass) -> bool:
        """Whether a column of that class leaves."""
        return any(
            rule.entry.field_class is wanted for each in self.deliveries for rule in each.rules
        )


def open_matter(
    request: SharingRequest,
    agreement: Agreement,
    knowledge: Knowledge,
    *,
    on: dt.date,
    keys: Keys | None,
) -> Matter:
    """Gather what the decision reads; the purpose must be one of the agreement."""
    purpose = agreement.purposes[request.purpose]
    return Matter(
        request=request,
        agreement=agreement,
        purpose=purpose,
        knowledge=knowledge,
        deliveries=tuple(_deliveries(purpose, knowledge)),
        on=on,
        keys=keys,
    )


def _deliveries(purpose: Purpose, knowledge: Knowledge) -> Iterator[Delivery]:
    for key in sorted(purpose.outputs):
        output = purpose.outputs[key]
        rules, faults = resolve_output(purpose, output, knowledge)
        yield Delivery(
            name=key,
            output=output,
            rules=rules,
            faults=faults,
            recipient=knowledge.recipients.get(output.recipient),
        )


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day so many months later or earlier, or the last of its month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        return dt.date.max if months > 0 else dt.date.min
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
