"""Backups of the data, without the keys, and the way back, which begins in hold.

A backup is one tar: the database as of one moment, the sealed files that it names, and
a first member that says what it holds. The key ring is not in it, so that a stolen
backup opens nothing; it has a backup of its own, which lives at most thirty days.

A restored directory shares nothing until a person has entered the objections and
revocations that came after the backup, and the ledger continues what was kept outside.

Source: security points 8, 21, 24; docs/how-to/run-the-service.md, "Backups".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.adapters import ledger_store, schema
from gateway.adapters.database import Database
from gateway.adapters.durable import written_beside
from gateway.adapters.settings import MARK, Settings
from gateway.errors import HeldForPerson, IntegrityError, Unavailable, UsageError

FORMAT = "gateway-backup-1"
HEAD = "backup.json"
BASE = "gateway.sqlite"
HELD = "restored.json"
FOLDERS = ("extracts", "uploads", "outgoing", "link-maps", "inbox", "memories", "previews")
KEY_FOLDERS = ("keys", "web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds: how far the ledger had come, and each file with its digest."""

    format: str
    created: str
    size: int
    root: str
    files: dict[str, str]


def back_up(settings: Settings, target: Path, *, at: dt.datetime) -> Backup:
    """Write the database and the sealed files into one tar that its owner alone can read.

    Raises:
        UsageError: the records lie in PostgreSQL, whose own tool backs them up.
        Unavailable: the target cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=settings.data) as scratch:
        base = Path(scratch) / BASE
        _copy_base(settings, base)
        size, root = _ledger_of(base)
        places = {BASE: base, **dict(_files(settings.data, FOLDERS))}
        if settings.founded:
            places[MARK] = settings.data / MARK
        told = Backup(
            format=FORMAT,
            created=at.isoformat(timespec="seconds"),
            size=size,
            root=root,
            files={name: _digest(path) for name, path in places.items()},
        )
        _write(target, told, places)
    return told


def back_up_keys(settings: Settings, target: Path, *, at: dt.datetime) -> Backup:
    """Write the key ring and the web's own keys, wrapped as they lie, into a tar of their own."""
    places = dict(_files(settings.data, KEY_FOLDERS, but=("web/metrics",)))
    told = Backup(
        format=FORMAT,
        created=at.isoformat(timespec="seconds"),
        size=0,
        root="",
        files={name: _digest(path) for name, path in places.items()},
    )
    _write(target, told, places)
    return told


def restore(settings: Settings, source: Path) -> Backup:
    """Put a backup back into a directory that does not hold its like; data begin in hold.

    The data and the key ring come back in either order, since each has its own backup.

    Raises:
        UsageError: there is data already, or a key ring where the backup has one.
        IntegrityError: the file is not a backup, or not as it was written.
    """
    data = settings.data
    told = _head_of(source)
    _require_room(data, told)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The hold stands before anything that could be shared does.
    if told.size:
        begin_hold(data, told)
    for name, content in _members(source, told):
        path = data / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written_beside(path, mode=0o400 if name.startswith("keys/") else 0o600) as file:
            _copied(content, file)
        if _digest(path) != told.files[name]:
            path.unlink()
            raise _not_whole()
    return told


def _require_room(data: Path, told: Backup) -> None:
    """Nothing is overwritten or mixed: neither data with data, nor a ring with a ring."""
    inside = {name.split("/")[0] for name in told.files}
    wanted = KEY_FOLDERS[:1] if inside <= set(KEY_FOLDERS) else (BASE, *FOLDERS)
    taken = [name for name in wanted if (data / name).exists()]
    taken += [name for name in told.files if name not in taken and (data / name).is_file()]
    if taken and wanted == KEY_FOLDERS[:1]:
        raise UsageError(
            "restore/keys-there",
            f"{data} holds a key ring or keys already; nothing was changed.",
            remedy="Name with --data an empty directory, or one that holds restored data alone.",
        )
    if taken:
        raise UsageError(
            "restore/data-there",
            f"{data} holds data already ({', '.join(taken[:10])}); nothing was changed.",
            remedy="Name an empty directory with --data, or one that holds the key ring alone.",
        )


def begin_hold(data: Path, told: Backup) -> None:
    """Let nothing leave until what came after a backup is known to be there."""
    with written_beside(data / HELD) as file:
        file.write(json.dumps(asdict(told) | {"files": {}}).encode())


def held_since_restore(data: Path) -> Backup | None:
    """What was restored and has not been reconciled yet."""
    try:
        told = json.loads((data / HELD).read_bytes())
    except FileNotFoundError:
        return None
    return Backup(**told)


