"""Whose certificate is believed: the approved one, or an approved authority's; nobody else's."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.adapters.channels import Parcel, https
from gateway.adapters.client_keys import make_pair
from gateway.errors import IntegrityError, Unavailable
from tests.delivery.pair import HOST

NOW = dt.datetime.now(dt.UTC)
DRIPS = 400


@dataclass
class Inbox:
    """A TLS server that only counts who came as far as to send something."""

    port: int
    certificate: bytes
    heard: list[str]

    @property
    def pin(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.decode())).hexdigest()


def certified(folder: Path) -> bytes:
    """A certificate of its own for this machine, and its key in `key.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "inbox")])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    (folder / "certificate.pem").write_bytes(pem)
    return pem


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    heard: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    pem = certified(tmp_path)
    server = ThreadingHTTPServer((HOST, 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Inbox(server.server_address[1], pem, heard)
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def parcel(inbox: Inbox, tmp_path: Path) -> Parcel:
    make_pair(tmp_path / "keys" / "ons-research")
    path = tmp_path / "p1.gwp"
    path.write_bytes(b"sealed")
    return Parcel(
        path=path,
        package="p1",
        digest=hashlib.sha256(b"sealed").hexdigest(),
        recipient="ons-research",
        target={"address": f"https://{HOST}:{inbox.port}", "client": "trafford-gateway"},
        keys=tmp_path / "keys",
    )


def aimed(parcel: Parcel, **more: str) -> Parcel:
    return replace(parcel, target={**parcel.target, **more})


def test_the_approved_certificate_is_believed(inbox: Inbox, parcel: Parcel) -> None:
    told = https.bring(aimed(parcel, certificate=inbox.pin))
    assert inbox.heard == ["/oauth/token"]
    assert (told.arrived, told.code) == (False, "send/not-known")


def test_another_certificate_hears_nothing(inbox: Inbox, parcel: Parcel) -> None:
    with pytest.raises(IntegrityError, match="delivery/other-certificate"):
        https.bring(aimed(parcel, certificate="0" * 64))
    assert inbox.heard == []


def test_an_approved_authority_is_believed(inbox: Inbox, parcel: Parcel) -> None:
    https.bring(aimed(parcel, authority=inbox.certificate.decode()))
    assert inbox.heard == ["/oauth/token"]


def test_a_certificate_that_nobody_vouches_for_hears_nothing(
    inbox: Inbox, parcel: Parcel, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    for target in (parcel, aimed(parcel, authority=certified(tmp_path / "other").decode())):
        told = https.bring(target)
        assert (told.arrived, told.code) == (False, "delivery/certificate-not-believed")
    assert inbox.heard == []


def test_an_authority_that_is_none_sends_nothing_and_says_so(inbox: Inbox, parcel: Parcel) -> None:
    with pytest.raises(Unavailable, match="delivery/authority-form"):
        https.bring(aimed(parcel, authority="-----BEGIN NOTHING-----"))
    assert inbox.heard == []


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_inbox_whose_answer_drips_holds_nobody(
    parcel: Parcel, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would give a good token in the end; nobody waits for it."""
    monkeypatch.setattr(https, "SECONDS", 1.0)

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with contextlib.suppress(OSError):
                self.rfile.read(int(self.headers["Content-Length"]))
                body = json.dumps({"access_token": "x", "expires_in": 300}).encode()
                self.send_response(200)
                self.drip("headers", lambda each: self.send_header(f"X-{each}", "still here"))
                self.send_header("Content-Length", str(len(body) + DRIPS * (part == "body")))
                self.end_headers()
                self.drip("body", lambda _: self.wfile.write(b" "))
                self.wfile.write(body)

        def drip(self, what: str, one: Callable[[int], object]) -> None:
            for each in range(DRIPS * (what == part)):
                one(each)
                self.flush_headers()
                time.sleep(0.05)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer((HOST, 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://{HOST}:{server.server_address[1]}"
        told = https.bring(aimed(parcel, address=address))
        asked = https.receipt(aimed(parcel, address=address))
        server.shutdown()
        thread.join()
    assert (told.arrived, told.code) == (False, "delivery/out-of-reach")
    assert (asked.arrived, asked.code) == (None, "delivery/out-of-reach")
