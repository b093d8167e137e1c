"""A worker whose lease is a few seconds: `python -m tests.service.short_lease DATA SECONDS`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from gateway.adapters.settings import read_settings
from gateway.service.worker import Terms, stopped_by_signal, work


def main(data: str, seconds: str) -> None:
    """Work until told to stop."""
    terms = Terms(
        lease=dt.timedelta(seconds=float(seconds)), ready=lambda: print("ready", flush=True)
    )
    with stopped_by_signal() as stop:
        work(read_settings(Path(data)), terms, stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
