"""Where the ring's passphrase comes from: a file of mode 0400, or the terminal.

Never an argument, an environment value, the database or a log. The file lies
outside the data directory, so that a copy of the data is not also a copy of the
key to it. Without file and terminal the gateway says so and stops.

Source: security points 7, 22; NIST SP 800-132 (passphrase-based wrapping).
"""

from __future__ import annotations

import base64
import secrets
import sys
from getpass import getpass
from pathlib import Path

from gateway.adapters import keyring_files as files
from gateway.adapters.settings import Settings
from gateway.errors import Unavailable

SHORTEST = 16
ANY_BUT_OWNER_READS = 0o377
GENERATED_BYTES = 15  # 120 bits, 24 base32 characters


def read_passphrase(settings: Settings) -> bytes:
    """Read the passphrase from its file, or ask for it.

    Raises:
        Unavailable: no file and no terminal, or the file is unsafe.

    """
    if settings.passphrase_file is None:
        return _ask("Passphrase of the key ring: ")
    _refuse_inside(settings.passphrase_file, settings.data)
    found = files.read_safely(settings.passphrase_file, beyond=ANY_BUT_OWNER_READS)
    found = found.strip(b"\r\n")
    if not found:
        raise Unavailable("keys/empty-passphrase", "The passphrase file is empty.", remedy=_REMEDY)
    return found


def new_passphrase(settings: Settings) -> tuple[bytes, bool]:
    """Take the passphrase of a new ring: from its file, made now, or asked twice.

    Returns:
        The passphrase, and whether it was generated into the named file.

    Raises:
        Unavailable: shorter than 16 characters, or nowhere to take it from.

    """
    named = settings.passphrase_file
    made = named is not None and not named.exists()
    if named is not None and made:
        _refuse_inside(named, settings.data)
        _generate(named)
    chosen = read_passphrase(settings)
    if len(chosen.decode("utf-8", "replace")) < SHORTEST:
        raise Unavailable(
            "keys/weak-passphrase",
            f"The passphrase has fewer than {SHORTEST} characters.",
            remedy="Name a file that does not exist yet in GATEWAY_PASSPHRASE_FILE: "
            "`gateway init` then generates a strong one into it.",
        )
    if named is None and _ask("The same again: ") != chosen:
        raise Unavailable(
            "keys/passphrase-differs", "The two passphrases differ.", remedy="Run init again."
        )
    return chosen, made


def _generate(path: Path) -> None:
    letters = base64.b32encode(secrets.token_bytes(GENERATED_BYTES)).decode("ascii").lower()
    grouped = "-".join(letters[at : at + 6] for at in range(0, len(letters), 6))
    if not path.parent.is_dir():
        files.make_directory(path.parent)
    files.create(path, f"{grouped}\n".encode("ascii"))


def _ask(prompt: str) -> bytes:
    if not sys.stdin.isatty():
        raise Unavailable(
            "keys/no-passphrase",
            "The key ring needs its passphrase, and there is no terminal to ask on.",
            remedy=_REMEDY,
        )
    return getpass(prompt, stream=sys.stderr).encode("utf-8")


def _refuse_inside(path: Path, data: Path) -> None:
    if path.resolve().is_relative_to(data.resolve()):
        raise Unavailable(
            "keys/passphrase-inside-data",
            "The passphrase file lies inside the data directory.",
            remedy="Move it elsewhere: a copy of the data must not carry the key to it.",
        )


_REMEDY = (
    "Name a file of mode 0400, outside the data directory, in GATEWAY_PASSPHRASE_FILE, "
    "or run the command on a terminal."
)
