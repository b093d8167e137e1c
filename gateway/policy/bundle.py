"""All governed documents of one moment, read strictly and checked against each other.

`parse` refuses unless every document loads; `load` gives what loads and says
what does not, so that one broken draft stops its own purposes loudly and no
other's. An agreement that names anything unknown does not load.

Source: docs/reference/policy.md; UK GDPR Art 5(1)(b).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.model import Contract
from gateway.policy.agreements import Agreement
from gateway.policy.bases import LegalBases, LegalBasis
from gateway.policy.casebook import CaseBook
from gateway.policy.consistency import agreement_faults, cohort_faults, protocol_faults
from gateway.policy.contracts import build_contract
from gateway.policy.findings import Finding, PolicyInvalid, name
from gateway.policy.knowledge import Knowledge
from gateway.policy.outcomes import OutcomePlan
from gateway.policy.places import kind_of
from gateway.policy.protocols import Protocol
from gateway.policy.readable import still_found
from gateway.policy.reading import Tree, read
from gateway.policy.recipients import Recipient, channel_faults, retired_domains
from gateway.policy.shapes import Shape, shape
from gateway.policy.vocabulary import Vocabulary

Documents = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Every document that loaded. `trees` keeps the agreements as they were written."""

    knowledge: Knowledge
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    outcome_plans: Mapping[str, OutcomePlan] = field(default_factory=dict)
    casebooks: Mapping[str, CaseBook] = field(default_factory=dict)
    trees: Mapping[str, Tree] = field(default_factory=dict, repr=False)

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """The contract of each dataset."""
        return self.knowledge.contracts

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary."""
        return self.knowledge.vocabulary

    @property
    def legal_bases(self) -> Mapping[str, LegalBasis]:
        """The catalogue of legal bases."""
        return self.knowledge.bases

    @property
    def recipients(self) -> Mapping[str, Recipient]:
        """Who may receive."""
        return self.knowledge.recipients


def parse(documents: Documents) -> Bundle:
    """The bundle of documents that all load.

    Args:
        documents: path under the policies folder (`agreements/trafford.toml`) to text.

    Raises:
        PolicyInvalid: every finding of every document.
    """
    bundle, findings = load(documents)
    if findings:
        raise PolicyInvalid(findings)
    return bundle


def load(documents: Documents) -> tuple[Bundle, tuple[Finding, ...]]:
    """What loads of the documents, and what stops the others. Never raises."""
    findings: list[Finding] = []
    trees = _trees(documents, findings)
    knowledge = _knowledge(trees, findings)
    agreements, written = _agreements(trees, knowledge, findings)
    bundle = Bundle(
        knowledge=knowledge,
        agreements=MappingProxyType(agreements),
        outcome_plans=MappingProxyType(
            _by_id(OutcomePlan, _under(trees, "outcome-plans/"), findings)
        ),
        casebooks=MappingProxyType(dict(_shaped(CaseBook, _under(trees, "cases/"), findings))),
        trees=MappingProxyType(written),
    )
    return bundle, tuple(findings if knowledge.vocabulary.fields else _named_once(findings))


def _named_once(findings: list[Finding]) -> Iterator[Finding]:
    """One finding for each document that knows no name because the vocabulary does not load."""
    stopped = set()
    for finding in findings:
        if finding.document == "vocabulary.toml" or finding.code not in _FOLLOWS:
            yield finding
        elif finding.document not in stopped:
            stopped.add(finding.document)
            yield Finding(
                code="policy/vocabulary-absent",
                document=finding.document,
                where="",
                sentence="its names cannot be looked up while vocabulary.toml does not load.",
                remedy="Mend vocabulary.toml first.",
            )


def build_agreement(
    document: str, tree: Tree, knowledge: Knowledge, *, sound: Collection[str] = ()
) -> tuple[Agreement | None, list[Finding]]:
    """One agreement of a tree, checked against the others; `sound` purposes loaded before so."""
    agreement, findings = shape(Agreement, document, tree)
    if agreement is None:
        return None, [*findings, *still_found(document, tree, findings, knowledge)]
    findings = [
        *agreement_faults(document, agreement, knowledge, sound),
        *retired_domains(document, *agreement.addresses),
    ]
    return (None, findings) if findings else (agreement, [])


def _trees(documents: Documents, findings: list[Finding]) -> dict[str, Tree]:
    trees = {}
    for document in sorted(documents):
        if not document.endswith(".toml"):
            continue
        if kind_of(document) is None:
            findings.append(_misplaced(document))
            continue
        tree, faults = read(document, documents[document])
        findings += faults
        if not faults:
            trees[document] = tree
    return trees


_FOLLOWS = frozenset(
    f"policy/unknown-{what}"
    for what in ("field", "cohort", "dataset", "duty", "party", "protocol", "column")
)


def _misplaced(document: str) -> Finding:
    return Finding(
        code="policy/unknown-document",
        document=name(document),
        where="",
        sentence="this is not a place of a governed document.",
        remedy="Put it under agreements, datasets, recipients, protocols, outcome-plans or cases.",
    )


def _under(trees: Mapping[str, Tree], folder: str) -> dict[str, Tree]:
    return {document: tree for document, tree in trees.items() if document.startswith(folder)}


def _knowledge(trees: Mapping[str, Tree], findings: list[Finding]) -> Knowledge:
    vocabulary = _single(Vocabulary, "vocabulary.toml", trees, findings)
    bases = _single(LegalBases, "legal-bases.toml", trees, findings)
    if vocabulary is None:
        vocabulary = Vocabulary.model_construct(fields={}, cohorts={}, parties={}, duties={})
    contracts = _contracts(trees, vocabulary, findings)
    findings += cohort_faults("vocabulary.toml", vocabulary, contracts)
    recipients = _by_id(Recipient, _under(trees, "recipients/"), findings)
    for document, recipient in _shaped(Recipient, _under(trees, "recipients/"), []):
        faults = retired_domains(document, recipient.address, recipient.contact)
        findings += faults
        if faults:
            recipients.pop(recipient.id, None)
        # It stays known, so that a decision names what is wrong with it.
        findings += channel_faults(document, recipient)
    protocols = _by_id(Protocol, _under(trees, "protocols/"), findings)
    for document, protocol in _shaped(Protocol, _under(trees, "protocols/"), []):
        faults = [
            *protocol_faults(document, protocol, vocabulary, contracts),
            *retired_domains(document, protocol.contact),
        ]
        findings += faults
        if faults:
            protocols.pop(protocol.id, None)
    return Knowledge(
        vocabulary=vocabulary,
        bases=MappingProxyType(dict(bases.bases) if bases else {}),
        contracts=MappingProxyType(contracts),
        recipients=MappingProxyType(recipients),
        protocols=MappingProxyType(protocols),
    )


def _single(
    model: type[Shape], document: str, trees: Mapping[str, Tree], findings: list[Finding]
) -> Shape | None:
    if document not in trees:
        if not any(finding.document == document for finding in findings):
            findings.append(_absent(document))
        return None
    found, faults = shape(model, document, trees[document])
    findings += faults
    return found


def _absent(document: str) -> Finding:
    return Finding(
        code="policy/missing-document",
        document=document,
        where="",
        sentence="the document is missing.",
        remedy="Without it nothing can be decided; add it.",
    )


def _shaped(
    model: type[Shape], trees: Mapping[str, Tree], findings: list[Finding]
) -> Iterator[tuple[str, Shape]]:
    for document, tree in trees.items():
        found, faults = shape(model, document, tree)
        findings += faults
        if found is not None:
            yield document, found


def _by_id(
    model: type[Shape], trees: Mapping[str, Tree], findings: list[Finding]
) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for document, each in _shaped(model, trees, findings):
        _keep(found, str(getattr(each, "id", "")), each, document, findings)
    return found


def _keep(
    found: dict[str, Shape], key: str, each: Shape, document: str, findings: list[Finding]
) -> None:
    if key in found:
        findings.append(standing_twice(document, key))
    found.setdefault(key, each)


def standing_twice(document: str, key: str) -> Finding:
    """The finding that an id stands in two documents."""
    return Finding(
        code="policy/duplicate-id",
        document=document,
        where="",
        sentence=f"the id {name(key)} stands in another document too.",
        remedy="Give each document its own id.",
    )


def _contracts(
    trees: Mapping[str, Tree], vocabulary: Vocabulary, findings: list[Finding]
) -> dict[str, Contract]:
    contracts: dict[str, Contract] = {}
    for document, tree in _under(trees, "datasets/").items():
        contract, faults = build_contract(document, tree, vocabulary)
        findings += faults
        if contract is None:
            continue
        if contract.id in contracts:
            findings.append(standing_twice(document, contract.id))
        contracts.setdefault(contract.id, contract)
    return contracts


def _agreements(
    trees: Mapping[str, Tree], knowledge: Knowledge, findings: list[Finding]
) -> tuple[dict[str, Agreement], dict[str, Tree]]:
    agreements: dict[str, Agreement] = {}
    written: dict[str, Tree] = {}
    twice: set[str] = set()
    for document, tree in _under(trees, "agreements/").items():
        agreement, faults = build_agreement(document, tree, knowledge)
        findings += faults
        if agreement is None:
            continue
        if agreement.id in agreements:
            findings.append(standing_twice(document, agreement.id))
            twice.add(agreement.id)
        agreements[agreement.id] = agreement
        written[agreement.id] = tree
    # Which of two would hold depends on the order of the files, so neither does.
    for key in twice:
        del agreements[key], written[key]
    return agreements, written
