"""Whom a recipient trusts: the sender's published keys, each with its one use and its time.

The descriptor travels outside every package (a website, a letter, a meeting), so
that a forged package cannot bring its own keys.

Source: RFC 8725 section 3.8; ADR 0161; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from gateway.errors import Unavailable
from gateway.sealing.jws import KEY_ID

TRUST_FORMAT = "gateway-trust-1"
USES = ("signing", "ledger", "witness")
_KEY_MEMBERS = {"use", "key_id", "public", "not_before", "not_after"}
_PUBLIC = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """One Ed25519 public key: `use` is signing, ledger or witness; both times inclusive."""

    use: str
    key_id: str
    public: bytes
    not_before: dt.datetime
    not_after: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The sender, the name of its ledger, and its keys."""

    sender: str
    origin: str
    keys: tuple[TrustedKey, ...]

    def keys_for(self, use: str, at: dt.datetime | None = None) -> dict[str, bytes]:
        """The public keys for one use, by id; with `at`, those valid then."""
        return {
            key.key_id: key.public
            for key in self.keys
            if key.use == use and (at is None or _valid(key, at))
        }


def trust_descriptor(sender: str, keys: Sequence[TrustedKey], *, origin: str = "") -> bytes:
    """The descriptor as RFC 8785 JSON and a final newline.

    Args:
        sender: the id that stands in the sender's envelopes.
        keys: every key that packages or checkpoints were ever signed with.
        origin: the ledger's name; the sender's id when not given.
    """
    document: dict[str, Any] = {
        "format": TRUST_FORMAT,
        "sender": sender,
        "origin": origin or sender,
        "keys": [
            {
                "use": key.use,
                "key_id": key.key_id,
                "public": key.public.hex(),
                "not_before": _utc(key.not_before),
                "not_after": None if key.not_after is None else _utc(key.not_after),
            }
            for key in sorted(keys, key=lambda key: (key.use, key.key_id))
        ],
    }
    encoded = rfc8785.dumps(document) + b"\n"
    parse_trust(encoded)
    return encoded


def parse_trust(encoded: bytes) -> Trust:
    """Read a descriptor strictly; an unknown member or use refuses.

    Raises:
        Unavailable: `open/trust-form`.
    """
    try:
        document = json.loads(encoded, object_pairs_hook=_unique)
        if set(document) != {"format", "sender", "origin", "keys"}:
            raise _form()
        if document["format"] != TRUST_FORMAT or not document["keys"]:
            raise _form()
        keys = tuple(_parse_key(member) for member in document["keys"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _form() from None
    if len({key.key_id for key in keys}) != len(keys):
        raise _form()
    return Trust(sender=_name(document["sender"]), origin=_name(document["origin"]), keys=keys)


def fingerprint(trust: Trust) -> str:
    """The digest of the descriptor, to be compared by voice or on paper."""
    return hashlib.sha256(
        trust_descriptor(trust.sender, trust.keys, origin=trust.origin)
    ).hexdigest()


def _parse_key(member: dict[str, Any]) -> TrustedKey:
    if set(member) != _KEY_MEMBERS or member["use"] not in USES:
        raise _form()
    if not KEY_ID.fullmatch(member["key_id"]) or not _PUBLIC.fullmatch(member["public"]):
        raise _form()
    until = member["not_after"]
    return TrustedKey(
        use=member["use"],
        key_id=member["key_id"],
        public=bytes.fromhex(member["public"]),
        not_before=parse_time(member["not_before"]),
        not_after=None if until is None else parse_time(until),
    )


def parse_time(text: str) -> dt.datetime:
    """Read `2026-05-01T09:30:00Z`.

    Raises:
        ValueError: another form.
    """
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _valid(key: TrustedKey, at: dt.datetime) -> bool:
    return key.not_before <= at and (key.not_after is None or at <= key.not_after)


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _form()
    return value


def _form() -> Unavailable:
    return Unavailable(
        "open/trust-form",
        "The trust file is not a sender's descriptor as `gateway trust export` writes it.",
        remedy="Get the sender's descriptor again, by a way that you trust.",
    )
