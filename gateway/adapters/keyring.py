"""The key ring: each key given out as its own type, for its own use.

A study root leaves the ring as a `StudyRoot` and nothing else, so that no other
derivation can be fed with it; signing keys leave as something that signs, never
as bytes; a month's pairs give their public halves to everyone and their
private halves to the worker alone.

Source: security points 5–8; docs/reference/keys.md, "The key ring" and "Kinds";
docs/reference/pseudonyms.md, "Tokens, pseudonyms, tombstones".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters import keyring_signing as signing
from gateway.adapters import keyring_wrap as wrap
from gateway.adapters.keyring_core import CoreRing
from gateway.adapters.keyring_passphrase import read_passphrase
from gateway.adapters.keyring_rewrap import rewrap
from gateway.adapters.settings import Settings
from gateway.errors import REPORT, RefusedError, Unavailable
from gateway.model.keys import FORMS, MONTHLY, OWNED, KeyForm, KeyKind, KeyRecord
from gateway.model.roots import ControllerRoot, RegisterRoot, StudyRoot

MONTHS_AHEAD = 12
FEW_MONTHS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SymmetricKey:
    """32 bytes of one kind: subject index, blind index or link map."""

    key_id: str
    kind: KeyKind
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRecipient:
    """The public half of one month's storage pair, in age form."""

    key_id: str
    public: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecipient:
    """The public half of one month's pair for uploads, `x25519:` and hex."""

    key_id: str
    public: str


class KeyRing(CoreRing):
    """The secret keys of one gateway."""

    def rewrap(self, passphrase: bytes) -> int:
        """Seal every key under a new passphrase, all or none; returns how many.

        Other processes that hold this ring open have to be started again.
        """
        old = self._unlocked()
        header, new = wrap.new_header(passphrase, sender=self.sender)

        def reseal(name: str) -> bytes:
            content = self._read(self._directory / name)
            clear = {k: v for k, v in content.items() if k not in wrap.SEALED}
            return new.seal(old.unseal(content), clear=clear)

        count = rewrap(self._directory, header, reseal=reseal)
        self._wrapping = new
        return count

    def study_root(self, study: str, epoch: str) -> StudyRoot:
        """Give the root of one study in one epoch; a grant must have been required first."""
        record = self.find(KeyKind.STUDY_ROOT, owner=study, epoch=epoch)
        return StudyRoot(self.secret(record.id, KeyKind.STUDY_ROOT))

    def controller_root(self, controller: str, epoch: str = "") -> ControllerRoot:
        """Give a controller's pseudonym root: of a generation, or the newest."""
        record = self.find(KeyKind.CONTROLLER_ROOT, owner=controller, epoch=epoch)
        return ControllerRoot(self.secret(record.id, KeyKind.CONTROLLER_ROOT))

    def register_root(self, controller: str, generation: str = "") -> RegisterRoot:
        """Give the root of a controller's objection register."""
        record = self.find(KeyKind.REGISTER_ROOT, owner=controller, epoch=generation)
        return RegisterRoot(self.secret(record.id, KeyKind.REGISTER_ROOT))

    def symmetric(self, kind: KeyKind | str) -> SymmetricKey:
        """Give the newest index or map key of the gateway itself."""
        wanted = KeyKind(kind)
        if FORMS[wanted] is not KeyForm.RANDOM or wanted in OWNED:
            raise RefusedError(
                "keys/wrong-kind", f"A {wanted} key is not given out as bytes.", remedy=REPORT
            )
        record = self.find(wanted)
        return SymmetricKey(key_id=record.id, kind=wanted, secret=self.secret(record.id, wanted))

    def signer(self, kind: KeyKind | str, *, owner: str = "") -> signing.Signer:
        """Give the newest signing key of a kind (and owner, for an operator's)."""
        wanted = KeyKind(kind)
        if FORMS[wanted] is not KeyForm.ED25519:
            raise RefusedError("keys/wrong-kind", f"A {wanted} key does not sign.", remedy=REPORT)
        record = self.find(wanted, owner=owner)
        return signing.signer(record.id, self.secret(record.id, wanted))

    def sign_as(self, operator: str, message: bytes) -> bytes:
        """Sign by an operator's newest personal key."""
        return self.signer(KeyKind.OPERATOR, owner=operator).sign(message)

    def verifying_keys(self, kind: KeyKind | str) -> tuple[KeyRecord, ...]:
        """List the public halves of a signing kind, old ones too; needs no passphrase."""
        wanted = KeyKind(kind)
        return tuple(record for record in self.records() if record.kind is wanted)

    def storage_recipient(self, on: dt.date) -> StorageRecipient:
        """Give the public half of a month's storage pair; needs no passphrase.

        Raises:
            Unavailable: no pair was made for that month.
        """
        record = self.find(KeyKind.STORAGE, owner=month_of(on))
        return StorageRecipient(key_id=record.id, public=record.public)

    def storage_identity(self, key: str) -> str:
        """Give the private half of a storage pair (`AGE-SECRET-KEY-…`), by key id.

        Raises:
            Unavailable: `keys/storage-gone`; what it sealed cannot be read any more.
        """
        if all(record.id != key for record in self.records()):
            raise Unavailable(
                "keys/storage-gone",
                f"The ring has no key {key}, which opens what is stored.",
                remedy="A destroyed key does not come back: what it sealed is destroyed with it. "
                "If it was lost, restore the key ring from its own backup.",
                kind=KeyKind.STORAGE.value,
            )
        return self.secret(key, KeyKind.STORAGE).decode("ascii")

    def upload_recipient(self, on: dt.date) -> UploadRecipient:
        """Give the public half of a month's pair for uploads; needs no passphrase.

        Raises:
            Unavailable: no pair was made for that month.
        """
        record = self.find(KeyKind.UPLOAD, owner=month_of(on))
        return UploadRecipient(key_id=record.id, public=record.public)

    def upload_secret(self, key: str) -> bytes:
        """Give the private half of a month's pair for uploads, by key id."""
        return self.secret(key, KeyKind.UPLOAD)

    def storage_months_left(self, on: dt.date) -> int:
        """Count the months from this one on that have both their pairs."""
        pairs = {(record.kind, record.owner) for record in self.records()}
        return sum(
            1
            for month in months_from(on, len(pairs) + 1)
            if all((kind, month) in pairs for kind in MONTHLY)
        )

    def months_missing(self, on: dt.date) -> tuple[tuple[KeyKind, str], ...]:
        """Name the pairs of this month and the next twelve that were not made yet."""
        there = {(record.kind, record.owner) for record in self.records()}
        wanted = ((k, month) for k in MONTHLY for month in months_from(on, MONTHS_AHEAD + 1))
        return tuple(pair for pair in wanted if pair not in there)


