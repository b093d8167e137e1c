"""A mail server and a webhook that really listen, on this machine, and what came to them."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email
import email.policy
import hashlib
import hmac
import ipaddress
import json
import socketserver
import ssl
import string
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.model.notices import NOTICES

HOST = "127.0.0.1"
USER, PASSWORD = "gateway", "eight-words-nobody-guesses"
KEY = b"0123456789abcdef0123456789abcdef"
ENOUGH = 128 << 20
# What drips: long enough to outlast a test's deadline many times over, and then good.
DRIPS, PAUSE = 600, 0.05


def certificate(folder: Path, *, host: str = HOST) -> Path:
    """A certificate of a host and its key, in one file; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"certificate-{host}.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    return path


def _context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@dataclass
class Mailbox:
    """What a mail server was told, and how it answers: the codes of RCPT and DATA."""

    port: int
    came: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    greetings: list[str] = field(default_factory=list)
    signed_in: int = 0
    in_the_clear: int = 0
    # The code whose replies drip, and the one whose replies are far too long; what was written.
    drips: str = ""
    endless: str = ""
    written: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        return [message for to, message in self.came if to == address]


class _Talk(socketserver.StreamRequestHandler):
    """One conversation of RFC 5321, as far as a client like ours goes."""

    timeout = 30
    box: Mailbox
    certificate: Path | None
    implicit = False
    offers = "STARTTLS"

    def setup(self) -> None:
        if self.implicit and self.certificate:
            self.request = _context(self.certificate).wrap_socket(self.request, server_side=True)
        super().setup()
        self.secure = self.implicit

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._say("220 mail.example ESMTP")
            while line := self.rfile.readline():
                if not self._answer(line.decode("utf-8", "replace").strip()):
                    return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _answer(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        word = word.upper()
        if word == "EHLO":
            self.box.greetings.append(rest)
            more = "AUTH PLAIN" if self.secure else self.offers
            self._say(f"250-mail.example\r\n250 {more}")
        elif word == "STARTTLS" and self.certificate:
            self._say("220 go on")
            self.rfile.close()
            wrapped = _context(self.certificate).wrap_socket(self.connection, server_side=True)
            self.connection, self.secure = wrapped, True
            self.rfile = wrapped.makefile("rb")
        elif word == "AUTH":
            self._sign_in(rest)
        elif word == "MAIL":
            self.box.in_the_clear += not self.secure
            self._say("250 ok")
        elif word == "RCPT":
            self.to = rest.partition("<")[2].rstrip(">")
            self._say(self.box.answers.get("RCPT", "250 ok"))
        elif word == "DATA":
            self._take()
        else:
            bye = self.box.answers.get("QUIT", "221 bye")
            self._say(bye if word == "QUIT" else "250 ok")
        return word != "QUIT"

    def _sign_in(self, rest: str) -> None:
        wanted = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        right = rest == f"PLAIN {wanted}"
        self.box.signed_in += right
        self._say("235 ok" if right else "535 no")

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
            lines.append(line)
        answer = self.box.answers.get("DATA", "250 ok")
        if answer.startswith("2"):
            read = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(read, EmailMessage)
            self.box.came.append((self.to, read))
        self._say(answer)

    def _say(self, text: str) -> None:
        """Answer; what the box drips comes line by line before it, and ends well."""
        word = text.partition("\r\n")[0][:3]
        if word == self.box.drips:
            for _ in range(DRIPS):
                self.connection.sendall(f"{word}-still here\r\n".encode())
                time.sleep(PAUSE)
        if word == self.box.endless:
            # Not for ever, so that a client without a limit passes for a sent notice.
            for _ in range(ENOUGH // 1000):
                self.connection.sendall(f"{word}-{'x' * 994}\r\n".encode())
                self.box.written += 1000
        self.connection.sendall(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up; that is what is tested."""


@contextlib.contextmanager
def mail_server(
    *, tls: Path | None = None, implicit: bool = False, offers: str = "STARTTLS", port: int = 0
) -> Iterator[Mailbox]:
    """A mail server on a free port, with or without a certificate."""

    class Talk(_Talk):
        certificate = tls

    Talk.implicit, Talk.offers = implicit, offers
    with _Server((HOST, port), Talk) as server:
        Talk.box = Mailbox(server.server_address[1])
        with _running(server):
            yield Talk.box


@dataclass
class Hook:
    """What was posted to a webhook: headers and body; `status` is its answer."""

    url: str
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    # Answer with headers that drip in, line by line, and end well after so many.
    drips: int = 0
    # Answer with a body that does not end of itself; what was written of it, in bytes.
    endless: bool = False
    written: int = 0

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]


def every_fact() -> dict[str, str]:
    """A value for each fact that a notice of any kind names."""
    texts = (text for each in NOTICES.values() for text in (each.subject, each.sentence, each.path))
    named = (name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name)
    return dict.fromkeys(set(named) - {"by"}, "x")


def verified(headers: dict[str, str], body: bytes, key: bytes = KEY) -> bool:
    """Whether a post is signed with the key, written here once more from the specification."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{mark}" in headers["webhook-signature"].split(" ")


@contextlib.contextmanager
def webhook(*, tls: Path | None = None) -> Iterator[Hook]:
    """A listener on a free port."""

    class Posted(BaseHTTPRequestHandler):
        hook: Hook

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.hook.came.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(self.hook.status)
            if 300 <= self.hook.status < 400:
                self.send_header("Location", "/elsewhere")
            for each in range(self.hook.drips):
                self.send_header(f"X-{each}", "still here")
                self.flush_headers()
                time.sleep(PAUSE)
            self.end_headers()
            with contextlib.suppress(OSError):
                while self.hook.endless and self.hook.written < ENOUGH:
                    self.hook.written += self.wfile.write(bytes(1 << 16))

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer((HOST, 0), Posted) as server:
        if tls:
            server.socket = _context(tls).wrap_socket(server.socket, server_side=True)
        scheme = "https" if tls else "http"
        Posted.hook = Hook(f"{scheme}://{HOST}:{server.server_address[1]}/notices")
        with _running(server):
            yield Posted.hook


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
