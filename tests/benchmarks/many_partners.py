"""Many partners who send at once, and somebody who asks for other things meanwhile.

    python -m tests.benchmarks.many_partners URL CLIENT

asks a running service for small things, again and again, until its input ends; then it
prints how many milliseconds each answer took. A process of its own, so that the
partners' work does not count.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.adapters import clients
from gateway.adapters.keyring_signing import public_of, raw_public
from gateway.model.words import PartyRole
from tests.benchmarks.extract_1m import Numbers, people
from tests.faults import soundness
from tests.journeys.office import REPOSITORY, Office
from tests.service import serving
from tests.service.partner import Partner
from tests.service.serving import Service
from tests.web import office as offices

DATASET = "bench"
PIECE = 1 << 20
PAUSE = 0.05


def party_of(number: int) -> str:
    return f"bench-partner-{number:02}"


def built(home: Path, partners: int) -> Office:
    """An office with so many parties that may send the benchmark's dataset, each with a client."""
    policies = home / "policies"
    shutil.copytree(REPOSITORY / "tests" / "benchmarks" / "policies", policies)
    named = [party_of(number) for number in range(partners)]
    with (policies / "vocabulary.toml").open("a") as vocabulary:
        for name in named:
            vocabulary.write(f'\n[parties.{name}]\ntitle = "{name}"\nclass = ["council"]\n')
    contract = policies / "datasets" / "bench.toml"
    listed = json.dumps(["bench-council", *named])
    text = contract.read_text().replace('["bench-council"]', listed)
    contract.write_text(text)
    office = Office(home, policies=policies)
    home.chmod(0o700)
    office.must("init", "--name", "bench")
    with serving.database_of(office) as database, database.begin() as connection:
        for name in named:
            clients.add(
                connection,
                name,
                party=name,
                roles=frozenset({PartyRole.UPLOADER}),
                public=raw_public(public_of(offices.secret_of(name))),
                by="ada",
                at=dt.datetime.now(dt.UTC),
            )
    return office


def extract(rows: int, seed: int) -> bytes:
    """A partner's extract as it would send it."""
    out = io.BytesIO()
    for number, block in enumerate(people(rows, Numbers(seed), seed)):
        block.write_csv(out, include_header=number == 0)
    return out.getvalue()


@dataclass
class Sent:
    """What one partner sent, and what it was told."""

    party: str
    digest: str
    upload: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    sending: float = 0.0
    waited: float = 0.0


def sends(url: str, party: str, content: bytes) -> Sent:
    """Send one extract in pieces and wait for its findings."""
    partner = Partner(url, party)
    sent = Sent(party, hashlib.sha256(content).hexdigest())
    began = time.perf_counter()
    sent.upload = partner.send(content, DATASET, piece=PIECE)
    whole = time.perf_counter()
    sent.sending = whole - began
    while (told := partner.upload(sent.upload))["state"] not in ("done", "failed"):
        time.sleep(PAUSE)
    sent.told, sent.waited = told, time.perf_counter() - whole
    return sent


def all_at_once(service: Service, files: dict[str, bytes]) -> list[Sent]:
    """Every partner sends its file at the same moment."""
    done: list[Sent] = []
    failed: list[BaseException] = []

    def one(party: str, content: bytes) -> None:
        try:
            done.append(sends(service.url, party, content))
        except BaseException as fault:  # noqa: BLE001 - raised where everybody is awaited
            failed.append(fault)

    threads = [threading.Thread(target=one, args=each) for each in files.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return done


def check_nothing_lost(office: Office, sent: list[Sent]) -> None:
    """Each file has one receipt for its very bytes, and the ledger verifies."""
    digests = {
        row["id"]: (row["party"], row["content_digest"])
        for row in soundness.table(office, soundness.EXTRACTS)
    }
    for each in sent:
        assert each.told["state"] == "done", each.told
        assert digests[each.told["extract"]] == (each.party, each.digest)
    assert len(digests) == len(sent), "one receipt for each file"
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)
    soundness.check_ledger(office)


@contextmanager
def asking(service: Service, client: str) -> Iterator[list[float]]:
    """Somebody asks for small things within the block; the milliseconds are there after it."""
    took: list[float] = []
    words = [sys.executable, "-m", "tests.benchmarks.many_partners", service.url, client]
    with subprocess.Popen(
        words, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "ready\n"
        try:
            yield took
        finally:
            out, _ = asker.communicate(timeout=120)
    took.extend(json.loads(out))


class Memory(threading.Thread):
    """The most memory that each kind of process of a service held, in MiB."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self.peaks: dict[str, int] = {}
        self.most_together = 0
        self._leader, self._ended = service.process.pid, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            together = 0
            for process in serving.session(self._leader):
                kind, peak, now = _memory(process)
                self.peaks[kind] = max(self.peaks.get(kind, 0), peak)
                together += now
            self.most_together = max(self.most_together, together)

    def end(self) -> None:
        self._ended.set()
        self.join()


def _memory(process: int) -> tuple[str, int, int]:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return "gone", 0, 0
    numbers = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    kinds = {"gunicorn": "web", "judge_library": "judge", "checker_main": "checker"}
    kinds |= {" worker": "worker", " serve": "supervisor"}
    kind = next((kind for word, kind in kinds.items() if word in words), "other")
    return kind, int(numbers.get("VmHWM", 0)) >> 10, int(numbers.get("VmRSS", 0)) >> 10


def main(url: str, client: str) -> None:
    """Ask until the input ends."""
    partner = Partner(url, client)
    partner.token()
    print("ready", flush=True)
    took = []
    asked = ("/api/v1/extracts", "/api/v1/extracts?limit=5", "/sign-in", "/readyz")
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        for path in asked:
            began = time.perf_counter()
            answer = partner.ask("GET", path, signed=path.startswith("/api"))
            took.append(round(1000 * (time.perf_counter() - began), 1))
            assert answer.status < 500, (path, answer.status, answer.body)
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
