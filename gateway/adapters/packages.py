"""The recipient's way in: verify all of a package, and only then write any of it.

    1  the recipient's key file is private, the sender's trust file is given
    2  every byte outside is the permitted one, envelope signature, digest of the sealed part
    3  the package was not opened before
    4  this key opens it; every byte inside; manifest signature, digests, rows, columns
    5  the ledger holds it, under a signed checkpoint that continues the last one seen
    6  decrypt again, compare again, write beside, put in place, remember

The file is read through one descriptor, so that what was checked is what is written.

Source: docs/reference/package.md, "What `gateway open` does".
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gateway import ledger, sealing
from gateway.adapters import ledger_check, recipient_state
from gateway.adapters.recipient_keys import Recipient
from gateway.errors import GatewayError, IntegrityError, Unavailable, UsageError
from gateway.ledger import Link
from gateway.sealing import Contents, LedgerPart, Outer, Trust

ASK = "Keep the package, use nothing of it, and ask the sender."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A package that verified and was written."""

    contents: Contents
    link: Link
    files: tuple[Path, ...]


def _memory(recipient: Recipient, outer: sealing.Outer) -> str:
    """Under which name this is remembered: each key of a machine has its own history.

    A sender proves that its ledger continues what a key was shown before; what
    another key on the same machine was shown, it cannot know.
    """
    return f"{recipient.trust.sender} {outer.envelope.recipient_key}"


def open_package(
    package: Path, *, recipient: Recipient, to: Path, export: Path | None = None
) -> Opened:
    """Verify a package in full, then write its files into `to`.

    Args:
        package: the `.gwp` file.
        recipient: who opens it.
        to: the folder for the files; made if it is not there.
        export: an export of the sender's ledger, to tie what no proof ties.

    Raises:
        IntegrityError: anything does not verify; nothing was written.
        UsageError: `open/would-overwrite`.
        Unavailable: a file or folder cannot be read or written.
    """
    with recipient_state.locked(recipient.state), _readable(package) as file:
        outer = sealing.check_outer(file, trust=recipient.trust)
        known = recipient_state.recall(recipient.state, _memory(recipient, outer))
        if outer.envelope.package in known.packages:
            raise IntegrityError(
                "open/seen-before",
                "This package was opened before.",
                remedy="If it came again by itself, tell the sender.",
            )
        contents = sealing.check_inner(
            _Section(file, outer), outer=outer, key=recipient.key, trust=recipient.trust
        )
        link, roots = check_ledger(contents.manifest, recipient.trust, known.roots, export=export)
        files = _write(file, outer, contents, recipient, roots, to)
    return Opened(contents=contents, link=link, files=files)


def check_ledger(
    manifest: Mapping[str, Any],
    trust: Trust,
    known: Mapping[int, bytes],
    *,
    export: Path | None = None,
) -> tuple[Link, dict[int, bytes]]:
    """The manifest's core stands in the ledger, and the ledger continues what was seen.

    Returns:
        How the checkpoint is tied to those before, and all roots known now.

    Raises:
        IntegrityError: a `ledger/` or `jws/` code.
    """
    core, part = sealing.split_manifest(manifest)
    shown = _signed_checkpoint(part, trust)
    ledger.check_entry(
        ledger.EntryProof(
            index=part.index,
            entry=part.entry,
            salt=part.salt,
            size=part.size,
            root=part.root,
            path=part.path,
        )
    )
    _require_about(core, ledger.decode_entry(part.entry))
    claims = [ledger.Continuation(size=s, root=r, path=p) for s, r, p in part.consistency]
    exported = {}
    if export is not None:
        exported = ledger_check.exported_roots(export, (*known, shown.size))
    return ledger.link(shown, claims, known=known, exported=exported)


def _signed_checkpoint(part: LedgerPart, trust: Trust) -> ledger.Checkpoint:
    payload, kid = sealing.verify_compact(
        part.checkpoint, typ=sealing.CHECKPOINT_TYP, keys=trust.keys_for("ledger")
    )
    shown = ledger.decode_checkpoint(payload)
    if kid not in trust.keys_for("ledger", shown.at):
        raise IntegrityError(
            "package/key-validity", "The ledger key was not valid on that day.", remedy=ASK
        )
    if (shown.origin, shown.size, shown.root) != (trust.origin, part.size, part.root):
        raise IntegrityError(
            "ledger/other-checkpoint",
            "The signed checkpoint is not the one the proof leads to.",
            remedy=ASK,
        )
    return shown


