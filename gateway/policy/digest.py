"""The policy digest: one number for the agreement and all that its decision reads.

SHA-256 over RFC 8785 JSON of the agreement, and of every entry of vocabulary,
cohorts, parties, legal bases, contracts and recipients (with key fingerprints)
that a decision under it can read, and of the standardisation and nickname tables.
Lists whose order means nothing are sorted first: the order of rules never matters.

Source: RFC 8785; docs/reference/policy.md, "The policy digest".
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import rfc8785

from gateway.errors import UsageError
from gateway.model import Contract
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.bundle import Bundle
from gateway.policy.findings import name, suggest
from gateway.policy.knowledge import Knowledge
from gateway.policy.matter import Keys
from gateway.policy.recipients import RecipientKey
from gateway.policy.shapes import Document
from gateway.policy.token_names import expanded, token_fields

FORMAT = "gateway-policy-1"

# Lists of an agreement whose order means nothing.
SETS = frozenset(
    {
        "areas",
        "by",
        "class_",
        "duties",
        "factors",
        "from_",
        "identifiers",
        "joins",
        "key_variables",
        "legal_bases",
        "linked_with",
        "parties",
        "processors",
        "tokens",
        "waves",
    }
)

# Keys that came after the first digests: left out where they are not written.
LATER = frozenset({"complaints", "data_protection_officer", "signed", "under"})


def policy_digest(
    bundle: Bundle,
    agreement_id: str,
    *,
    recipient_keys: Keys | None = None,
    tables: Mapping[str, str] | None = None,
) -> str:
    """The digest of one agreement, 64 hex digits.

    Args:
        bundle: the documents.
        agreement_id: one of its agreements.
        recipient_keys: registered keys of recipients; their fingerprints are part of it.
        tables: digests of the standardisation and nickname tables by name.

    Raises:
        UsageError: the bundle has no agreement of that id.
    """
    if agreement_id not in bundle.agreements:
        raise UsageError(
            "sharing/unknown-agreement",
            f"No agreement is called {name(agreement_id)}.",
            remedy=suggest(agreement_id, bundle.agreements),
        )
    agreement = bundle.agreements[agreement_id]
    return digest_of(agreement, bundle.knowledge, recipient_keys, tables or {})


def digest_of(
    agreement: Agreement, knowledge: Knowledge, keys: Keys | None, tables: Mapping[str, str]
) -> str:
    """The digest of an agreement with what it reads, 64 hex digits."""
    read = reads(agreement, knowledge)
    document: dict[str, Any] = {
        "format": FORMAT,
        "agreement": _agreement(agreement),
        "vocabulary": {f: _plain(knowledge.vocabulary.fields.get(f)) for f in read["fields"]},
        "cohorts": {c: _plain(knowledge.vocabulary.cohorts.get(c)) for c in read["cohorts"]},
        "parties": {p: _plain(knowledge.vocabulary.parties.get(p)) for p in read["parties"]},
        "duties": {d: knowledge.vocabulary.duties.get(d) for d in read["duties"]},
        "legal_bases": {b: _basis(knowledge.bases.get(b)) for b in read["bases"]},
        "recipients": {
            r: {
                "document": _recipient(knowledge.recipients.get(r)),
                "key": _key((keys or {}).get(r)),
            }
            for r in read["recipients"]
        },
        "tables": dict(tables),
    }
    if agreement.under is not None:
        document["protocol"] = _plain(knowledge.protocol_of(agreement))
    parts = {key: rfc8785.dumps(value) for key, value in document.items()}
    contracts = {c: _contract(knowledge.contracts.get(c)) for c in read["contracts"]}
    return hashlib.sha256(_object({**parts, "contracts": _object(contracts)})).hexdigest()


def _agreement(agreement: Agreement) -> dict[str, Any]:
    """The agreement; one without the later keys has the digest it always had."""
    plain = dict(_plain(agreement))
    return {k: v for k, v in plain.items() if k not in LATER or v is not None}


def reads(agreement: Agreement, knowledge: Knowledge) -> dict[str, list[str]]:
    """The names of all entries that decisions under an agreement read, by kind."""
    purposes = agreement.purposes.values()
    contracts = {d for p in purposes for d in _datasets(p)}
    fields = {
        column.field
        for each in contracts
        if each in knowledge.contracts
        for column in knowledge.contracts[each].columns
    }
    tokens = [t for p in purposes for o in p.outputs.values() for t in expanded(o.tokens or ())]
    fields |= {field for token in tokens for field in token_fields(token)}
    found = {
        "fields": fields,
        "contracts": contracts,
        "cohorts": {p.subjects for p in purposes},
        "duties": {d for p in purposes for d in p.duties},
        "bases": {b for p in purposes for b in p.legal_bases},
        "recipients": {o.recipient for p in purposes for o in p.outputs.values()},
        "parties": set(agreement.controllers),
    }
    return {kind: sorted(names) for kind, names in found.items()}


def same_to_digest(kind: str, one: Any, other: Any) -> bool:
    """Whether two entries of a kind that `reads` knows count as the same."""
    form = _FORMS.get(kind, _plain)
    return one is other or one == other or bool(form(one) == form(other))


def same_agreement(one: Agreement, other: Agreement) -> bool:
    """Whether two texts of an agreement count as the same, what they read apart."""
    return one is other or one == other or _agreement(one) == _agreement(other)


def _datasets(purpose: Purpose) -> set[str]:
    return {purpose.spine, *(join.source for join in purpose.joins or ())}


def _key(key: RecipientKey | None) -> dict[str, str] | None:
    """Which key it is; whether it is confirmed and current is asked at each decision."""
    return {"key_id": key.key_id, "fingerprint": key.fingerprint.lower()} if key else None


def _object(parts: Mapping[str, bytes]) -> bytes:
    """The canonical object of canonical members: RFC 8785 section 3.2.3, for ASCII keys."""
    members = (rfc8785.dumps(key) + b":" + parts[key] for key in sorted(parts))
    return b"{" + b",".join(members) + b"}"


@lru_cache(maxsize=256)
def _contract(contract: Contract | None) -> bytes:
    """The canonical form of a contract, made once: it is the largest thing that is read."""
    return rfc8785.dumps(_plain(dataclasses.asdict(contract)) if contract else None)


def _recipient(document: Document | None) -> Any:
    """A recipient's document; one without a way of delivery has the digest it always had."""
    plain = _plain(document)
    if isinstance(plain, dict) and plain.get("delivery") is None:
        plain.pop("delivery", None)
    return plain


def _basis(basis: Document | None) -> Any:
    """A provision; one without its privacy term has the digest it always had."""
    plain = _plain(basis)
    if isinstance(plain, dict) and not plain.get("dpv"):
        plain.pop("dpv", None)
    return plain


_FORMS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"contracts": _contract, "recipients": _recipient, "bases": _basis}
)


def _plain(value: Any, key: str = "") -> Any:
    """JSON values; lists that are sets are sorted, dates are ISO text."""
    if isinstance(value, Document):
        return _plain({k: getattr(value, k) for k in type(value).model_fields})
    if isinstance(value, Mapping):
        return {str(each): _plain(item, str(each)) for each, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if key in SETS else items
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
