"""A partner's machine talking to a gateway: prove itself, send a file in pieces, wait, read.

Whatever breaks on the way, the next try asks how far the file has come and goes on
from there; a whole file that is sent again gets the receipt it had. Errors of the
service come back as the errors they are, with their code, sentence and remedy.

Source: tus 1.0; RFC 7523; RFC 9457; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.adapters.access_tokens import assertion
from gateway.adapters.client_keys import ClientKey
from gateway.adapters.sending_memory import SendingMemory
from gateway.errors import (
    GatewayError,
    HeldForPerson,
    InputRejected,
    RefusedError,
    Unavailable,
    UsageError,
)
from gateway.workflows.ports import Progress

PIECE = 8 << 20
TOKEN_MARGIN = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
POLL_SECONDS = 1.0
TUS = {"Tus-Resumable": "1.0.0"}
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LET_GO = frozenset({"upload/gone", "upload/unknown-upload", "http/404", "http/410"})
_KINDS: Mapping[int, type[GatewayError]] = {
    400: UsageError,
    401: RefusedError,
    403: RefusedError,
    404: UsageError,
    409: HeldForPerson,
    410: UsageError,
    413: InputRejected,
    415: InputRejected,
    422: InputRejected,
}
_AGAIN = frozenset({429, 460, 500, 502, 503, 504})


class Postponed(Exception):
    """The service cannot answer now; it may say when to ask again."""

    def __init__(self, seconds: float | None, code: str) -> None:
        super().__init__(code)
        self.seconds = seconds
        self.code = code


@dataclass(slots=True)
class ServiceClient:
    """One registered client of one service.

    Args:
        address: of the service, like https://gateway.council.example.
        client: the client's id, as the council registered it.
        key: its private key.
        patience: for how long a fault of the network or the service is waited out.
        web: what sends requests.
    """

    address: str
    client: str
    key: ClientKey = field(repr=False)
    patience: dt.timedelta
    web: httpx.Client = field(repr=False)
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def send(self, path: Path, dataset: str, *, memory: SendingMemory, progress: Progress) -> str:
        """Send a file, or what is missing of it; the id of the upload.

        Raises:
            GatewayError: as the service says it, or the service is out of reach for too long.
        """
        length, digest = path.stat().st_size, _digest(path)
        mark = memory.mark(self.address, self.client, dataset, digest)
        while True:
            recalled = memory.recall(mark)
            upload = recalled or self._begin(dataset, length, mark)
            memory.keep(mark, upload)
            try:
                self._rest(path, upload, length, progress)
            except UsageError as fault:
                # The council let go of what had arrived: it begins anew, once for each try.
                if not recalled or fault.code not in _LET_GO:
                    raise
                memory.forget(mark)
                continue
            return upload

    def outcome(self, upload: str, *, progress: Progress) -> Mapping[str, Any]:
        """Wait until an upload is checked; the receipt with its findings.

        Raises:
            Unavailable: its check gave up.
        """
        progress("waiting for the findings")
        while True:
            told = self._ask("GET", f"/api/v1/uploads/{upload}").json()
            if told["extract"]:
                address = f"/api/v1/extracts/{told['extract']}"
                receipt: Mapping[str, Any] = self._ask("GET", address).json()
                return receipt
            if told["state"] in ("failed", "expired", "terminated"):
                raise Unavailable(
                    told["code"] or "send/not-checked",
                    "The council's service could not check the file.",
                    remedy="Nothing was stored. Send it again, or ask the council.",
                )
            time.sleep(POLL_SECONDS)

    def _begin(self, dataset: str, length: int, mark: str) -> str:
        name = base64.b64encode(dataset.encode()).decode()
        answer = self._ask(
            "POST",
            "/api/v1/uploads",
            headers={
                **TUS,
                "Upload-Length": str(length),
                "Upload-Metadata": f"dataset {name}",
                "Idempotency-Key": f"{mark[:32]}-{secrets.token_hex(8)}",
            },
        )
        return answer.headers["Location"].rpartition("/")[2]

    def _rest(self, path: Path, upload: str, length: int, progress: Progress) -> None:
        address = f"/api/v1/uploads/{upload}"
        offset = self._offset(address)
        with open(path, "rb") as file:
            while offset < length:
                progress("sent, bytes:", offset, length)
                file.seek(offset)
                offset = self._append(address, offset, file.read(PIECE))
        progress("sent, bytes:", length, length)

    def _offset(self, address: str) -> int:
        return int(self._ask("HEAD", address, headers=TUS).headers["Upload-Offset"])

    def _append(self, address: str, offset: int, piece: bytes) -> int:
        """Append one piece; after a fault the service says how far it came."""
        checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        headers = {
            **TUS,
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {checksum}",
            "Content-Type": "application/offset+octet-stream",
        }
        try:
            answer = self.once("PATCH", address, headers=headers, content=piece)
        except (Postponed, HeldForPerson):
            return self._offset(address)
        return int(answer.headers["Upload-Offset"])

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask until there is an answer that will not change, or patience is over."""
        for wait in pauses(self.patience):
            try:
                return self.once(method, path, **more)
            except Postponed as later:
                code, pause = later.code, later.seconds or wait
            time.sleep(pause)
        raise Unavailable(
            "send/out-of-reach",
            f"The service does not answer ({code}).",
            remedy="Check the address and the network, then run the same command again: it goes "
            "on where it stopped.",
        )

    def once(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask once; `Postponed` where another time may do better."""
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {self._access()}"}
        with _reached():
            answer = self.web.request(method, self.address + path, headers=headers, **more)
        if answer.status_code == 401 and self._token:
            # The token may have ended on the way; the next try proves itself anew.
            self._token = ""
            raise Postponed(0.1, "access token ended")
        return _good(answer)

    def prove(self) -> None:
        """Get an access token, before anything else is sent."""
        self._access()

    def _access(self) -> str:
        if self._token and time.monotonic() < self._until:
            return self._token
        proof = assertion(
            self.key.secret,
            client=self.client,
            kid=self.key.kid,
            address=self.address,
            jti=secrets.token_hex(16),
            at=dt.datetime.now(dt.UTC),
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": BEARER,
            "client_assertion": proof,
        }
        with _reached():
            answer = self.web.post(f"{self.address}/oauth/token", data=form)
        if answer.status_code == 401:
            raise RefusedError(
                "send/not-known",
                f'The service does not know the client "{self.client}" by this key.',
                remedy="Check the client's id, the key file and this machine's clock; ask the "
                "council whether the key is registered.",
            )
        told = _good(answer).json()
        self._token = str(told["access_token"])
        self._until = time.monotonic() + int(told["expires_in"]) - TOKEN_MARGIN
        return self._token


def connected(
    address: str, *, ca: str | None = None, verify: ssl.SSLContext | bool | None = None
) -> httpx.Client:
    """A connection to a service; https, or this very machine.

    Raises:
        UsageError: the address is neither.
    """
    url = httpx.URL(address)
    here = url.host in {"localhost", "127.0.0.1", "::1"}
    if url.scheme != "https" and not (url.scheme == "http" and here):
        raise UsageError(
            "send/not-https",
            "The address of the service does not begin with https.",
            remedy="Ask the council for its address; http serves on this very machine only.",
        )
    verify = verify or (ssl.create_default_context(cafile=ca) if ca else True)
    times = httpx.Timeout(60, connect=10)
    return httpx.Client(verify=verify, timeout=times, follow_redirects=False)


def pauses(patience: dt.timedelta) -> Iterator[float]:
    """Growing pauses until patience is over; at least one try."""
    end = time.monotonic() + patience.total_seconds()
    pause = FIRST_PAUSE
    while True:
        yield pause
        if time.monotonic() >= end:
            return
        pause = min(pause * 2, LONGEST_PAUSE)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as fault:
        raise Postponed(None, type(fault).__name__) from None


def _good(answer: httpx.Response) -> httpx.Response:
    """The answer, or the error that it is."""
    if answer.status_code < 400:
        return answer
    if answer.status_code in _AGAIN:
        after = answer.headers.get("Retry-After", "")
        raise Postponed(float(after) if after.isdigit() else None, f"answer {answer.status_code}")
    told = _problem(answer)
    raise _KINDS.get(answer.status_code, Unavailable)(
        str(told.get("code") or f"http/{answer.status_code}"),
        str(told.get("title") or "The service refused."),
        remedy=str(told.get("remedy") or ""),
    )


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
