"""The governance pages at the server with 200 agreements and 10,000 releases.

    gateway bench governance

The office is founded as every test's; 192 copies of its agreement in force are stored,
proposed and approved with real signatures, and 10,000 releases with their ledger entries.
Times are of whole requests through the application, documents and signatures as at work.

Source: docs/reference/benchmarks.md; issue, "any page < 150 ms at the server".
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import resource
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from gateway import ledger
from gateway.adapters import ledger_store, policy_store
from gateway.adapters.database import Database
from gateway.adapters.keyring import open_ring
from gateway.adapters.policy_reading import agreements
from gateway.adapters.policy_shelf import policy_desk
from gateway.adapters.release_store import RELEASES
from gateway.ledger import Entry
from gateway.web import create_app
from gateway.web.desk import desk_of
from gateway.workflows.ports_policy import Proposal
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web import office as offices

RUNS = 7
AGREEMENTS, RELEASED = 200, 10_000
TARGET = 150
PATH = "agreements/trafford.toml"
ALARM = {"code": "tripwire/rows", "subject": "payload", "sentence": "Half as many rows."}
RECORD = json.dumps({"alarms": [ALARM], "refusal": [[ALARM["code"], ALARM["sentence"]]]})


def run(releases: int = RELEASED) -> dict[str, Any]:
    """Ask for each page again and again; medians and worst of twenty in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="bench-governance-") as folder:
        office = offices.built(Path(folder) / "office")
        _more_agreements(office, AGREEMENTS)
        _more_releases(office, releases)
        app = create_app(offices.settings_of(office), passwords=offices.CHEAP)
        try:
            taken = {name: _taken(app, role, path) for name, role, path in _pages(app)}
            taken["live check"] = _checked(app)
        finally:
            desk_of(app).database.close()
    medians = {name: round(statistics.median(each), 1) for name, each in taken.items()}
    slowest = max(medians.values())
    return {
        "name": "governance",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "agreements": AGREEMENTS,
        "releases": releases,
        "ours": slowest,
        "ratio": round(slowest / TARGET, 2),
        "unit": f"ms, slowest page's median; ratio to the target of {TARGET} ms",
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "median": medians,
        "worst": {name: round(max(each), 1) for name, each in taken.items()},
    }


def _more_agreements(office: Office, wanted: int) -> None:
    """Copies of the agreement in force under other ids, each proposed and approved."""
    database = Database(offices.settings_of(office).database_url)
    at = dt.datetime.now(dt.UTC)
    with office.open(), database.read() as connection:
        documents = policy_store.bundle(connection)
        text = documents[PATH]
        held = sum(1 for path in documents if path.startswith("agreements/"))
        copies = {
            f"agreements/copy-{number}.toml": text.replace(
                'id = "trafford-stronger-families"', f'id = "copy-{number}"'
            )
            for number in range(wanted - held)
        }
        facts = agreements(connection, {**documents, **copies})
    with office.open():
        ring = open_ring(offices.settings_of(office))
        with policy_desk(ring, database, acting="edith", at=at).shelf() as shelf:
            for path, copy in copies.items():
                known = facts[path.removeprefix("agreements/").removesuffix(".toml")]
                drawn = Proposal(
                    agreement=known.id,
                    version=known.version,
                    controllers=known.controllers,
                    policy_digest=known.policy_digest,
                    editor="edith",
                )
                proposal = shelf.propose(drawn, {path: copy})
                shelf.approve(proposal, known.controllers[0], "april")
                shelf.settle(proposal)
    database.close()


def _more_releases(office: Office, wanted: int) -> None:
    """Releases that were forwarded or held, each with three entries of the ledger."""
    database = Database(offices.settings_of(office).database_url)
    at = dt.datetime.now(dt.UTC)
    about = {"purpose": borough.STUDY, "agreement": borough.AGREEMENT}
    ids = [f"rel-{number:06d}-{secrets.token_hex(4)}" for number in range(wanted)]
    rows = [
        {
            **about,
            "id": name,
            "sequence": number + 1,
            "state": "held" if number % 500 == 0 else "forwarded",
            "policy_digest": "0" * 64,
            "officer": "rosa",
            "created": at.isoformat(),
            "record": RECORD if number % 500 == 0 else "{}",
        }
        for number, name in enumerate(ids)
    ]
    with database.begin() as connection:
        connection.execute(RELEASES.insert(), rows)
        _entries(connection, ids, about, at)
    database.close()


