"""A thread beside the worker's jobs that tells people what waits for them.

It needs no key of the ring, so that it also says that jobs wait for the passphrase; and a
release of many minutes keeps nobody waiting. Several may run: each notice is claimed.

Source: docs/adr/0300-the-ledger-is-the-outbox.md; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters import notice_gathering
from gateway.adapters.database import Database
from gateway.adapters.logs import facts_of, log
from gateway.adapters.notice_sending import send_due
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError
from gateway.wiring.common import now

LOOK_SECONDS: Final = 2.0


@dataclass(slots=True)
class Notifier:
    """Looks again and again within a `with` block; without a channel, not at all."""

    settings: Settings
    database: Database = field(repr=False)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _reminded: dt.date | None = None

    def __enter__(self) -> Notifier:
        """Begin to look."""
        if self.settings.notices.smtp_host or self.settings.notices.webhook_url:
            self._thread = threading.Thread(target=self._look, name="notifier", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more; a try that is under way is not waited for."""
        self._over.set()

    def once(self) -> None:
        """Look once: write what is to be told, and send what is due."""
        at, channels = now(), self.settings.notices
        if notice_gathering.anything(self.database, at=at):
            notice_gathering.gather(self.database, channels, at=at)
            # An approval may bring another day of review.
            self._reminded = None
        if self._reminded != at.date():
            notice_gathering.remind(self.database, channels, at=at)
            self._reminded = at.date()
        send_due(self.settings, self.database, now=now)

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            try:
                self.once()
            except GatewayError as fault:
                log().warning("notices-wait", code=fault.code)
            except Exception as fault:  # noqa: BLE001 - told by its class: no notice stops a worker
                log().error("unforeseen-fault", **facts_of(fault))
                self._over.wait(60)
