"""Files that hold secrets: written whole or not at all, read only if safe, shredded.

A key file that another account could read or replace is not read: the ring stops
with `keys/unsafe-mode` (exit 7) before a passphrase is even asked for. A write is
a new file, synced, then given its name, then the directory is synced: after a
power cut there is the old file or the new one. A failed sync is a failure.

Source: security points 7, 22, 23; POSIX fsync(2), rename(2), link(2).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gateway.adapters.durable import written_beside
from gateway.errors import Unavailable, UsageError

OTHERS = 0o077
LARGEST = 1_000_000
DRAFT = ".draft-"


def make_directory(path: Path) -> None:
    """Make a directory of mode 0700 (parents too), or check the one that is there."""
    if not path.is_dir():
        make_directory(path.parent) if not path.parent.exists() else None
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
        sync_directory(path.parent)
    check_directory(path)


def check_directory(path: Path) -> None:
    """Refuse a directory that is not this user's alone.

    Raises:
        Unavailable: it is missing, or another account could enter it.

    """
    try:
        found = path.lstat()
    except OSError:
        raise Unavailable(
            "keys/no-ring", f"There is no directory {path}.", remedy="Run `gateway init` first."
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise _unsafe(path, "is not a directory", "0700")
    _check_owner_and_mode(path, found, "0700")


def read_safely(path: Path, *, beyond: int = OTHERS) -> bytes:
    """Read a file that only this user can read; anything else is refused.

    Args:
        path: a regular file.
        beyond: the mode bits that it may not have.

    Raises:
        Unavailable: missing, not a regular file, owned by or open to another account.

    """
    try:
        with _opened(path) as opened:
            return _read_checked(opened, path, beyond)
    except OSError as fault:
        raise _unreadable(path, fault) from None


def read_standing(path: Path) -> bytes | None:
    """Read a file that others may replace or shred meanwhile: whole, or None where it is gone.

    Both overwrite a file only after it has lost its name. So what was read is whole if the
    name still stands for that very file afterwards.

    Raises:
        Unavailable: as `read_safely`.

    """
    while path.exists():
        try:
            with _opened(path) as opened:
                content = _read_checked(opened, path, OTHERS)
                if os.path.samestat(os.fstat(opened.fileno()), path.stat()):
                    return content
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise _unreadable(path, fault) from None
    return None


def create(path: Path, content: bytes) -> None:
    """Write a new file of mode 0400, durable, never over an existing one.

    Raises:
        UsageError: a file of that name exists.
        Unavailable: the disk did not take it.

    """
    with _written(path, content) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise UsageError(
                "keys/exists",
                f"{path.name} exists already.",
                remedy="Choose another name or epoch; nothing was overwritten.",
            ) from None


def replace(path: Path, content: bytes) -> None:
    """Put new content under an existing name, whole or not at all; the old is overwritten."""
    path.chmod(0o600)
    with path.open("r+b") as old, _written(path, content) as draft:
        draft.replace(path)
        sync_directory(path.parent)
        _overwrite(old)


def note(path: Path, content: bytes) -> None:
    """Write what is no secret beside the keys, whole or not at all; several processes may.

    Raises:
        Unavailable: `keys/not-written`.
    """
    try:
        with locked(path.parent), written_beside(path) as opened:
            opened.write(content)
    except OSError as fault:
        raise _not_written(path, fault) from None


def shred(path: Path) -> None:
    """Take a file's name from it, overwrite it, sync it, unlink it, sync the directory.

    Whoever reads meanwhile, or after a power cut, finds the whole file or none; what a
    cut leaves is a draft, for `shred_drafts`. On a copy-on-write or flash medium the
    overwriting may miss old blocks; what lies there is still wrapped under the
    passphrase (docs/reference/keys.md).
    """
    draft = _draft(path)
    path.rename(draft)
    sync_directory(path.parent)
    _shred_draft(draft)


def shred_drafts(directory: Path) -> None:
    """Shred what was left by those who were killed while they wrote or shredded."""
    if not any(directory.glob(f"{DRAFT}*")):
        return
    with locked(directory):
        for draft in directory.glob(f"{DRAFT}*"):
            if _has_name(draft):
                draft.unlink()
            else:
                _shred_draft(draft)


def _has_name(draft: Path) -> bool:
    """Whether it was given its name already: then it is the file itself."""
    others = (path for path in draft.parent.iterdir() if path != draft)
    return draft.stat().st_nlink > 1 and any(draft.samefile(path) for path in others)


def _shred_draft(draft: Path) -> None:
    draft.chmod(0o600)
    with draft.open("r+b") as opened:
        _overwrite(opened)
    draft.unlink()
    sync_directory(draft.parent)


def _overwrite(opened: BinaryIO) -> None:
    length = opened.seek(0, os.SEEK_END)
    for filling in (secrets.token_bytes(length), bytes(length)):
        opened.seek(0)
        opened.write(filling)
        opened.flush()
        os.fsync(opened.fileno())


def sync_directory(path: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let one process at a time change a directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    draft = _draft(path)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(descriptor, "wb") as opened:
            os.fchmod(opened.fileno(), 0o400)
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        yield draft
        sync_directory(path.parent)
    except OSError as fault:
        raise _not_written(path, fault) from None
    finally:
        draft.unlink(missing_ok=True)


def _not_written(path: Path, fault: OSError) -> Unavailable:
    return Unavailable(
        "keys/not-written",
        f"{path.name} could not be written ({type(fault).__name__}).",
        remedy="Check that the disk is not full and that the directory is yours.",
    )


def _draft(path: Path) -> Path:
    return path.with_name(DRAFT + secrets.token_hex(8))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        yield opened


def _read_checked(opened: BinaryIO, path: Path, beyond: int) -> bytes:
    found = os.fstat(opened.fileno())
    if not stat.S_ISREG(found.st_mode):
        raise _unsafe(path, "is not a regular file", "0400")
    _check_owner_and_mode(path, found, "0400", beyond=beyond)
    return opened.read(LARGEST)


def _check_owner_and_mode(
    path: Path, found: os.stat_result, wanted: str, *, beyond: int = OTHERS
) -> None:
    if found.st_uid != os.geteuid():
        raise _unsafe(path, "belongs to another user", wanted)
    if found.st_mode & beyond:
        raise _unsafe(path, f"has mode {stat.S_IMODE(found.st_mode):04o}", wanted)


def _unsafe(path: Path, fault: str, wanted: str) -> Unavailable:
    return Unavailable(
        "keys/unsafe-mode",
        f"{path} {fault}; others could read or replace it.",
        remedy=f"Set its mode to {wanted} and its owner to the gateway's user, "
        "and treat what it held as seen.",
    )


def _unreadable(path: Path, fault: OSError) -> Unavailable:
    return Unavailable(
        "keys/unreadable",
        f"{path} cannot be read ({type(fault).__name__}).",
        remedy="Check that the file exists and belongs to the gateway's user.",
    )
