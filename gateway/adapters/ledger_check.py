"""Verify the stored ledger from its first byte: every leaf hashed again, every node compared.

What a checkpoint outside the machine says is checked as well: a database that was
put back to an earlier day agrees with itself, and only such a checkpoint shows it.

Source: security design points 20 and 24; RFC 9162 section 2.1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import ledger
from gateway.adapters.durable import written_beside
from gateway.adapters.ledger_rows import raw, written
from gateway.adapters.ledger_store import LEAVES, NODES, size, stored_checkpoints
from gateway.errors import GatewayError, IntegrityError, Unavailable, UsageError
from gateway.ledger import Checkpoint, CompactRange
from gateway.sealing import CHECKPOINT_TYP, verify_compact

BLOCK = 2000
MAX_FAULTS = 100
Block = Sequence[Mapping[str, Any]]
EXPORT_FORMAT = "gateway-ledger-export-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """What `verify` found; `faults` are codes with the index or size they are about."""

    size: int
    root: str
    checkpoint: str
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify(
    connection: Connection, *, keys: Mapping[str, bytes], outside: Iterable[str] = ()
) -> LedgerReport:
    """Hash the whole log again and hold it against every checkpoint.

    Args:
        connection: of `Database.begin`.
        keys: the ledger's public keys by id.
        outside: checkpoints (compact JWS) kept outside this machine.

    Returns:
        The report; tampering is a fault in it, never an exception.
    """
    check = _Check()
    check.demand(connection, keys, outside)
    for block in _blocks(connection):
        if not check.take(block, _kept_nodes(connection, block)):
            break
    check.finish(connection)
    latest = check.latest
    return LedgerReport(
        size=check.grown.size,
        root=check.grown.root().hex(),
        checkpoint=latest,
        faults=tuple(dict.fromkeys(check.faults)),
    )


def require_whole(connection: Connection, *, keys: Mapping[str, bytes]) -> None:
    """Let nothing leave on a ledger that is not what was written: its proof would prove nothing.

    Raises:
        IntegrityError: `ledger/not-whole`, with the first fault.
    """
    report = verify(connection, keys=keys)
    if not report.ok:
        raise IntegrityError(
            "ledger/not-whole",
            f"The ledger does not verify ({report.faults[0]}).",
            remedy="Share nothing. Run `gateway ledger verify`, and compare the ledger with "
            "the checkpoints kept outside this machine.",
        )


def export(
    connection: Connection, path: Path | None, *, origin: str, show: Callable[[str], bool]
) -> int:
    """Write the log as JSON lines; an entry that may not be shown leaves its commitment only.

    Args:
        connection: of `Database.begin`.
        path: a new file; standard output without one.
        origin: the ledger's name.
        show: whether entries of an event are written out, with their salts.

    Returns:
        How many entries were written.

    Raises:
        UsageError: the file is there already.
        Unavailable: it cannot be written.
        IntegrityError: an entry is not what was written; nothing is exported.
    """
    lines = (rfc8785.dumps(line) + b"\n" for line in _export_lines(connection, origin, show))
    if path is None:
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return size(connection)
    if path.exists():
        raise UsageError(
            "ledger/export-exists",
            "The export's file is there already.",
            remedy="Choose another name: an export overwrites nothing.",
        )
    try:
        with written_beside(path, mode=0o666) as file:
            file.writelines(lines)
    except OSError as fault:
        raise Unavailable(
            "ledger/not-exported",
            f"The export cannot be written ({fault.strerror}).",
            remedy="Name a folder that exists, that you may write to, and that has room.",
        ) from None
    return size(connection)


def exported_roots(path: Path, sizes: Iterable[int]) -> dict[int, bytes]:
    """The roots, at the sizes asked for, of a log whose export one was given.

    Raises:
        IntegrityError: `ledger/export-form`.
    """
    wanted, roots, grown = set(sizes), {}, CompactRange()
    try:
        with open(path, "rb") as file:
            for line in file:
                document = json.loads(line)
                if grown.size in wanted:
                    roots[grown.size] = grown.root()
                if "commitment" in document:
                    grown.append(ledger.leaf_hash(bytes.fromhex(document["commitment"])))
    except (OSError, ValueError, TypeError):
        raise IntegrityError(
            "ledger/export-form",
            "The ledger export is malformed.",
            remedy="Take the export again from `gateway ledger export`, unchanged.",
        ) from None
    if grown.size in wanted:
        roots[grown.size] = grown.root()
    return roots


def proof_document(proof: ledger.EntryProof, checkpoint: str) -> dict[str, Any]:
    """The proof of one entry, as a file that the stand-alone verifier reads."""
    return {
        "format": "gateway-ledger-proof-1",
        "index": proof.index,
        "size": proof.size,
        "root": proof.root.hex(),
        "entry": json.loads(proof.entry),
        "salt": proof.salt.hex(),
        "path": [step.hex() for step in proof.path],
        "checkpoint": checkpoint,
    }


def _export_lines(
    connection: Connection, origin: str, show: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    yield {"format": EXPORT_FORMAT, "origin": origin, "size": size(connection)}
    for row in (row for block in _blocks(connection) for row in block):
        entry, salt = written(row)
        line = {"index": row["index"], "commitment": ledger.commit(entry, salt=salt).hex()}
        if show(row["event"]):
            line |= {"entry": json.loads(entry), "salt": salt.hex()}
        yield line
    for jws in stored_checkpoints(connection):
        yield {"checkpoint": jws}


def read_checkpoint(jws: str, keys: Mapping[str, bytes]) -> Checkpoint:
    """A checkpoint whose signature verifies.

    Raises:
        IntegrityError: it does not, or it is malformed.
    """
    return ledger.decode_checkpoint(verify_compact(jws, typ=CHECKPOINT_TYP, keys=keys)[0])


class _Check:
    """One pass over the log: what was hashed, what is still demanded, what was found."""

    def __init__(self) -> None:
        self.grown = CompactRange()
        self.faults: list[str] = []
        self.latest = ""
        self._wanted: dict[int, set[bytes]] = {}

    def demand(
        self, connection: Connection, keys: Mapping[str, bytes], outside: Iterable[str]
    ) -> None:
        """Note which root every checkpoint wants at its size."""
        stored = stored_checkpoints(connection)
        for jws in (*stored, *outside):
            try:
                seen = read_checkpoint(jws, keys)
            except GatewayError:
                self.faults.append("ledger/checkpoint-signature")
                continue
            self._wanted.setdefault(seen.size, set()).add(seen.root)
        self.latest = stored[-1] if stored else ""
        self._compare_root()

    def take(self, block: Block, kept: dict[tuple[int, int], bytes]) -> bool:
        """Hash a block of leaves; whether it makes sense to go on."""
        for row in block:
            if row["index"] != self.grown.size:
                self.faults.append(f"ledger/gap at {self.grown.size}")
                return False
            for node in self.grown.append(ledger.leaf_hash(self._commitment(row))):
                if kept.pop((row["index"], node.level), b"") != node.hash:
                    self.faults.append(f"ledger/node-changed at {row['index']}")
            self._compare_root()
        self.faults += [f"ledger/node-changed at {leaf}" for leaf, _ in kept]
        return len(self.faults) < MAX_FAULTS

    def finish(self, connection: Connection) -> None:
        """What is demanded and was never reached, and nodes without leaves."""
        self.faults += [f"ledger/rolled-back from {count}" for count in sorted(self._wanted)]
        beyond = sa.select(NODES.c.leaf).where(NODES.c.leaf >= self.grown.size).limit(1)
        if connection.execute(beyond).first() is not None:
            self.faults.append(f"ledger/leaf-missing at {self.grown.size}")

    def _compare_root(self) -> None:
        roots = self._wanted.pop(self.grown.size, None)
        if roots is not None and roots != {self.grown.root()}:
            self.faults.append(f"ledger/not-consistent at {self.grown.size}")

    def _commitment(self, row: Mapping[str, Any]) -> bytes:
        entry, salt = raw(row["entry"]), raw(row["salt"])
        try:
            event = ledger.decode_entry(entry).event
            commitment = ledger.commit(entry, salt=salt)
        except GatewayError:
            self.faults.append(f"ledger/entry-form at {row['index']}")
            return b""
        if event != row["event"] or row["id"] != ledger.entry_id(commitment):
            self.faults.append(f"ledger/entry-changed at {row['index']}")
        return commitment


def _kept_nodes(connection: Connection, block: Block) -> dict[tuple[int, int], bytes]:
    first, last = block[0]["index"], block[-1]["index"]
    query = sa.select(NODES).where(NODES.c.leaf >= first, NODES.c.leaf <= last)
    return {(row.leaf, row.level): raw(row.hash) for row in connection.execute(query)}


def _blocks(connection: Connection) -> Iterator[Block]:
    """Every leaf in order, a block at a time."""
    after = -1
    while True:
        query = sa.select(LEAVES).where(LEAVES.c["index"] > after).order_by(LEAVES.c["index"])
        block = connection.execute(query.limit(BLOCK)).mappings().all()
        if not block:
            return
        yield [dict(row) for row in block]
        after = block[-1]["index"]
