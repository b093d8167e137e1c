"""The files of the key ring: one wrapped secret each, opened only when one is used.

What may be public (ids, kinds, public halves) stands in clear in the files, so
that `receive` seals what it stores without any passphrase in its process. The
passphrase is asked for when the first secret is needed, and turned into the
wrapping key once. A key is handed out only as the kind that it is: where a study
root is wanted, a register root is refused by name.

Source: security points 5–8; docs/reference/keys.md, "The key ring".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Self

from gateway.adapters import keyring_files as files
from gateway.adapters import keyring_wrap as wrap
from gateway.adapters.keyring_drawing import draw, public_of
from gateway.adapters.keyring_memory import harden_process
from gateway.adapters.keyring_rewrap import HEADER, current, finish
from gateway.errors import IntegrityError, RefusedError, Unavailable, UsageError
from gateway.model.keys import FORMS, ID, KeyForm, KeyKind, KeyRecord, KeyState, key_id

_KEY_ID = re.compile(r"(?!ring$)[a-z0-9-]{1,100}")
SECRET_FORMS = frozenset({KeyForm.RANDOM, KeyForm.ED25519, KeyForm.X25519, KeyForm.X25519_HPKE})


class CoreRing:
    """The secret keys of one gateway, as files; `keyring.KeyRing` gives them their types."""

    def __init__(self, directory: Path, passphrase: Callable[[], bytes]) -> None:
        """Open lazily.

        Args:
            directory: mode 0700, this user's alone; made by `create`.
            passphrase: asked at most once, when the first secret is needed.
        """
        self._directory = directory
        self._passphrase = passphrase
        self._wrapping: wrap.Wrapping | None = None

    @classmethod
    def create(cls, directory: Path, passphrase: bytes, *, sender: str) -> Self:
        """Make an empty ring under a passphrase.

        Raises:
            UsageError: there is one already.
        """
        files.make_directory(directory)
        header, wrapping = wrap.new_header(passphrase, sender=sender)
        files.create(directory / HEADER, header)
        ring = cls(directory, lambda: passphrase)
        ring._wrapping = wrapping
        return ring

    @property
    def exists(self) -> bool:
        """Whether a ring was made here."""
        return (self._directory / HEADER).exists()

    @property
    def sender(self) -> str:
        """Whose ring it is: the sender id in every package."""
        return self._header()["sender"]

    def records(self) -> tuple[KeyRecord, ...]:
        """List every key by id, without a passphrase."""
        self._header()
        found = (self._read_if_there(path) for path in self._key_files())
        return tuple(_record(content) for content in found if content is not None)

    def record(self, key: str) -> KeyRecord:
        """Describe one key, without a passphrase.

        Raises:
            UsageError: there is no such key.
        """
        return _record(self._read(self._path(key)))

    def find(self, kind: KeyKind, *, owner: str = "", epoch: str = "") -> KeyRecord:
        """Find the ready key of a kind and owner; without an epoch, the newest.

        Raises:
            Unavailable: there is none that is ready for use.
        """
        ready = [
            record
            for record in self.records()
            if (record.kind, record.owner, record.state) == (kind, owner, KeyState.READY)
            and epoch in ("", record.epoch)
        ]
        if not ready:
            raise _absent(kind, owner, epoch)
        return max(ready, key=_age)

    def make(
        self, kind: KeyKind, *, owner: str = "", epoch: str = "", at: dt.datetime
    ) -> KeyRecord:
        """Make a key of fresh randomness from the operating system, ready for use.

        Raises:
            UsageError: the kind has no secret here, a name is malformed, or it exists.
        """
        if FORMS[kind] not in SECRET_FORMS:
            raise UsageError(
                "keys/kind-not-kept",
                f"A {kind} key is {FORMS[kind]}; the ring keeps no secret of it.",
                remedy="Public keys stand in the folder of GATEWAY_KEYS.",
            )
        return self.put(kind, draw(kind), owner=owner, epoch=epoch, at=at, state=KeyState.READY)

    def put(
        self,
        kind: KeyKind,
        secret: bytes,
        *,
        owner: str,
        epoch: str,
        at: dt.datetime,
        state: KeyState = KeyState.PENDING,
    ) -> KeyRecord:
        """Wrap and write a secret; one that came from elsewhere is pending until confirmed."""
        for name in (owner, epoch):
            if name and not ID.fullmatch(name):
                raise _malformed()
        record = KeyRecord(
            id=key_id(kind, owner=owner, epoch=epoch),
            kind=kind,
            owner=owner,
            epoch=epoch,
            created=at,
            state=state,
            public=public_of(kind, secret),
        )
        content = self._unlocked().seal(secret, clear=_clear(record))
        with files.locked(self._directory):
            files.create(self._path(record.id), content)
        return record

    def settle(self, key: str) -> KeyRecord:
        """Make a pending key ready, after two people have compared its check value."""
        content = self._read(self._path(key))
        secret = self._unlocked().unseal(content)
        settled = {**_clear(_record(content)), "state": KeyState.READY.value}
        with files.locked(self._directory):
            files.replace(self._path(key), self._unlocked().seal(secret, clear=settled))
        return self.record(key)

    def secret(self, key: str, kind: KeyKind, *, pending: bool = False) -> bytes:
        """Unwrap one secret, as the kind that it is.

        Raises:
            RefusedError: it is of another kind, or not confirmed yet.
            IntegrityError: its file was changed.
        """
        content = self._read(self._path(key))
        record = _record(content)
        if record.kind is not kind:
            raise RefusedError(
                "keys/wrong-kind",
                f"{key} is a {record.kind} key; a {kind} key is wanted here.",
                remedy="Name a key of that kind; `gateway keys list` shows them.",
            )
        if record.state is not KeyState.READY and not pending:
            raise RefusedError(
                "keys/pending",
                f"{key} was accepted and is not confirmed.",
                remedy="Compare its check value by voice, then `gateway keys confirm`.",
            )
        return self._unlocked().unseal(content)

    def destroy(self, key: str) -> None:
        """Overwrite and unlink one key's file; nothing made with it can be made again."""
        path = self._path(key)
        finish(self._directory)
        files.shred_drafts(self._directory)
        with files.locked(self._directory):
            self._read(path)
            files.shred(path)

    def unlock(self) -> None:
        """Prove the passphrase now, for work that should fail before it starts."""
        self._unlocked()

    def _key_files(self) -> list[Path]:
        return [path for path in sorted(self._directory.glob("*.json")) if path.name != HEADER]

    def _header(self) -> dict[str, str]:
        files.check_directory(self._directory)
        content = files.read_safely(self._directory / HEADER)
        return wrap.parse(content, form=wrap.RING_FORMAT)

    def _unlocked(self) -> wrap.Wrapping:
        if self._wrapping is None:
            harden_process()
            finish(self._directory)
            files.shred_drafts(self._directory)
            self._wrapping = wrap.open_header(self._header(), self._passphrase())
        return self._wrapping

    def _path(self, key: str) -> Path:
        if not _KEY_ID.fullmatch(key):
            raise _malformed()
        return self._directory / f"{key}.json"

    def _read(self, path: Path) -> dict[str, str]:
        content = self._read_if_there(path)
        if content is None:
            raise UsageError(
                "keys/unknown",
                f"There is no key {path.stem} in the ring.",
                remedy="`gateway keys list` shows the keys; a destroyed key does not come back.",
            )
        return content

    def _read_if_there(self, path: Path) -> dict[str, str] | None:
        """One key's file, whatever others replace or destroy meanwhile."""
        files.check_directory(self._directory)
        while path.exists():
            # A rewrapping that ends meanwhile takes the file beside away: then look again.
            content = files.read_standing(current(path))
            if content is not None:
                return wrap.parse(content, form=wrap.KEY_FORMAT)
        return None


