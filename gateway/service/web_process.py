"""The web process: gunicorn, without the passphrase and without a key that opens a file.

Its environment never names the passphrase file. The socket is made before it starts
and outlives it, so that callers wait while it is started again and are not refused.

Source: docs/explanation/service.md, "Processes"; gunicorn documentation, "Settings".
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters import metrics
from gateway.adapters.settings import Settings, read_settings
from gateway.errors import Unavailable

BACKLOG = 512
SECRET = "GATEWAY_PASSPHRASE_FILE"
# Each thread would else keep a heap of its own, and what it once took from the system.
FRUGAL = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": str(128 << 10)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how the web process answers."""

    host: str = "127.0.0.1"
    port: int = 8440
    processes: int = 2
    threads: int = 32  # a slow sender holds one for as long as it sends
    certificate: Path | None = None
    key: Path | None = None


def bound(listening: Listening) -> socket.socket:
    """A socket that listens, to be inherited.

    Raises:
        Unavailable: the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listening.host, listening.port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as fault:
        listener.close()
        raise Unavailable(
            "service/address",
            f"Nothing can listen on {listening.host} port {listening.port} "
            f"({type(fault).__name__}).",
            remedy="Stop what listens there, or choose another --port or --host.",
        ) from None
    listener.set_inheritable(True)
    return listener


def address(listening: Listening, listener: socket.socket) -> str:
    """Where people point their browser."""
    scheme = "https" if listening.certificate else "http"
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def command(listening: Listening, descriptor: int) -> list[str]:
    """The command line of gunicorn for a socket that it inherits."""
    tls = []
    if listening.certificate is not None:
        tls = ["--certfile", str(listening.certificate), "--keyfile", str(listening.key)]
    return [
        *(sys.executable, "-P", "-m", "gateway.service.gunicorn_start"),
        *("--config", "python:gateway.service.gunicorn_hooks"),
        *("--bind", f"fd://{descriptor}"),
        *("--workers", str(listening.processes), "--threads", str(listening.threads)),
        *tls,
        "gateway.service.web_process:application()",
    ]


def environment(settings: Settings, where: str) -> dict[str, str]:
    """What the web process sees: every setting but where the passphrase lies.

    Args:
        settings: as the command was given them.
        where: the address it listens on, which is the public one unless another is set.
    """
    here = {name: value for name, value in os.environ.items() if name != SECRET}
    here.setdefault("GATEWAY_PUBLIC_URL", where)
    counted = str(metrics.shared_folder(settings.data))
    return FRUGAL | here | {"GATEWAY_DATA": str(settings.data), metrics.SHARED: counted}


def application(environ: Mapping[str, str] | None = None) -> Any:
    """The application of this process (gunicorn calls it)."""
    from gateway.web import create_app

    return create_app(read_settings(environ=environ))
