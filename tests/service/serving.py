"""`gateway serve` for an office: on a free port, asked over HTTP, looked at from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

from gateway.adapters import jobs, uploads
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind
from gateway.adapters.settings import Settings, read_settings
from gateway.wiring import common
from tests.journeys import borough
from tests.journeys.office import REPOSITORY, Office

PATIENCE = 90.0
T = TypeVar("T")


@dataclass
class Service:
    """One running `gateway serve`."""

    office: Office
    process: subprocess.Popen[str]
    url: str
    log: Path
    processes: Mapping[str, int] = field(default_factory=dict)

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a page, following nothing."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as told:
            with told:
                return told.code, told.read()

    def said(self) -> str:
        """What it wrote to standard error so far."""
        return self.log.read_text("utf-8")

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ask it to end in order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def environment(office: Office, **more: str) -> dict[str, str]:
    """What a process of the service sees; coverage is passed on where it is measured."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COVERAGE"))}
    return {**kept, "HOME": str(office.home), **office.environment(), **more}


@contextlib.contextmanager
def started(
    office: Office, *words: str, log: Path | None = None, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own; whatever it started ends with the block."""
    with contextlib.ExitStack() as stack:
        said: TextIO = stack.enter_context((log or office.home / "serve.log").open("a"))
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "--data", str(office.data), *words],
            cwd=REPOSITORY,
            env=environment(office, **more),
            stdout=subprocess.PIPE,
            stderr=said,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            with process:
                try:
                    yield process
                finally:
                    _ended(process)
        finally:
            for left in session(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


@contextlib.contextmanager
def serving(
    office: Office, *, web: int = 1, workers: int = 1, more: Sequence[str] = (), **settings: str
) -> Iterator[Service]:
    """The whole service, up."""
    words = ("serve", "--port", "0", "--json", "--web", str(web), "--workers", str(workers), *more)
    log = office.home / "serve.log"
    with started(office, *words, log=log, **settings) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text("utf-8")[-2000:]
        told = json.loads(line)
        yield Service(office, process, told["listening"], log, told["processes"])


def settings_of(office: Office) -> Settings:
    return read_settings(office.data, environ=office.environment())


@contextlib.contextmanager
def database_of(office: Office) -> Iterator[Database]:
    """The office's database, for looking and asking."""
    opened = common.open_database(settings_of(office))
    try:
        yield opened
    finally:
        opened.close()


def ask(
    office: Office,
    kind: JobKind,
    *,
    subject: str = "",
    request: Mapping[str, Any] | None = None,
    by: str = "rosa",
) -> str:
    """Write a job, as the web process does; without a request, one about the study."""
    study = {"purpose": borough.STUDY, "agreement": borough.AGREEMENT}
    with database_of(office) as database, database.begin() as connection:
        return jobs.enqueue(
            connection,
            kind,
            subject=subject or f"{borough.STUDY}/{borough.AGREEMENT}",
            by=by,
            request=study if request is None else request,
            at=common.now(),
        )


def send(office: Office, file: Path, dataset: str, party: str) -> tuple[str, str]:
    """Take a file in by the web's own door and without its server: the upload and its job."""
    from gateway.adapters.keyring import open_ring

    settings = settings_of(office)
    with database_of(office) as database, file.open("rb") as source:
        shelf = uploads.of_settings(
            settings,
            database,
            recipient=open_ring(settings).upload_recipient,
            now=common.now,
        )
        size = file.stat().st_size
        made = shelf.create(dataset=dataset, party=party, by="desk", length=size)
        whole = shelf.append(made.id, 0, source, party=party)
    return whole.id, whole.job


def job_of(office: Office, job: str) -> Job:
    with database_of(office) as database, database.read() as connection:
        return jobs.find(connection, job)


def finished(office: Office, job: str, seconds: float = PATIENCE) -> Job:
    """The job once it is over."""
    return until(lambda: job_of(office, job), lambda each: each.state in jobs.OVER, seconds)


def until(look: Callable[[], T], enough: Callable[[T], object], seconds: float = PATIENCE) -> T:
    """Look again and again until it is enough; fails with what was seen last."""
    deadline = time.monotonic() + seconds
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def session(leader: int) -> list[int]:
    """Every process of a session, by id."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (each / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(each.name))
    return found


def children_of(process: int) -> list[int]:
    """The processes that one has started, by id."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (each / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(each.name))
    return found


def _ended(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
    if process.poll() is None:
        process.kill()
