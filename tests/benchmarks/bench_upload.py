"""An upload to the service, beside a bare file write in the same server and beside Flask's forms.

Ours is everything that an upload needs: the caller is known by token, the body is sealed
as it comes, synced, counted in the database, and its check is asked for. All are served
by the same gunicorn process to one client on this machine.

    python tests/benchmarks/bench_upload.py 512

Source: docs/reference/benchmarks.md; performance, row 7.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx

from gateway.service import web_process
from tests.journeys.office import REPOSITORY
from tests.web import office as offices
from tests.web.served import Served

RUNS = 5
BLOCK = os.urandom(1 << 20)
DATASET = "police_incidents"
_FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
_END = b"\r\n--b--\r\n"


def run(megabytes: int = 512) -> dict[str, Any]:
    """Send that many megabytes, `RUNS` times each way, in turn."""
    with tempfile.TemporaryDirectory() as name:
        office = offices.built(Path(name) / "office")
        with _server(office) as served:
            token = f"Authorization: Bearer {served.token()}"
            ways: dict[str, Callable[[], None]] = {
                "ours": lambda: _post(
                    served, f"/api/v1/extracts?dataset={DATASET}", megabytes, 202, token
                ),
                "bare write": lambda: _post(served, "/oauth/bare", megabytes, 200),
                "bare write, synced": lambda: _post(served, "/oauth/bare?sync", megabytes, 200),
            }
            for warm_up in ways.values():
                warm_up()
            before = _peak(served.process.pid)
            taken = _in_turn(ways)
            peak = _peak(served.process.pid)
            form = lambda: _post(served, "/oauth/form", megabytes, 200, form=True)  # noqa: E731
            taken |= _in_turn({"Flask form": form})
            peak_form = _peak(served.process.pid)
    rates = {
        name: round(megabytes * 1.048576 / statistics.median(times))
        for name, times in taken.items()
    }
    # Each round by itself: what else the machine does weighs on both alike.
    rounds = zip(taken["bare write"], taken["ours"], strict=True)
    return {
        "name": "upload",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "megabytes": megabytes,
        "ours": rates["ours"],
        "peer": rates["bare write"],
        "ratio": round(statistics.median(bare / ours for bare, ours in rounds), 2),
        "unit": "MB/s",
        "peak_mb": peak,
        "grown_by_uploads_mb": peak - before,
        "peak_with_forms_mb": peak_form,
        "megabytes_a_second": rates,
    }


def _in_turn(ways: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - began)
    return taken


def _post(
    served: Served, path: str, megabytes: int, status: int, *headers: str, form: bool = False
) -> None:
    kind = "multipart/form-data; boundary=b" if form else "application/octet-stream"
    length = (megabytes << 20) + (len(_FORM) + len(_END) if form else 0)
    first = f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {kind}", "Connection: close"
    lines = (*first, f"Content-Length: {length}", *headers)
    with served.connect() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + (_FORM if form else b""))
        for _ in range(megabytes):
            wire.sendall(BLOCK)
        wire.sendall(_END if form else b"")
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    if not answer.startswith(f"HTTP/1.1 {status} ".encode()):
        raise AssertionError(answer[:400])


@contextmanager
def _server(office: Any) -> Iterator[Served]:
    listening = web_process.Listening(port=0, processes=1)
    listener = web_process.bound(listening)
    where = web_process.address(listening, listener)
    command = web_process.command(listening, listener.fileno())[:-1]
    process = subprocess.Popen(
        [*command, "tests.benchmarks.upload_server:application()"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **office.environment(),
            "GATEWAY_DATA": str(office.data),
            "GATEWAY_PUBLIC_URL": where,
            "PYTHONPATH": str(REPOSITORY),
        },
        pass_fds=[listener.fileno()],
        text=True,
    )
    try:
        httpx.get(f"{where}/.well-known/jwks.json", timeout=60)
        yield Served(where, process)
    finally:
        process.terminate()
        process.wait(60)
        listener.close()


def _peak(parent: int) -> int:
    """The most memory that a worker held, in MiB."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    most = 0
    for child in children:
        for line in Path(f"/proc/{child}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                most = max(most, int(line.split()[1]) // 1024)
    return most


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:])), indent=1))