def _entries(
    connection: sa.Connection, ids: list[str], about: dict[str, str], at: dt.datetime
) -> None:
    """The ledger's leaves and nodes for releases, grown in memory and written at once."""
    index = ledger_store.size(connection)
    nodes = {
        (row.level, ((row.leaf + 1) >> row.level) - 1): bytes(row.hash)
        for row in connection.execute(sa.select(ledger_store.NODES))
    }
    leaves, grown = [], []
    for name in ids:
        for event, facts in _facts(name, about):
            encoded = ledger.encode_entry(Entry(event=event, facts=facts, at=at))
            salt = secrets.token_bytes(32)
            commitment = ledger.commit(encoded, salt=salt)
            added = ledger.grow(
                index, ledger.leaf_hash(commitment), node=lambda level, at: nodes[level, at]
            )
            for node in added:
                nodes[node.level, ((index + 1) >> node.level) - 1] = node.hash
                grown.append({"leaf": index, "level": node.level, "hash": node.hash})
            place = {"index": index, "id": ledger.entry_id(commitment), "event": event}
            leaves.append({**place, "entry": encoded, "salt": salt})
            index += 1
    connection.execute(ledger_store.LEAVES.insert(), leaves)
    connection.execute(ledger_store.NODES.insert(), grown)


def _facts(release: str, about: dict[str, str]) -> list[tuple[str, dict[str, str | int]]]:
    base: dict[str, str | int] = {"release": release, **about}
    counts = {"received": 100, "forwarded": 90, "withheld": 10, "register_sequence": 1}
    return [
        ("release-decided", {**base, "policy_digest": "0" * 64, "operator": "rosa"}),
        ("release-built", {**base, **counts}),
        ("release-recorded", {**base, "packages": 2, "packages_digest": "1" * 64}),
    ]


def _pages(app: Flask) -> list[tuple[str, str, str]]:
    with desk_of(app).database.read() as connection:
        release = connection.execute(sa.select(RELEASES.c.id).limit(1)).scalar_one()
    agreement = f"/agreements/{borough.AGREEMENT}"
    draft = _draft(app)
    return [
        ("start", "editor", "/"),
        ("agreements", "editor", "/agreements"),
        ("one agreement", "editor", agreement),
        ("proposal", "approver", f"{agreement}/proposal"),
        ("notice", "editor", f"{agreement}/notice"),
        ("traces", "editor", f"/traces?agreement={borough.AGREEMENT}"),
        ("draft", "editor", draft),
        ("field", "editor", f"{draft}/field/{borough.STUDY}/payload"),
        ("text", "editor", f"{draft}/text"),
        ("waiting", "approver", "/waiting"),
        ("permissions", "approver", "/permissions"),
        ("audit", "auditor", "/audit"),
        ("audit of one event", "auditor", "/audit?event=policy-approved"),
        ("audit of one person", "auditor", "/audit?operator=nobody"),
        ("releases", "analyst", "/releases"),
        ("releases, far back", "analyst", "/releases?page=390"),
        ("one release", "auditor", f"/releases/{release}"),
        ("proof, refused", "auditor", f"/releases/{release}/proof"),
    ]


def _draft(app: Flask) -> str:
    """The address of a draft with a change."""
    editor = offices.signed_in(app, "edith")
    answer = editor.post(f"/agreements/{borough.AGREEMENT}/drafts")
    form = {"column": "family_register.intensity", "treat": "keep", "clause": "4.2(c)iv"}
    address = str(answer.location)
    saved = editor.post(
        f"{address}/field/{borough.STUDY}/payload", data={**form, "revision": "1", "reason": "Why."}
    )
    assert saved.status_code == 303
    return address


def _checked(app: Flask) -> list[float]:
    """Live checks of a text with one more fault each time."""
    editor = offices.signed_in(app, "edith")
    address = _draft(app)
    with desk_of(app).database.read() as connection:
        text = policy_store.bundle(connection)[PATH]
    taken = []
    for number in range(RUNS):
        broken = text.replace('household = "drop-person"', f'household = "drop-{number}"', 1)
        form = {"path": PATH, "text": broken}
        began = time.perf_counter()
        answer = editor.post(f"{address}/check", data=form)
        taken.append(1000 * (time.perf_counter() - began))
        assert answer.get_json()["faults"]
    return taken


def _taken(app: Flask, role: str, path: str) -> list[float]:
    client = offices.signed_in(app, offices.LOGINS[role])
    assert client.get(path).status_code < 500, path
    return [_timed(client, path) for _ in range(RUNS)]


def _timed(client: Any, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