def _clear(record: KeyRecord) -> dict[str, str]:
    return {
        "format": wrap.KEY_FORMAT,
        "id": record.id,
        "kind": record.kind.value,
        "owner": record.owner,
        "epoch": record.epoch,
        "created": record.created.isoformat(),
        "state": record.state.value,
        "public": record.public,
    }


def _record(content: dict[str, str]) -> KeyRecord:
    try:
        return KeyRecord(
            id=content["id"],
            kind=KeyKind(content["kind"]),
            owner=content["owner"],
            epoch=content["epoch"],
            created=dt.datetime.fromisoformat(content["created"]),
            state=KeyState(content["state"]),
            public=content["public"],
        )
    except (KeyError, ValueError):
        raise IntegrityError(
            "keys/damaged",
            "A key file does not say what key it holds.",
            remedy="Restore the key ring from its own backup.",
        ) from None


def _age(record: KeyRecord) -> tuple[int, dt.datetime]:
    # Generations are numbers: 10 is newer than 9.
    return (int(record.epoch) if record.epoch.isdecimal() else 0, record.created)


def _absent(kind: KeyKind, owner: str, epoch: str) -> Unavailable:
    described = " ".join(part for part in (owner, epoch) if part)
    return Unavailable(
        "keys/absent",
        f"The ring has no ready {kind} key{f' for {described}' if described else ''}.",
        remedy="If there was one, restore keys/ from its backup: another key makes other tokens. "
        f"If there never was, a custodian makes one: `gateway keys new --kind {kind}`.",
        kind=kind.value,
    )


def _malformed() -> UsageError:
    return UsageError(
        "keys/malformed-name",
        "A key, study, epoch or owner is named with a-z, 0-9 and hyphens, 40 at most.",
        remedy="Choose such a name.",
    )
