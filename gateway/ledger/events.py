"""What the ledger can say: a closed table of events and of the facts of each.

No fact can hold a personal value: ids, counts, digests, clause numbers, dates of
record and codes only, and an id in the form of a national number, a postcode or a
date is refused. People appear as fresh random references whose sealed mapping ends
with its retention; staff appear by operator id.

Source: UK GDPR Arts 5(2), 30; security design points 20 and 21.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.errors import REPORT, UsageError

Fact = str | int

_ID = re.compile(r"[a-z0-9][a-z0-9._:-]{0,79}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLAUSE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.()-]{0,19}")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}(/[a-z][a-z0-9-]{0,59})?")
_PERSONAL = re.compile(
    r"\d{6,15}"  # NHS number, unique property reference
    r"|\d{3}[.:-]\d{3}[.:-]\d{4}"
    r"|[a-z]{2}\d{6}[a-z]?"  # national insurance number
    r"|[a-z]\d{11}[a-z\d]"  # unique pupil number
    r"|[a-z]{1,2}\d[a-z\d]?[.:-]?\d[a-z]{2}"  # postcode
    r"|\d{1,4}[.:-]\d{1,2}[.:-]\d{1,4}"  # date
)


def _is_id(value: Fact) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value)) and not _PERSONAL.fullmatch(value)


def _is_ids(value: Fact) -> bool:
    """Several ids, each once, in order, joined by commas."""
    parts = value.split(",") if isinstance(value, str) else []
    return bool(parts) and parts == sorted(set(parts)) and all(_is_id(part) for part in parts)


def _is_count(value: Fact) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _matches(pattern: re.Pattern[str]) -> Callable[[Fact], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _is_date(value: Fact) -> bool:
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


KINDS: Mapping[str, Callable[[Fact], bool]] = {
    "id": _is_id,
    "list of ids": _is_ids,
    "epoch": _matches(_ID),
    "count": _is_count,
    "digest": _matches(_DIGEST),
    "clause": _matches(_CLAUSE),
    "code": _matches(_CODE),
    "date": _is_date,
}

FACTS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("account", "agreement", "approver", "batch", "channel", "client", "dataset"),
            *("document",),
            *("extract", "holder", "job", "key", "linkage_unit", "operator", "output"),
            *("package", "party", "preview", "purpose", "recipient", "recipient_key", "register"),
            *("release", "storage_key", "study", "subject", "supersedes"),
        ),
        "id",
    ),
    **dict.fromkeys(
        (
            *("accepted", "bytes", "count", "dropped_columns", "entries", "findings"),
            *("forwarded", "generation", "packages", "quarantined", "reasons", "received"),
            *("register_sequence", "rows", "size", "version", "withheld"),
        ),
        "count",
    ),
    **dict.fromkeys(
        (
            *(
                "content_digest",
                "contract_digest",
                "core_digest",
                "sealed_digest",
                "digest",
                "document_digest",
                "evidence_digest",
                "key_digest",
            ),
            *("package_digest", "packages_digest", "policy_digest", "record_digest"),
            *("receipt_digest", "root"),
        ),
        "digest",
    ),
    "clause": "clause",
    **dict.fromkeys(("controllers", "editors"), "list of ids"),
    "epoch": "epoch",
    **dict.fromkeys(("code", "kind", "role", "source", "state"), "code"),
    **dict.fromkeys(("destroy_by", "from_date", "until"), "date"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of entry: the facts it must have, and those it may have."""

    required: frozenset[str]
    allowed: frozenset[str]


def _event(required: str, optional: str = "") -> Event:
    must = frozenset(required.split())
    return Event(required=must, allowed=must | frozenset(optional.split()) | {"operator", "job"})