def require_reconciled(data: Path) -> None:
    """Refuse to share from what was put back and nobody has reconciled.

    Raises:
        HeldForPerson: `restore/not-reconciled`.
    """
    if (data / HELD).exists():
        raise HeldForPerson(
            "restore/not-reconciled",
            "This data directory or its database was put back to an earlier state; nothing "
            "leaves it yet.",
            remedy="Enter the objections, withdrawals and revocations that came after the backup, "
            "then run `gateway reconcile`.",
        )


def release_hold(data: Path) -> None:
    """End the hold; its entry stands in the ledger already."""
    (data / HELD).unlink(missing_ok=True)


def _copy_base(settings: Settings, target: Path) -> None:
    database = schema.database_in(settings)
    if database.postgresql:
        database.close()
        raise UsageError(
            "backup/postgresql",
            "The records lie in PostgreSQL, which has its own tool for backups.",
            remedy="Run `pg_dump` first, then back up the data directory's files; see the how-to.",
        )
    database.close()
    # SQLite's own online backup: one moment, beside writers.
    source = sqlite3.connect(f"file:{settings.data / BASE}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    except sqlite3.Error as fault:
        raise Unavailable(
            "backup/not-written",
            f"The database could not be copied ({type(fault).__name__}).",
            remedy="Free disk space in the data directory, then run it again.",
        ) from None
    finally:
        copy.close()
        source.close()


def _ledger_of(base: Path) -> tuple[int, str]:
    database = Database(f"sqlite:///{base}")
    with database.read() as connection:
        told = ledger_store.size(connection), ledger_store.root(connection).hex()
    database.close()
    return told


def _files(
    data: Path, folders: tuple[str, ...], but: tuple[str, ...] = ()
) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for path in sorted((data / folder).rglob("*")) if (data / folder).is_dir() else ():
            name = path.relative_to(data).as_posix()
            if path.is_file() and path.suffix != ".part" and not name.startswith(but or ("//",)):
                yield name, path


def _write(target: Path, told: Backup, places: dict[str, Path]) -> None:
    try:
        with written_beside(target) as file, tarfile.open(fileobj=file, mode="w") as tar:
            _add(tar, HEAD, io.BytesIO(json.dumps(asdict(told)).encode()), None)
            for name, path in places.items():
                with open(path, "rb") as content:
                    _add(tar, name, content, path)
    except OSError as fault:
        raise Unavailable(
            "backup/not-written",
            f"The backup could not be written ({fault.strerror}).",
            remedy="Free disk space, or name another file.",
        ) from None


def _add(tar: tarfile.TarFile, name: str, content: Any, path: Path | None) -> None:
    member = tarfile.TarInfo(name)
    member.size = path.stat().st_size if path else len(content.getbuffer())
    member.mode = 0o600
    tar.addfile(member, content)


def _copied(content: Any, file: Any) -> None:
    """Copy one member; a backup that ends too soon is no backup."""
    try:
        shutil.copyfileobj(content, file, 1 << 20)
    except tarfile.TarError:
        raise _not_whole() from None


def _head_of(source: Path) -> Backup:
    try:
        with tarfile.open(source, "r:") as tar:
            first = tar.next()
            content = tar.extractfile(first) if first and first.name == HEAD else None
            told = json.loads(content.read(64 << 20)) if content else {}
        if told.get("format") == FORMAT:
            return Backup(**told)
    except (OSError, tarfile.TarError, ValueError, TypeError):
        pass
    raise _not_whole()


def _members(source: Path, told: Backup) -> Iterator[tuple[str, Any]]:
    """Every member that the head names, each once; anything else is refused."""
    seen: set[str] = set()
    allowed = (*FOLDERS, *KEY_FOLDERS)
    try:
        with tarfile.open(source, "r:") as tar:
            for member in tar:
                name = member.name
                if name == HEAD:
                    continue
                inside = name in (BASE, MARK) or name.split("/")[0] in allowed
                safe = inside and ".." not in name.split("/") and not name.startswith("/")
                if not (member.isfile() and safe and name in told.files and name not in seen):
                    raise _not_whole()
                seen.add(name)
                yield name, tar.extractfile(member)
    except (OSError, tarfile.TarError):
        raise _not_whole() from None
    if seen != set(told.files):
        raise _not_whole()


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_whole() -> IntegrityError:
    return IntegrityError(
        "restore/not-whole",
        "The file is not a backup of a gateway, or not as it was written.",
        remedy="Use another backup; what was put back from this one is to be deleted.",
    )
