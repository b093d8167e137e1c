"""The service under load, and what must be true of it once the load has ended, whatever died."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.job_records import JOBS
from gateway.adapters.jobs import JobKind
from gateway.adapters.release_store import RELEASES
from gateway.adapters.upload_records import UPLOADS
from tests.faults import soundness
from tests.journeys.office import Office
from tests.service import serving
from tests.service.partner import Partner
from tests.web import office as offices

REGISTER, PROGRESS = "family_register", "family_progress"
# Seconds: a file whose judge or checker was killed seven times has rested for four minutes.
PATIENCE = 1200


@dataclass
class Load:
    """Partners that correct an extract again and again, and an officer who asks for releases."""

    office: Office
    people: Path
    url: str
    partners: int = 2
    sent: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    _waiting: dict[str, float] = field(default_factory=dict)
    _enough: threading.Event = field(default_factory=threading.Event)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self) -> float:
        """What a release needs: one extract of each dataset; the seconds that one takes here."""
        start = time.monotonic()
        for dataset in (REGISTER, PROGRESS):
            self.received(self.deliver((self.people / f"{dataset}.csv").read_bytes(), dataset))
        return (time.monotonic() - start) / 2

    def deliver(self, content: bytes, dataset: str) -> str:
        """Send one file; which upload it became."""
        client = offices.MACHINES[offices.COUNCIL][0]
        upload = Partner(self.url, client).send(content, dataset)
        self.sent[upload] = hashlib.sha256(content).hexdigest()
        return upload

    def received(self, upload: str) -> Any:
        """The upload once its check is over, as its sender sees it."""
        partner = Partner(self.url, offices.MACHINES[offices.COUNCIL][0])
        over = {"done", "failed"}
        self._waiting[upload] = time.monotonic()
        found = serving.until(
            lambda: partner.upload(upload), lambda told: told["state"] in over, PATIENCE
        )
        del self._waiting[upload]
        return found

    def waiting(self) -> float:
        """For how many seconds the file or the release that has waited longest has waited."""
        since = list(self._waiting.values())
        return time.monotonic() - min(since) if since else 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Load within the block; at its end everybody finishes what they had begun."""
        threads = [threading.Thread(target=self._partner) for _ in range(self.partners)]
        threads.append(threading.Thread(target=self._officer))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()
        if self.faults:
            raise self.faults[0]

    def _partner(self) -> None:
        with self._noted():
            while not self._enough.is_set():
                self.received(self.deliver(self._version(), REGISTER))

    def _version(self) -> bytes:
        """The register as another file each time: its rows begin elsewhere, then one fewer."""
        file = self.people / f"{REGISTER}.csv"
        names, *rows = file.read_bytes().splitlines(keepends=True)
        with self._lock:
            self._number += 1
            fewer, first = divmod(self._number, len(rows))
        turned = rows[first:] + rows[:first]
        return b"".join((names, *turned[fewer:]))

    def _officer(self) -> None:
        with self._noted():
            while not self._enough.is_set():
                subject = f"release {len(self.asked)}"
                job = serving.ask(self.office, JobKind.SHARE, subject=subject)
                self.asked.append(job)
                self._waiting[job] = time.monotonic()
                serving.finished(self.office, job, PATIENCE)
                del self._waiting[job]

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except Exception as fault:  # noqa: BLE001 - raised by whoever waits for the load
            self.faults.append(fault)

    def last(self) -> None:
        """One more of each with nothing beside it: what crashes left is cleared away."""
        self.received(self.deliver(self._version(), REGISTER))
        job = serving.ask(self.office, JobKind.SHARE, subject="the last release")
        self.asked.append(job)
        serving.finished(self.office, job, PATIENCE)


def check(office: Office, load: Load) -> Counter[str]:
    """Nothing lost, nothing doubled, nothing half done; how many of what there is."""
    soundness.check_ledger(office)
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)
    outbox = office.data / "outbox"
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)
    check_uploads(office, load)
    check_releases(office, load)
    rows = {"extracts": EXTRACTS, "releases": RELEASES, "jobs": JOBS}
    return Counter({name: len(soundness.table(office, which)) for name, which in rows.items()})


def check_uploads(office: Office, load: Load) -> None:
    """Whoever was told that a file is whole has a receipt for its very bytes."""
    digests = {row["id"]: row["content_digest"] for row in soundness.table(office, EXTRACTS)}
    uploads = {row["id"]: row for row in soundness.table(office, UPLOADS)}
    for upload, digest in load.sent.items():
        told = uploads[upload]
        assert told["state"] == "done", dict(told)
        assert digests[told["extract"]] == digest, "a receipt for other bytes"
    kept = {path.parent.name for path in (office.data / "uploads").glob("*/*")}
    needed = {name for name, row in uploads.items() if row["state"] in ("open", "complete")}
    assert kept <= needed, kept - needed


def check_releases(office: Office, load: Load) -> None:
    """Each release that was asked for was made once, and none that nobody asked for."""
    jobs = {row["id"]: row for row in soundness.table(office, JOBS)}
    states = {row["id"]: row["state"] for row in soundness.table(office, RELEASES)}
    made = [jobs[job]["effect"] for job in load.asked]
    assert {jobs[job]["state"] for job in load.asked} <= {"done"}, [
        (jobs[job]["state"], jobs[job]["code"]) for job in load.asked
    ]
    assert len(set(made)) == len(made)
    assert {name for name, state in states.items() if state == "forwarded"} == set(made)
    assert {row["state"] for row in jobs.values()} <= {"done"}, "a job was left behind"