def _require_about(core: Mapping[str, Any], entry: ledger.Entry) -> None:
    """The entry commits to this very core."""
    named = ("release", "output", "package", "recipient", "rows")
    expected = {name: core.get(name) for name in named}
    expected["core_digest"] = sealing.core_digest(core)
    if entry.event != "package-made" or any(
        entry.facts.get(name) != value for name, value in expected.items()
    ):
        raise IntegrityError(
            "ledger/not-recorded",
            "The ledger entry is not about this package's manifest.",
            remedy=ASK,
        )


def _write(
    file: BinaryIO,
    outer: Outer,
    contents: Contents,
    recipient: Recipient,
    roots: Mapping[int, bytes],
    to: Path,
) -> tuple[Path, ...]:
    """Write beside, compare, put in place, remember: in this order."""
    small = {
        "manifest.json": contents.manifest_bytes,
        "manifest.jws": contents.manifest_jws,
        "datapackage.json": contents.datapackage,
    }
    names = (contents.data_file, *small)
    with _staging(to, outer.envelope.package, names) as stage:
        _write_file(
            stage / contents.data_file,
            lambda write: _unseal(file, outer, contents, recipient.key, write),
        )
        for name, content in small.items():
            _write_file(stage / name, lambda write, content=content: write(content))  # type: ignore[misc]
        remembered = recipient_state.prepare(
            recipient.state,
            _memory(recipient, outer),
            package=outer.envelope.package,
            roots=roots,
        )
        for name in names:
            os.rename(stage / name, to / name)
        recipient_state.adopt(remembered)
    return tuple(to / name for name in names)


def _unseal(
    file: BinaryIO, outer: Outer, contents: Contents, key: str, write: Callable[[bytes], object]
) -> None:
    digest = sealing.unseal(_Section(file, outer), write, key=key)
    if digest != contents.manifest["data_digest"]:
        raise IntegrityError(
            "package/digest",
            "The package changed while it was being opened.",
            remedy="Copy the package to a disk where nobody else writes, and open it there.",
        )


@contextmanager
def _staging(to: Path, package: str, names: tuple[str, ...]) -> Iterator[Path]:
    """A private folder inside the target that is gone afterwards, whatever happens."""
    if any((to / name).exists() for name in names):
        raise UsageError(
            "open/would-overwrite",
            "The folder holds the files of another package already.",
            remedy="Name a new folder with --to.",
        )
    existed = to.exists()
    stage = to / f".opening-{package}"
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(mode=0o700)
        yield stage
        stage.rmdir()
    except (OSError, GatewayError) as fault:
        shutil.rmtree(stage, ignore_errors=True)
        for name in names:  # none of them was there before
            with suppress(OSError):
                (to / name).unlink()
        if not existed:
            shutil.rmtree(to, ignore_errors=True)
        if isinstance(fault, GatewayError):
            raise
        raise Unavailable(
            "open/not-written",
            f"The files cannot be written ({fault.strerror}).",
            remedy="Free disk space or name another folder; the package can be opened again.",
        ) from None


def _write_file(path: Path, fill: Callable[[Callable[[bytes], object]], object]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        fill(file.write)
        file.flush()
        os.fsync(file.fileno())


class _Section:
    """The sealed part of the package file, as a stream from its first byte."""

    def __init__(self, file: BinaryIO, outer: Outer) -> None:
        file.seek(outer.offset)
        self._file, self._left = file, outer.size

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        chunk = self._file.read(wanted)
        self._left -= len(chunk)
        return chunk


@contextmanager
def _readable(package: Path) -> Iterator[BinaryIO]:
    try:
        with open(package, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unavailable(
                    "open/not-a-file",
                    "The package is not a regular file.",
                    remedy="Name the .gwp file itself.",
                )
            yield file
    except OSError as fault:
        raise Unavailable(
            "open/not-readable",
            f"The package cannot be read ({fault.strerror}).",
            remedy="Check its path, and that you may read it.",
        ) from None
