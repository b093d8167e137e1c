"""A partner's program: it proves itself, sends files by tus, and goes on where it was cut off."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.web import office as offices

PATIENCE = 120.0
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Partner:
    """One registered client of a running service."""

    url: str
    client: str
    _token: str = ""
    _until: float = 0.0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        signed: bool = True,
    ) -> Answer:
        """One request; an `OSError` where the connection breaks."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            told = {**({"Authorization": f"Bearer {self.token()}"} if signed else {})}
            connection.request(method, path, body, {**told, **(headers or {})})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        except http.client.HTTPException as fault:
            raise ConnectionError(type(fault).__name__) from None
        finally:
            connection.close()

    def token(self) -> str:
        """An access token, asked for anew before the old one ends."""
        if time.monotonic() > self._until:
            proof = offices.proof_of(self.client, address=self.url)
            form = {"grant_type": "client_credentials", "client_assertion": proof}
            form["client_assertion_type"] = BEARER
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            told = self.ask("POST", "/oauth/token", urlencode(form).encode(), kind, signed=False)
            _require(told, 200)
            self._token = told.document["access_token"]
            self._until = time.monotonic() + told.document["expires_in"] / 2
        return self._token

    def send(self, content: bytes, dataset: str, *, piece: int = 1 << 16) -> str:
        """Send a file in pieces, whatever dies on the way; the upload's id."""
        place = self._patiently(lambda: self._created(content, dataset))
        offset = 0
        while offset < len(content):
            offset = self._patiently(lambda: self._further(place, content, piece))
        return place.rpartition("/")[2]

    def upload(self, upload: str) -> Any:
        """What is known of an upload."""
        return self._patiently(lambda: self._state(upload))

    def _state(self, upload: str) -> Any:
        answer = self.ask("GET", f"/api/v1/uploads/{upload}")
        _require(answer, 200)
        return answer.document

    def _created(self, content: bytes, dataset: str) -> str:
        named = base64.b64encode(dataset.encode()).decode()
        told = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": f"dataset {named}"}
        answer = self.ask("POST", "/api/v1/uploads", headers=told)
        _require(answer, 201)
        return urlsplit(answer.headers["location"]).path

    def _further(self, place: str, content: bytes, piece: int) -> int:
        """Ask how far it is, and send the next piece; how far it is then."""
        answer = self.ask("HEAD", place, headers=TUS)
        _require(answer, 200)
        offset = int(answer.headers["upload-offset"])
        if offset == len(content):
            return offset
        block = content[offset : offset + piece]
        digest = base64.b64encode(hashlib.sha256(block).digest()).decode()
        told = {**TUS, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {digest}"}
        told["Content-Type"] = "application/offset+octet-stream"
        answer = self.ask("PATCH", place, block, told)
        _require(answer, 204)
        return int(answer.headers["upload-offset"])

    def _patiently(self, act: Any) -> Any:
        """Do it again while the service is away, as every good client does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return act()
            except OSError:
                assert time.monotonic() < deadline, "the service did not come back"
                time.sleep(0.2)


def _require(answer: Answer, status: int) -> None:
    if answer.status in (409, 423, 500, 502, 503):
        raise ConnectionError(f"to be asked again: {answer.status}")
    assert answer.status == status, (answer.status, answer.body)
