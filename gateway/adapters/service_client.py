"""A client's machine talking to a gateway: prove itself, ask, and wait out what passes.

Errors of the service come back as the errors they are, with their code, sentence and
remedy; so does what the service said last, where it was waited for in vain.

Source: RFC 7523; RFC 9457; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

import datetime as dt
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.adapters.access_tokens import assertion
from gateway.adapters.client_keys import ClientKey
from gateway.errors import (
    GatewayError,
    HeldForPerson,
    InputRejected,
    IntegrityError,
    RefusedError,
    Unavailable,
    UsageError,
)

TOKEN_MARGIN = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
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
# Of an answer that no gateway gives.
_NO_GATEWAY = {
    "title": "What answers at this address is no gateway, or does not know this question.",
    "remedy": "Check the address: https:// and the host alone, without a path.",
}
_AGAIN = frozenset({429, 460, 500, 502, 503, 504})


class Postponed(Exception):
    """The service cannot answer now; it may say when to ask again, and why."""

    def __init__(
        self, seconds: float | None, code: str, said: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.seconds = seconds
        self.code = code
        self.said = said or {}


class Waiting:
    """One fault that is waited out, with growing pauses, until patience is over."""

    def __init__(self, patience: dt.timedelta, told: Callable[[str], None]) -> None:
        self._minutes = patience.total_seconds() / 60
        self._end = time.monotonic() + patience.total_seconds()
        self._told, self._pause = told, 0.0

    def wait(self, later: Postponed) -> None:
        """Pause before the next try.

        Raises:
            Unavailable: patience is over; what the service said of it, or that it is away.
            IntegrityError: no try will help, since its certificate is not trusted.
        """
        if _distrusted(later):
            raise IntegrityError(
                "send/not-trusted",
                "This machine does not trust the certificate of the service.",
                remedy="Check the address. If the council has an authority of its own, get its "
                "certificate by a way that you trust, and name the file with --ca.",
            )
        if time.monotonic() >= self._end:
            raise _no_more(later)
        if not self._pause:
            self._told(f"Waiting up to {self._minutes:g} minutes for the service: {_why(later)}.")
        self._pause = min(self._pause * 2, LONGEST_PAUSE) or FIRST_PAUSE
        left = max(0.0, self._end - time.monotonic())
        time.sleep(min(later.seconds or self._pause, left))


@dataclass(slots=True)
class ServiceClient:
    """One registered client of one service.

    Args:
        address: of the service, like https://gateway.council.example.
        client: the client's id, as the council registered it.
        key: its private key.
        patience: for how long a fault of the network or the service is waited out.
        web: what sends requests.
        told: is told once, in a sentence, that something is waited for.
    """

    address: str
    client: str
    key: ClientKey = field(repr=False)
    patience: dt.timedelta
    web: httpx.Client = field(repr=False)
    told: Callable[[str], None] = field(default=lambda _sentence: None, repr=False)
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def waiting(self) -> Waiting:
        """Begin to wait out a fault."""
        return Waiting(self.patience, self.told)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask until there is an answer that will not change, or patience is over."""
        waiting = self.waiting()
        while True:
            try:
                return self.once(method, path, **more)
            except Postponed as later:
                waiting.wait(later)

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


def _why(later: Postponed) -> str:
    """Why the service cannot answer, in its own words where it gave any."""
    told = str(later.said.get("title") or "").rstrip(".")
    return f"{told} ({later.said.get('code') or later.code})" if told else later.code


def _no_more(later: Postponed) -> Unavailable:
    if later.said.get("code"):
        return Unavailable(
            str(later.said["code"]),
            f"The service could not take it: {_why(later)}.",
            remedy=f"{later.said.get('remedy') or ''} If that is not yours to do, tell the "
            "council. Run the same command again: it goes on where it stopped.".strip(),
        )
    return Unavailable(
        "send/out-of-reach",
        f"The service does not answer ({later.code}).",
        remedy="Check the address and the network, then run the same command again: it goes "
        "on where it stopped.",
    )


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as fault:
        raise Postponed(None, type(fault).__name__) from None


def _distrusted(fault: BaseException | None) -> bool:
    """Whether a fault of the connection comes from the service's certificate."""
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _good(answer: httpx.Response) -> httpx.Response:
    """The answer, or the error that it is."""
    if answer.status_code < 400:
        return answer
    if answer.status_code in _AGAIN:
        after = answer.headers.get("Retry-After", "")
        seconds = float(after) if after.isdigit() else None
        raise Postponed(seconds, f"answer {answer.status_code}", _problem(answer))
    told = _problem(answer) or _NO_GATEWAY
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
