"""What a partner is told when a file changes under the sending, or the service cannot take it."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.adapters import service_client, service_upload
from gateway.adapters.client_keys import read_private
from gateway.adapters.sending_memory import SendingMemory
from gateway.adapters.service_client import ServiceClient, connected
from gateway.adapters.service_upload import outcome, send
from gateway.errors import InputRejected, IntegrityError, Unavailable, UsageError
from tests.service.serving import Service
from tests.web.test_send import (
    COUNCIL_CLIENT,
    DATASET,
    gateway,
    key,
    office,
    people,
    sending,
    service,
)

__all__ = ["key", "office", "people", "service"]

PIECE = 20_000
Change = Callable[[Path], None]


@contextmanager
def client_of(
    address: str, key: Path, *, seconds: float = 30, said: list[str] | None = None
) -> Iterator[ServiceClient]:
    with connected(address) as web:
        yield ServiceClient(
            address=address,
            client=COUNCIL_CLIENT,
            key=read_private(key),
            patience=dt.timedelta(seconds=seconds),
            web=web,
            told=(said if said is not None else []).append,
        )


def grown(file: Path) -> None:
    with open(file, "ab") as more:
        more.write(b"x\n")


def shortened(file: Path) -> None:
    os.truncate(file, 10)


def rewritten(file: Path) -> None:
    with open(file, "r+b") as there:
        there.write(b"x")


def in_secret(file: Path) -> None:
    """A change that leaves length and time as they were."""
    was = file.stat()
    with open(file, "r+b") as there:
        there.seek(-20, os.SEEK_END)
        there.write(b"q")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


class Changing:
    """Progress that changes the file once the first piece has been sent."""

    def __init__(self, file: Path, change: Change) -> None:
        self._file, self._change, self._done = file, change, False

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        if step.startswith("sent") and done and not self._done:
            self._change(self._file)
            self._done = True


@pytest.fixture
def file(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(service_upload, "PIECE", PIECE)
    found = tmp_path / "extract.csv"
    found.write_bytes((people / f"{DATASET}.csv").read_bytes())
    assert found.stat().st_size > 3 * PIECE
    return found


@pytest.mark.parametrize("change", [grown, shortened, rewritten])
def test_a_file_that_is_written_to_meanwhile_is_not_taken_in(
    service: Service, key: Path, file: Path, tmp_path: Path, change: Change
) -> None:
    memory = SendingMemory(tmp_path / "state")
    with client_of(service.url, key) as client:
        with pytest.raises(InputRejected) as told:
            send(client, file, DATASET, memory=memory, progress=Changing(file, change))
        assert told.value.code == "send/file-changed"
        assert json.loads((tmp_path / "state" / "sending.json").read_text()) == {}


def test_a_change_that_shows_in_nothing_but_the_receipt_is_told(
    service: Service, key: Path, file: Path, tmp_path: Path
) -> None:
    memory = SendingMemory(tmp_path / "state")
    with client_of(service.url, key) as client:
        sent = send(client, file, DATASET, memory=memory, progress=Changing(file, in_secret))
        with pytest.raises(IntegrityError) as told:
            outcome(client, sent, memory=memory, progress=lambda *_: None)
    assert told.value.code == "send/other-bytes"
    assert json.loads((tmp_path / "state" / "sending.json").read_text()) == {}


FULL = {
    "code": "upload/not-written",
    "title": "The upload could not be written.",
    "remedy": "Free disk space in the data directory.",
}


class OnAFullDisk(http.server.BaseHTTPRequestHandler):
    """Answers as a service does that can write nothing."""

    asked: list[str]

    def _answer(self, status: int, told: dict[str, object], **headers: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        type(self).asked.append(f"{self.command} {self.path}")
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def do_POST(self) -> None:
        if self.path == "/oauth/token":
            self._answer(200, {"access_token": "t", "expires_in": 300})
        else:
            self._answer(201, {}, Location="/api/v1/uploads/upload-1")

    def do_HEAD(self) -> None:
        self._answer(200, {}, Upload_Offset="0")

    def do_PATCH(self) -> None:
        self._answer(503, FULL)

    def log_message(self, *_: object) -> None:
        """Say nothing on the test's terminal."""


@contextmanager
def served(
    handler: type[http.server.BaseHTTPRequestHandler], tls: Path | None = None
) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_can_take_nothing_is_asked_ever_less_often_and_not_for_ever(
    key: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_client, "FIRST_PAUSE", 0.2)
    said: list[str] = []
    full = type("Full", (OnAFullDisk,), {"asked": []})
    memory = SendingMemory(tmp_path / "state")
    with (
        served(full) as address,
        client_of(address, key, seconds=3, said=said) as client,
        pytest.raises(Unavailable) as told,
    ):
        send(client, file, DATASET, memory=memory, progress=lambda *_: None)
    assert told.value.code == "upload/not-written"
    assert "tell the council" in told.value.remedy
    assert 2 <= len([each for each in full.asked if each.startswith("PATCH")]) <= 7
    assert len(said) == 1
    assert "upload/not-written" in said[0]


def test_an_address_where_no_gateway_answers_is_told_so(
    service: Service, key: Path, file: Path, tmp_path: Path
) -> None:
    with client_of(f"{service.url}/sign-in", key) as client, pytest.raises(UsageError) as told:
        send(client, file, DATASET, memory=SendingMemory(tmp_path), progress=lambda *_: None)
    assert "no gateway" in told.value.sentence
    assert "without a path" in told.value.remedy


def test_a_certificate_that_is_not_trusted_is_told_at_once(
    key: Path, file: Path, tmp_path: Path, self_signed: Path
) -> None:
    with served(OnAFullDisk, self_signed) as address:
        done = gateway(*sending(address, key, file, "--patience", "60"), home=tmp_path)
    told = json.loads(done.stdout)["error"]
    assert (done.returncode, told["code"]) == (6, "send/not-trusted")
    assert "--ca" in told["remedy"]


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(own, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "tls.pem"
    file.write_bytes(own.private_bytes(pem, *plain) + made.public_bytes(pem))
    return file