def open_ring(settings: Settings) -> KeyRing:
    """Open the ring of a data directory; no passphrase is read until a secret is needed.

    Raises:
        Unavailable: there is none; where data was founded or restored, `keys/ring-gone`.
    """
    ring = _open.get(settings.ring) or KeyRing(settings.ring, lambda: read_passphrase(settings))
    if not ring.exists and settings.founded:
        raise Unavailable(
            "keys/ring-gone",
            f"There is data in {settings.data}, but the key ring is missing.",
            remedy="Restore the keys from their own backup: `gateway restore`, into this "
            "directory. It was written by `gateway backup --keys`.",
        )
    if not ring.exists:
        raise Unavailable(
            "keys/no-ring",
            f"There is no key ring in {settings.data}.",
            remedy="Run `gateway init` first, or name the directory with --data.",
        )
    return ring


def ring_there(settings: Settings) -> bool:
    """Whether the data directory has its key ring."""
    return KeyRing(settings.ring, lambda: b"").exists


_open: dict[Path, KeyRing] = {}


@contextmanager
def kept_open(settings: Settings) -> Iterator[None]:
    """Unlock a ring once for all that one process does within the block."""
    _open[settings.ring] = open_ring(settings)
    try:
        yield
    finally:
        del _open[settings.ring]


def month_of(day: dt.date) -> str:
    """Name the month of a day as storage pairs do: `2026-11`."""
    return f"{day.year:04d}-{day.month:02d}"


def months_from(day: dt.date, count: int) -> tuple[str, ...]:
    """Name `count` months, that of `day` first."""
    first = day.year * 12 + day.month - 1
    return tuple(f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, first + count))
