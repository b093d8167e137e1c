"""The web's own keys: one root for what it seals and counts, and signing keys for access tokens.

They are files of mode 0400 under `<data>/web/`, apart from the key ring: the web
process opens them without a passphrase, and none of them opens a stored extract.
From the root come subkeys, one for each use, so that no value made for one use
passes for another. The newest signing key signs; an older one verifies until
every token that it signed has ended.

Source: docs/explanation/service.md, "Processes"; security points 5, 7; RFC 5869 (HKDF).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.adapters import keyring_files as files
from gateway.adapters.assertions import thumbprint
from gateway.adapters.settings import Settings
from gateway.errors import IntegrityError, UsageError

FOLDER = "web"
ROOT = "root.key"
LENGTH = 32
# Longer than the life of any access token and the clock skew allowed with it.
STILL_VERIFIES = dt.timedelta(hours=1)
_SIGNING = re.compile(r"token-(\d{8}T\d{6})-[0-9a-f]{8}\.key")
_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """One key that signs access tokens; `ends` is when it stops verifying, if it was replaced."""

    kid: str
    made: dt.datetime
    ends: dt.datetime | None
    public: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebKeys:
    """The web's keys of one data directory, read from their files when they are used."""

    folder: Path
    root: bytes = field(repr=False)

    def subkey(self, use: str) -> bytes:
        """The 32-byte key of one use; the name of the use is part of it."""
        info = b"gateway-web/1 " + use.encode("ascii")
        return HKDF(SHA256(), LENGTH, salt=None, info=info).derive(self.root)

    def token_keys(self, at: dt.datetime) -> tuple[TokenKey, ...]:
        """The keys whose tokens verify now, the one that signs first."""
        newest_first = sorted(_signing_files(self.folder), reverse=True)
        found: list[TokenKey] = []
        ends: dt.datetime | None = None
        for made, path in newest_first:
            if ends is not None and ends <= at:
                break
            found.append(_token_key(made, path, ends))
            ends = made + STILL_VERIFIES
        return tuple(found)

    def rotate(self, at: dt.datetime) -> TokenKey:
        """Let a new key sign from now on, and shred those that verify nothing any more.

        Raises:
            UsageError: the signing key was made in this very second.
        """
        still = {key.made for key in self.token_keys(at)}
        if at.replace(microsecond=0) in still:
            raise UsageError(
                "clients/rotated-just-now",
                "A new signing key was made in this very second.",
                remedy="Wait a second and run it again, if a second rotation was meant.",
            )
        files.shred_drafts(self.folder)
        with files.locked(self.folder):
            _make_signing(self.folder, at)
            for made, path in _signing_files(self.folder):
                if made < at - STILL_VERIFIES and made not in still:
                    files.shred(path)
        return self.token_keys(at)[0]


def open_web_keys(settings: Settings, *, at: dt.datetime) -> WebKeys:
    """Open the web's keys; made when they are needed for the first time.

    Raises:
        Unavailable: the folder or a file is not this user's alone, or cannot be written.
        IntegrityError: a file does not hold a key.
    """
    folder = settings.data / FOLDER
    files.make_directory(folder)
    root = folder / ROOT
    if not root.exists() or not any(_signing_files(folder)):
        with files.locked(folder):
            if not root.exists():
                files.create(root, secrets.token_bytes(LENGTH))
            if not any(_signing_files(folder)):
                _make_signing(folder, at)
    return WebKeys(folder=folder, root=_read(root))


def _make_signing(folder: Path, at: dt.datetime) -> None:
    name = f"token-{at.astimezone(dt.UTC).strftime(_STAMP)}-{secrets.token_hex(4)}.key"
    files.create(folder / name, secrets.token_bytes(LENGTH))


def _signing_files(folder: Path) -> Iterator[tuple[dt.datetime, Path]]:
    for path in folder.iterdir():
        if named := _SIGNING.fullmatch(path.name):
            made = dt.datetime.strptime(named[1], _STAMP).replace(tzinfo=dt.UTC)
            yield made, path


def _token_key(made: dt.datetime, path: Path, ends: dt.datetime | None) -> TokenKey:
    secret, public = _pair(path)
    return TokenKey(kid=thumbprint(public), made=made, ends=ends, public=public, secret=secret)


@functools.lru_cache(maxsize=16)
def _pair(path: Path) -> tuple[bytes, bytes]:
    """A signing key's halves; a file of that name is never written again, only shredded."""
    secret = _read(path)
    return secret, Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _read(path: Path) -> bytes:
    secret = files.read_safely(path)
    if len(secret) != LENGTH:
        raise IntegrityError(
            "clients/not-a-key",
            f"{path.name} does not hold a key of {LENGTH} bytes.",
            remedy="Restore it from a backup; without it sign-ins have to be set up anew.",
        )
    return secret
