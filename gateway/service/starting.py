"""What has to be there before any process of the service starts, and how it says that it is up.

Source: security point 22: no key ring, no ledger, no known schema means no service.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from typing import Final

from gateway.adapters import ledger_store
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings
from gateway.errors import Unavailable
from gateway.wiring.common import now, open_database

READY_FD: Final = "SERVICE_READY_FD"
_PR_SET_PDEATHSIG: Final = 1


def require_founded(settings: Settings) -> None:
    """See that the data directory is whole enough to work on.

    Raises:
        Unavailable: it was never founded or not to its end, or its key ring, its
            database, its ledger or one of this month's keys is not there, or a newer
            gateway has written it.
    """
    open_database(settings).close()
    if not settings.founded:
        raise Unavailable(
            "store/not-founded",
            f"{settings.data} was never founded, or not to its end.",
            remedy="Run `gateway init`, which finishes what was begun.",
        )
    ring, today = open_ring(settings), now().date()
    ring.storage_recipient(today)
    ring.upload_recipient(today)
    database = open_database(settings)
    try:
        with database.begin() as connection:
            if ledger_store.size(connection) == 0:
                raise Unavailable(
                    "ledger/absent",
                    "The database holds no ledger.",
                    remedy="Restore the database from a backup, or correct GATEWAY_DATABASE_URL.",
                )
    finally:
        database.close()


def say_ready() -> None:
    """Tell the supervisor, if there is one, that this process is up."""
    number = os.environ.get(READY_FD, "")
    if number:
        with suppress(OSError):
            os.write(int(number), b"r")


def end_with_parent() -> None:
    """Ask the system to stop this process in order when its supervisor dies."""
    if os.environ.get(READY_FD):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == 1:
            raise SystemExit(0)


def no_core() -> None:
    """Leave no core file: requests hold people's details."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
