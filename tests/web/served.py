"""A real `gateway web` on a free port, for what only sockets can show."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from tests.journeys.office import REPOSITORY, Office
from tests.web import office as offices


@dataclass(frozen=True)
class Served:
    """A web process that listens, and the office behind it."""

    url: str
    process: subprocess.Popen[str]

    def token(self, party: str = offices.POLICE) -> str:
        """An access token, got as any program gets one."""
        client = offices.MACHINES[party][0]
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": offices.proof_of(client, address=self.url),
        }
        answer = httpx.post(f"{self.url}/oauth/token", data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def connect(self) -> socket.socket:
        """A bare connection."""
        place = urlsplit(self.url)
        return socket.create_connection((place.hostname, place.port), timeout=60)


@contextlib.contextmanager
def serving(office: Office, *, processes: int = 1, **more: str) -> Iterator[Served]:
    """The web process of an office, alone."""
    words = ["web", "--port", "0", "--web", str(processes), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "--data", str(office.data), *words],
        cwd=REPOSITORY,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(office.home),
            **office.environment(),
            **more,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["listening"]
        _await(url)
        yield Served(url, process)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _await(url: str) -> None:
    """Wait until it answers."""
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/.well-known/jwks.json", timeout=60)
            return
        time.sleep(0.2)
    raise AssertionError(url)