EVENTS: Mapping[str, Event] = {
    "ledger-opened": _event("", "source"),
    "ledger-restored": _event("size root", "source"),
    "restore-unchecked": _event("code size operator"),
    "restore-loss-accepted": _event("code size entries root operator"),
    "extract-received": _event(
        "extract dataset party content_digest",
        "bytes rows state accepted quarantined contract_digest sealed_digest storage_key"
        " supersedes dropped_columns findings evidence_digest",
    ),
    "extract-checked": _event(
        "extract dataset state rows accepted quarantined",
        "evidence_digest digest findings dropped_columns party code",
    ),
    "extract-superseded": _event("extract supersedes", "dataset"),
    "extract-destroyed": _event("extract", "dataset key digest code"),
    "register-entry-added": _event(
        "subject purpose register_sequence", "source party clause digest kind register"
    ),
    "register-entry-lifted": _event(
        "subject purpose register_sequence", "source party clause digest kind register"
    ),
    "register-loaded": _event("register_sequence entries", "source party digest purpose register"),
    "register-entry-answered": _event(
        "subject purpose register_sequence state", "source register entries"
    ),
    "register-match-settled": _event("subject purpose register_sequence state", "source register"),
    "register-match-read": _event("subject", "purpose register release"),
    "register-matches-queued": _event("release entries", "purpose register"),
    "release-decided": _event(
        "release purpose agreement policy_digest", "clause controllers version kind"
    ),
    "release-refused": _event(
        "release purpose agreement", "policy_digest reasons code clause version"
    ),
    "release-held": _event("release code", "purpose agreement policy_digest reasons"),
    "release-accepted": _event("release", "purpose agreement code"),
    "release-built": _event(
        "release received forwarded withheld register_sequence",
        "purpose agreement policy_digest record_digest rows",
    ),
    "package-made": _event(
        "release output package recipient core_digest rows",
        "purpose agreement policy_digest recipient_key clause record_digest",
    ),
    "release-recorded": _event(
        "release packages packages_digest",
        "purpose agreement policy_digest record_digest register_sequence received forwarded"
        " withheld",
    ),
    "package-forwarded": _event("release package channel", "recipient package_digest output"),
    "package-not-delivered": _event("release package code", "recipient channel"),
    "package-arrived": _event("package package_digest", "party"),
    "package-acknowledged": _event("release package", "recipient receipt_digest channel"),
    "release-withdrawn": _event("release code", "purpose agreement"),
    "release-closed": _event("release", "code"),
    "dry-run": _event("purpose agreement", "policy_digest code reasons"),
    "key-made": _event("key kind", "study epoch key_digest purpose linkage_unit"),
    "key-offered": _event("key kind holder", "study epoch key_digest"),
    "key-accepted": _event("key kind", "study epoch key_digest holder party"),
    "key-confirmed": _event("key kind", "study epoch key_digest approver"),
    "key-granted": _event("key kind purpose policy_digest until", "study epoch approver"),
    "key-used": _event("key kind purpose count", "study epoch policy_digest release"),
    "key-rotated": _event("key kind", "supersedes study epoch"),
    "passphrase-changed": _event("count"),
    "key-destroyed": _event("key kind", "study epoch until holder receipt_digest"),
    "policy-proposed": _event("document document_digest", "editors kind version supersedes"),
    "policy-approved": _event("document document_digest", "approver controllers kind version"),
    "policy-begun": _event("document document_digest version", ""),
    "policy-previewed": _event("preview agreement policy_digest sealed_digest", "code"),
    "policy-withdrawn": _event("document document_digest", "approver kind version code"),
    "operator-added": _event("operator", "approver role key key_digest"),
    "operator-removed": _event("operator", "approver role key code"),
    "account-added": _event("account", "operator party role approver"),
    "account-bound": _event("account", "operator party approver source"),
    "account-reset": _event("account", "operator party approver code"),
    "account-disabled": _event("account", "operator party approver"),
    "account-asked": _event("account code", "operator party approver"),
    "account-confirmed": _event("account code", "operator party approver"),
    "notice-address-changed": _event("account", "approver"),
    "recipient-key-added": _event("recipient key_digest"),
    "recipient-key-confirmed": _event("recipient key_digest"),
    "gateway-trusted": _event("kind holder key_digest"),
    "gateway-distrusted": _event("kind holder key_digest"),
    "client-added": _event("client party key", "role approver key_digest"),
    "client-key-added": _event("client key", "party approver key_digest"),
    "client-key-revoked": _event("client key", "party approver key_digest"),
    "client-revoked": _event("client", "party approver"),
    "client-asked": _event("client key", "party approver key_digest"),
    "client-confirmed": _event("client key", "party approver key_digest"),
    "role-asked": _event("operator role", "approver purpose"),
    "role-granted": _event("operator role", "approver purpose"),
    "role-revoked": _event("operator role", "approver purpose"),
    "emergency-asked": _event(
        "subject purpose agreement recipient operator", "policy_digest sealed_digest"
    ),
    "emergency-confirmed": _event("subject operator approver", "policy_digest"),
    "emergency-closed": _event("subject code", "purpose agreement"),
    "emergency-disclosed": _event(
        "subject release recipient clause operator approver count", "policy_digest"
    ),
    "emergency-reason-filed": _event("subject operator digest state", "release"),
    "emergency-reason-read": _event("subject operator", "release"),
    "emergency-seen": _event("subject operator", "release"),
    "subject-answered": _event("subject", "code count purpose"),
    "link-map-used": _event("release purpose count", "code"),
    "link-map-destroyed": _event("release", "until key"),
    "recipient-destroyed": _event("release recipient", "receipt_digest package until"),
    "package-destroyed": _event("package package_digest", "party until receipt_digest"),
}


def check_facts(event: str, facts: Mapping[str, Fact]) -> None:
    """Refuse an entry that the table does not allow, by the name of what is wrong.

    Raises:
        UsageError: `ledger/unknown-event`, `ledger/unknown-fact`,
            `ledger/missing-fact` or `ledger/fact-form`. Names facts, never values.
    """
    if event not in EVENTS:
        raise UsageError(
            "ledger/unknown-event", "The ledger has no event of that name.", remedy=REPORT
        )
    rule = EVENTS[event]
    for name in sorted(set(facts) - rule.allowed):
        raise UsageError(
            "ledger/unknown-fact",
            f'Event "{event}" has no such fact.',
            remedy=REPORT,
            event=event,
            fact=name,
        )
    for name in sorted(rule.required - set(facts)):
        raise UsageError(
            "ledger/missing-fact",
            f'Event "{event}" needs "{name}".',
            remedy=REPORT,
            event=event,
            fact=name,
        )
    for name in sorted(facts):
        if not KINDS[FACTS[name]](facts[name]):
            raise UsageError(
                "ledger/fact-form",
                f'Event "{event}": fact "{name}" must be a {FACTS[name]}.',
                remedy="Write an id, count, digest, clause, date or code; never a person's value.",
                event=event,
                fact=name,
            )
