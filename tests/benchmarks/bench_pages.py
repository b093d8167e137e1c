"""Each page at the server: who asks, what it takes, beside a plain Flask page that shows nothing.

    python tests/benchmarks/bench_pages.py

The office has the demo's content: extracts of four datasets, a release, 200 more files
in the history. Times are of whole requests through the application, sign-in read anew.

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from flask import Flask

from gateway.adapters import extract_list, release_list
from gateway.adapters.database import Database
from gateway.adapters.extract_store import EXTRACTS
from gateway.web import create_app
from gateway.web.desk import desk_of
from tests.journeys import borough, borough_pages
from tests.journeys.office import Office
from tests.web import office as offices

RUNS = 40
FILES = 200


def run(files: int = FILES) -> dict[str, Any]:
    """Ask for each page again and again; medians and worst of twenty in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        office = _office(Path(folder), files)
        app = create_app(offices.settings_of(office), passwords=offices.CHEAP)
        try:
            taken = {name: _taken(app, role, path) for name, role, path in _pages(app)}
        finally:
            desk_of(app).database.close()
    medians = {name: round(statistics.median(each), 1) for name, each in taken.items()}
    slow = {name: round(sorted(each)[int(len(each) * 0.95)], 1) for name, each in taken.items()}
    slowest = max(medians.values())
    return {
        "name": "pages",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "ours": slowest,
        "peer": round(statistics.median(_plain()), 2),
        "ratio": round(slowest / 100, 2),
        "unit": "ms, slowest page's median; ratio to the target of 100 ms",
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "median": medians,
        "p95": slow,
    }


def _office(home: Path, files: int) -> Office:
    office = borough_pages.ready(home)
    people = home / "people"
    with office.open():
        office.must(*borough.SHARE)
        for name in ("police_bad", "police_incidents"):
            words = ["receive", str(people / f"{name}.csv"), "--dataset", "police_incidents"]
            office.run(*words, "--from", borough_pages.POLICE)
    _history(office, files)
    return office


def _history(office: Office, files: int) -> None:
    """Rows of files that came before: the lists are long, the files themselves are not needed."""
    database = Database(offices.settings_of(office).database_url)
    with database.begin() as connection:
        last = connection.execute(EXTRACTS.select().order_by(EXTRACTS.c.sequence.desc())).first()
        assert last is not None
        for number in range(files):
            row = last._asdict() | {"id": f"extract-before-{number}", "sequence": 1000 + number}
            row |= {"content_digest": f"{number:064x}", "superseded_by": last.id}
            connection.execute(EXTRACTS.insert().values(**row))
    database.close()


def _pages(app: Flask) -> list[tuple[str, str, str]]:
    with desk_of(app).database.read() as connection:
        lines = extract_list.listed(connection, limit=1000)
        release = release_list.listed(connection)[0].id
    bad = next(line.id for line in lines if line.state == "rejected")
    return [
        ("start", "uploader", "/"),
        ("what to send", "uploader", "/send"),
        ("what and why", "uploader", "/send/police_incidents"),
        ("upload form", "uploader", "/send/police_incidents/file"),
        ("history", "uploader", "/sent"),
        ("findings", "uploader", f"/sent/{bad}"),
        ("extracts", "analyst", "/extracts"),
        ("releases", "analyst", "/releases"),
        ("one release", "auditor", f"/releases/{release}"),
        ("new release", "release-officer", "/releases/new"),
        ("work in hand", "analyst", "/jobs"),
    ]


def _taken(app: Flask, role: str, path: str) -> list[float]:
    client = offices.signed_in(app, offices.LOGINS[role])
    assert client.get(path).status_code == 200, path
    return [_timed(client, path) for _ in range(RUNS)]


def _plain() -> list[float]:
    app = Flask("plain")
    app.add_url_rule("/", view_func=lambda: "<!doctype html><title>A page</title>")
    client = app.test_client()
    return [_timed(client, "/") for _ in range(RUNS)]


def _timed(client: Any, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
