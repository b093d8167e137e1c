"""A recipient's own pair: made here, kept private, in the form that any `age` tool reads;
and a recipient, as packages are opened by one.

Source: age-encryption.org/v1; security design point 7.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from gateway import sealing
from gateway.errors import IntegrityError, Unavailable, UsageError
from gateway.sealing import Trust

SECRET_PREFIX = "AGE-SECRET-KEY-1"
SECRET_FILE = "recipient.key"
PUBLIC_FILE = "recipient.pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientPair:
    """Where a new pair lies, and its public half."""

    secret_file: Path
    public_file: Path
    public: str

    @property
    def key_id(self) -> str:
        """The id that packages for this key carry."""
        return sealing.recipient_key_id(self.public)


def new_pair(to: Path, *, at: dt.datetime) -> RecipientPair:
    """Make a pair: `recipient.key` (mode 0400) and `recipient.pub`.

    Raises:
        UsageError: `recipient-key/exists`: a pair is there already.
        Unavailable: the folder cannot be written.
    """
    identity = pyrage.x25519.Identity.generate()
    pair = RecipientPair(
        secret_file=to / SECRET_FILE, public_file=to / PUBLIC_FILE, public=str(identity.to_public())
    )
    note = f"# created: {at:%Y-%m-%d}\n# public key: {pair.public}\n"
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(pair.secret_file, f"{note}{identity}\n", 0o400)
        _write_new(pair.public_file, f"{pair.public}\n", 0o444)
    except FileExistsError:
        raise UsageError(
            "recipient-key/exists",
            "The folder holds a recipient's key already; it is not overwritten.",
            remedy="Name another folder with --to.",
        ) from None
    except OSError as fault:
        raise Unavailable(
            "recipient-key/not-written",
            f"The key cannot be written ({fault.strerror}).",
            remedy="Name a folder of your own, on a disk with room.",
        ) from None
    return pair


def read_key(path: Path) -> str:
    """Read an age secret key from a file that only its owner can read.

    Raises:
        Unavailable: `open/key-not-safe` or `open/key-form`.
    """
    try:
        with open(path, "rb") as file:
            _require_private(os.fstat(file.fileno()))
            lines = file.read(64 * 1024).decode("ascii").split("\n")
    except (OSError, UnicodeDecodeError):
        raise _key_form() from None
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(found) != 1 or not found[0].startswith(SECRET_PREFIX):
        raise _key_form()
    try:
        sealing.identity_of(found[0])
    except IntegrityError:
        raise _key_form() from None
    return found[0]


def _write_new(path: Path, text: str, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _require_private(status: os.stat_result) -> None:
    owner_is_us = status.st_uid == os.geteuid() or os.geteuid() == 0
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or not owner_is_us:
        raise Unavailable(
            "open/key-not-safe",
            "Other people of this machine can read the key file.",
            remedy="Make it private (chmod 400), and ask yourself whether it is still secret.",
        )


def _key_form() -> Unavailable:
    return Unavailable(
        "open/key-form",
        "The key file does not hold exactly one age secret key, or cannot be read.",
        remedy="Name the file that `gateway recipient-key new` made.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who opens: the secret key, whom it trusts, and where it remembers."""

    key: str = field(repr=False)
    trust: Trust
    state: Path


def recipient_from_files(
    key_file: Path, *, trust_file: Path | None, state: Path | None = None
) -> Recipient:
    """Read the recipient's key and the sender's descriptor.

    Raises:
        Unavailable: `open/no-trust`, `open/key-not-safe`, `open/key-form`, `open/trust-form`.
    """
    if trust_file is None:
        raise Unavailable(
            "open/no-trust",
            "Without the sender's trust file nothing in a package can be believed.",
            remedy="Get the sender's descriptor (`gateway trust export`) outside the package.",
        )
    try:
        trust = sealing.parse_trust(trust_file.read_bytes())
    except OSError:
        raise Unavailable(
            "open/no-trust",
            "The sender's trust file cannot be read.",
            remedy="Name the file that the sender gave you, readable for you.",
        ) from None
    return Recipient(
        key=read_key(key_file), trust=trust, state=state or trust_file.absolute().parent
    )
