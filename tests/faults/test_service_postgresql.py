"""The service while its PostgreSQL is cut off, stopped, killed or stands still.

Callers are told to come again, no process of the service dies of it, and once the
database is back everything that was sent has its receipt.

Source: security points 15, 22 and 23; docs/explanation/service.md, "When something dies".
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path

from tests.databases import Server, own_server
from tests.faults import soundness
from tests.faults.test_postgresql import cut, hang, kill, stop
from tests.service import serving
from tests.service.partner import Partner
from tests.service.serving import Service
from tests.web import office as offices

FAULTS = (cut, kill, stop, hang)
OVER = {"done", "failed"}


class Sender(threading.Thread):
    """A partner that corrects its extract again and again, until told to end."""

    def __init__(self, service: Service, lines: list[bytes]) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.told: dict[str, str] = {}
        self.fault: Exception | None = None
        self._partner = Partner(service.url, offices.MACHINES[offices.COUNCIL][0])
        self._lines, self._ended = lines, threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self._send(b"".join(self._lines[: -1 - len(self.sent)]))
        except Exception as fault:  # noqa: BLE001 - raised by whoever waits
            self.fault = fault

    def _send(self, content: bytes) -> None:
        upload = self._partner.send(content, "family_register", piece=1 << 15)
        self.sent[upload] = hashlib.sha256(content).hexdigest()
        look = lambda: self._partner.upload(upload)  # noqa: E731
        told = serving.until(look, lambda each: each["state"] in OVER, 240)
        self.told[upload] = told["state"]

    def end(self) -> None:
        self._ended.set()
        self.join(300)
        assert not self.is_alive()
        if self.fault is not None:
            raise self.fault


def beset(server: Server, service: Service, sender: Sender) -> None:
    """One fault after the other, each in the middle of the work."""
    for fault in FAULTS:
        before = len(sender.told)
        fault(server)
        serving.until(lambda before=before: len(sender.told) > before or sender.fault, bool, 240)
        assert service.get("/healthz")[0] == 200


def test_nothing_is_lost_when_the_database_goes_away_under_the_service(
    people: Path, tmp_path: Path
) -> None:
    lines = (people / "family_register.csv").read_bytes().splitlines(keepends=True)
    with own_server() as server:
        office = offices.built(tmp_path / "office", database_url=server.create())
        with serving.serving(office, web=2, workers=2) as service:
            sender = Sender(service, lines)
            sender.start()
            time.sleep(1)
            try:
                beset(server, service, sender)
            finally:
                sender.end()
            assert service.stop() == 0
        digests = {row["id"]: row for row in soundness.table(office, soundness.EXTRACTS)}
        assert set(sender.told.values()) == {"done"}
        assert {row["content_digest"] for row in digests.values()} == set(sender.sent.values())
        soundness.check_receipts(office)
        soundness.check_ledger(office)
    events = [json.loads(line) for line in service.said().splitlines() if line[0] == "{"]
    assert [each for each in events if each["event"] == "unforeseen-fault"] == []
    assert {each["code"] for each in events if "code" in each} & {"store/database"}
    assert "Traceback" not in service.said()
