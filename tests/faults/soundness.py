"""What must be true of a data directory after any crash, and after the run that follows it."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.extract_files import list_beside
from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.keyring import open_ring
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.release_store import PACKAGES, RELEASES
from gateway.adapters.settings import read_settings
from gateway.ledger import decode_entry
from gateway.model.keys import KeyKind
from tests.journeys.office import Office


def table(office: Office, which: sa.Table) -> list[dict[str, Any]]:
    """All rows of a table."""
    database = _database(office)
    try:
        with database.begin() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.select(which))]
    finally:
        database.close()


def ledger_facts(office: Office, event: str) -> list[dict[str, Any]]:
    """The facts of every ledger entry of one event."""
    rows = [row for row in table(office, LEAVES) if row["event"] == event]
    return [dict(decode_entry(bytes(row["entry"])).facts) for row in rows]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_ledger(office: Office) -> None:
    """The ledger verifies, from its first byte."""
    answer = office.run("ledger", "verify", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert answer.document["ok"]


def check_receipts(office: Office) -> None:
    """Each receipt once, with its ledger entry and its very file; one extract in use at most."""
    rows = table(office, EXTRACTS)
    told = {facts["extract"]: facts for facts in ledger_facts(office, "extract-received")}
    assert sorted(told) == sorted(row["id"] for row in rows)
    keys = [(row["dataset"], row["party"], row["content_digest"]) for row in rows]
    assert len(set(keys)) == len(keys), "the same bytes have two receipts"
    for row in rows:
        if row["sealed_name"]:
            file = office.data / "extracts" / row["sealed_name"]
            beside = list_beside(file)
            content = file.read_bytes() + (beside.read_bytes() if beside.exists() else b"")
            digest = hashlib.sha256(content).hexdigest()
            assert digest == row["sealed_digest"] == told[row["id"]]["sealed_digest"]
    in_use = collections.Counter(
        (row["dataset"], row["party"])
        for row in rows
        if row["state"] == "accepted" and not row["superseded_by"]
    )
    assert all(count == 1 for count in in_use.values()), in_use


def check_outbox(office: Office, outbox: Path) -> None:
    """Every file under a final name is the whole package of a recorded release."""
    packages = {row["id"]: row for row in table(office, PACKAGES)}
    states = {row["id"]: row["state"] for row in table(office, RELEASES)}
    for path in outbox.rglob("*.gwp"):
        row = packages[path.stem]
        assert sha256(path) == row["digest"], "half a package lies under its final name"
        assert states[row["release"]] in {"recorded", "forwarded"}
        assert path.parent.name == row["recipient"]
    for row in packages.values():
        assert row["forwarded"] == "" or (outbox / row["recipient"] / f"{row['id']}.gwp").exists()


def check_nothing_half_done(office: Office, outbox: Path) -> None:
    """After a run that came to its end: no release in between, no file that nothing needs."""
    releases = {row["id"]: row["state"] for row in table(office, RELEASES)}
    packages = table(office, PACKAGES)
    assert set(releases.values()) <= {"forwarded", "withdrawn", "refused"}, releases
    left = {name for name, state in releases.items() if state == "forwarded"}
    assert {row["release"] for row in packages} == left
    assert sorted(path.stem for path in outbox.rglob("*.gwp")) == sorted(r["id"] for r in packages)
    assert [path.name for path in outbox.rglob("*.part")] == []
    told = [facts["package"] for facts in ledger_facts(office, "package-forwarded")]
    assert sorted(told) == sorted(row["id"] for row in packages), "forwarded twice, or never"
    assert {facts["release"] for facts in ledger_facts(office, "release-recorded")} == left
    assert list((office.data / "outgoing").iterdir()) == []
    assert list((office.data / "scratch").iterdir()) == []
    assert {path.name.split(".")[0] for path in (office.data / "link-maps").iterdir()} == left
    ring = open_ring(read_settings(office.data))
    owners = {key.owner for key in ring.records() if key.kind is KeyKind.LINK_MAP and key.owner}
    assert owners == left
    assert [path.name for path in (office.data / "keys").glob("*.part")] == []


def check_no_orphan_extract(office: Office) -> None:
    """After a receipt that came to its end: only files of receipts."""
    known = {row["id"] for row in table(office, EXTRACTS)}
    files = [path.name for path in (office.data / "extracts").iterdir()]
    assert [name for name in files if name.split(".")[0] not in known] == []
    assert [name for name in files if name.endswith(".part")] == []


def check_unreadable(office: Office, values: list[bytes], *folders: Path) -> None:
    """No detail of a person stands readable in any file."""
    assert len(values) > 50
    for folder in (office.data, *folders):
        for path in (each for each in folder.rglob("*") if each.is_file()):
            content = path.read_bytes()
            assert [1 for value in values if value in content] == [], path.name


def without_traceback(said: str) -> None:
    assert "Traceback" not in said, said[-2000:]


def document(said: str) -> Any:
    return json.loads(said)


@contextlib.contextmanager
def changed(office: Office, which: sa.Table) -> Iterator[tuple[sa.Connection, sa.Table]]:
    """A table to be changed behind the gateway's back."""
    database = _database(office)
    try:
        with database.begin() as connection:
            yield connection, which
    finally:
        database.close()


def _database(office: Office) -> Database:
    settings = read_settings(office.data, environ=office.environment())
    return Database(settings.database_url)
