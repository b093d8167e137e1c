"""The keys that tokens are made with: each of one kind, derived from one root, for one use.

A root of one kind where another is expected is refused, whatever its bytes: a key
for tombstones must never make a study's tokens.

Source: RFC 5869; docs/reference/pseudonyms.md, "Tokens, pseudonyms, tombstones";
docs/reference/keys.md, "Kinds".
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import REPORT, RefusedError, UsageError
from gateway.model.roots import ROOT_BYTES, ControllerRoot, RegisterRoot, Secret, StudyRoot
from gateway.model.tokens import SCHEME, STANDARD

CHECK_BYTES: Final = 8

_ID: Final = re.compile("[a-z0-9-]{1,40}")


class TokenKey(Secret):
    """Makes the tokens of one study, linkage unit and epoch."""

    __slots__ = ()


class TombstoneKey(Secret):
    """Makes the tombstones of one register and generation."""

    __slots__ = ()


class PseudonymKey(Secret):
    """Makes the pseudonyms of one purpose, recipient and epoch."""

    __slots__ = ()


def frame(*parts: str) -> bytes:
    """Join texts so that no two lists give the same bytes: u16 big-endian length, then UTF-8."""
    encoded = [part.encode("utf-8") for part in parts]
    return b"".join(len(each).to_bytes(2, "big") + each for each in encoded)


def study_token_key(root: StudyRoot, study: str, *, linkage_unit: str, epoch: str) -> TokenKey:
    """Derive the key of a study's tokens for one linkage unit and epoch."""
    info = ("token", STANDARD, *_ids(study, linkage_unit, epoch))
    return TokenKey(_derived(_of_kind(root, StudyRoot), info))


def pseudonym_key(
    root: ControllerRoot, purpose: str, *, recipient: str, epoch: str
) -> PseudonymKey:
    """Derive the key of a recipient's pseudonyms for one purpose and epoch."""
    info = ("pseudonym", STANDARD, *_ids(purpose, recipient, epoch))
    return PseudonymKey(_derived(_of_kind(root, ControllerRoot), info))


def tombstone_key(root: RegisterRoot, controller: str, *, generation: str) -> TombstoneKey:
    """Derive the key under which a controller's register keeps the tokens of objectors."""
    info = ("objection", STANDARD, *_ids(controller, generation))
    return TombstoneKey(_derived(_of_kind(root, RegisterRoot), info))


def check_value(root: StudyRoot, study: str, *, epoch: str) -> bytes:
    """Give the 8 bytes that two holders of a study root compare by voice."""
    info = ("check", STANDARD, *_ids(study, epoch))
    return _derived(_of_kind(root, StudyRoot), info)[:CHECK_BYTES]


def _of_kind(root: Secret, kind: type[Secret]) -> bytes:
    if type(root) is not kind:
        raise RefusedError(
            "identity/wrong-key-kind",
            "A key of one kind does not stand in for another.",
            remedy=REPORT,
            expected=kind.__name__,
        )
    return root.secret


def _ids(*texts: str) -> tuple[str, ...]:
    if not all(_ID.fullmatch(text) for text in texts):
        raise UsageError(
            "identity/bad-id",
            "An id has 1 to 40 lower-case letters, digits and hyphens.",
            remedy="Correct the id of the study, unit, epoch, purpose, recipient or generation.",
        )
    return texts


def _derived(root: bytes, info: tuple[str, ...]) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=ROOT_BYTES, salt=None, info=frame(SCHEME, *info))
    return kdf.derive(root)
