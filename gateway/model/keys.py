"""Key kinds as words: each key has one kind, one form, one use.

A key of one kind where another is expected is refused by name, so that a study
root can never sign and a register root can never make a study's token.

Source: docs/reference/keys.md; security point 5; NIST SP 800-57 part 1, 5.2 (one key, one use).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

ID = re.compile(r"[a-z0-9-]{1,40}")


class KeyKind(StrEnum):
    """What a key is for; the list is exhaustive."""

    STORAGE = "storage"
    UPLOAD = "upload"
    STUDY_ROOT = "study"
    CONTROLLER_ROOT = "controller"
    REGISTER_ROOT = "register"
    SUBJECT_INDEX = "subject-index"
    BLIND_INDEX = "blind-index"
    LINK_MAP = "link-map"
    SPILL = "spill"
    PACKAGE_SIGNING = "package-signing"
    LEDGER_SIGNING = "ledger-signing"
    OPERATOR = "operator"
    TOKEN_VERIFYING = "token-verifying"
    RECIPIENT_SEALING = "recipient-sealing"


class KeyForm(StrEnum):
    """What a key is made of, and where its secret half may lie."""

    RANDOM = "random-32"
    ED25519 = "ed25519"
    X25519 = "x25519"
    X25519_HPKE = "x25519-hpke"
    MEMORY_ONLY = "memory-only"
    PUBLIC_ONLY = "public-only"


class KeyState(StrEnum):
    """Pending until a second operator compared the check value; then ready."""

    PENDING = "pending"
    READY = "ready"


FORMS: Mapping[KeyKind, KeyForm] = MappingProxyType(
    {
        KeyKind.STORAGE: KeyForm.X25519,
        KeyKind.UPLOAD: KeyForm.X25519_HPKE,
        KeyKind.STUDY_ROOT: KeyForm.RANDOM,
        KeyKind.CONTROLLER_ROOT: KeyForm.RANDOM,
        KeyKind.REGISTER_ROOT: KeyForm.RANDOM,
        KeyKind.SUBJECT_INDEX: KeyForm.RANDOM,
        KeyKind.BLIND_INDEX: KeyForm.RANDOM,
        KeyKind.LINK_MAP: KeyForm.RANDOM,
        KeyKind.SPILL: KeyForm.MEMORY_ONLY,
        KeyKind.PACKAGE_SIGNING: KeyForm.ED25519,
        KeyKind.LEDGER_SIGNING: KeyForm.ED25519,
        KeyKind.OPERATOR: KeyForm.ED25519,
        KeyKind.TOKEN_VERIFYING: KeyForm.PUBLIC_ONLY,
        KeyKind.RECIPIENT_SEALING: KeyForm.PUBLIC_ONLY,
    }
)

MEANINGS: Mapping[KeyKind, str] = MappingProxyType(
    {
        KeyKind.STORAGE: "Seals stored extracts of one month; destroying it destroys them.",
        KeyKind.UPLOAD: "Seals the uploads of one month until they are checked.",
        KeyKind.STUDY_ROOT: "Makes the match-key tokens of one study in one epoch.",
        KeyKind.CONTROLLER_ROOT: "Makes the pseudonyms that one controller gives out.",
        KeyKind.REGISTER_ROOT: "Makes the tombstones of one controller's objection register.",
        KeyKind.SUBJECT_INDEX: "Finds the disclosures about a person who asks.",
        KeyKind.BLIND_INDEX: "Finds stored records by identifier without storing it.",
        KeyKind.LINK_MAP: "Seals the map from link id to subject of releases.",
        KeyKind.SPILL: "Seals what does not fit in memory; lives and dies with its process.",
        KeyKind.PACKAGE_SIGNING: "Signs envelopes and manifests of packages.",
        KeyKind.LEDGER_SIGNING: "Signs the ledger's checkpoints.",
        KeyKind.OPERATOR: "Signs what one operator proposes, approves or offers.",
        KeyKind.TOKEN_VERIFYING: "Verifies a partner's sign-in; public half only.",
        KeyKind.RECIPIENT_SEALING: "Seals packages to one recipient; public half only.",
    }
)

# These have one root for each owner (study, controller, operator or month).
OWNED: frozenset[KeyKind] = frozenset(
    {
        KeyKind.STORAGE,
        KeyKind.UPLOAD,
        KeyKind.STUDY_ROOT,
        KeyKind.CONTROLLER_ROOT,
        KeyKind.REGISTER_ROOT,
        KeyKind.OPERATOR,
    }
)


# These have one pair for each month, made ahead and destroyed once nothing needs it.
MONTHLY: tuple[KeyKind, ...] = (KeyKind.STORAGE, KeyKind.UPLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What may be known of a key without its passphrase.

    `owner` is the study, controller, operator or month ("" where the gateway
    itself owns it); `epoch` the study's epoch, or the generation as a number.
    `public` is the age, `x25519:` or `ed25519:` hex form of the public half, "" for roots.
    """

    id: str
    kind: KeyKind
    owner: str
    epoch: str
    created: dt.datetime
    state: KeyState
    public: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """Which key was destroyed here, by whose order of which time."""

    key: str
    kind: KeyKind
    by: str
    ordered: dt.datetime


def key_id(kind: KeyKind, *, owner: str, epoch: str) -> str:
    """Name a key: kind, owner and epoch joined, as in `study-nis-2026-1`.

    A month pair's epoch is its month itself, or `2026-11-2` for a second pair.
    """
    if kind in MONTHLY:
        return f"{kind}-{epoch}"
    return "-".join(part for part in (kind.value, owner, epoch) if part)
