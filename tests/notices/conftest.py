"""An office with people, an agreement and a clock; a mail server and a webhook beside it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters import notice_gathering, notice_records
from gateway.adapters.database import Database
from gateway.adapters.notice_records import NoticeRecord
from gateway.adapters.notice_sending import send_due
from gateway.adapters.settings import Settings, read_settings
from gateway.wiring.common import open_database
from tests.journeys import borough
from tests.journeys.office import Office
from tests.notices.listeners import KEY, Hook, Mailbox, mail_server, webhook


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office with its staff, where nothing is proposed yet."""
    office = borough.founded(tmp_path_factory.mktemp("notices") / "office", recipients=())
    office.must("operators", "add", "alan", "--role", "approver", *_FOR, "--as", "ada")
    office.must("operators", "add", "olga", "--role", "approver", *_ELSEWHERE, "--as", "ada")
    return office


_FOR = ("--controller", borough.COUNCIL)
_ELSEWHERE = ("--controller", "kirklees-council")


@pytest.fixture
def office(founded: Office, tmp_path: Path) -> Office:
    return borough.copied(founded, tmp_path / "office")


@dataclass
class Telling:
    """The office's notices: settings, and a worker's look at a time of the test's choice."""

    office: Office
    settings: Settings
    database: Database
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def address(self, *names: str) -> None:
        for name in names:
            self.office.must(
                *("notices", "address", name, "--as", "ada"), given=f"{name}@trafford.example\n"
            )

    def look(self, *, later: dt.timedelta = dt.timedelta()) -> int:
        """What a worker does: gather, remind, send."""
        self.at = max(self.at, dt.datetime.now(dt.UTC)) + later
        notice_gathering.gather(self.database, self.settings.notices, at=self.at)
        notice_gathering.remind(self.database, self.settings.notices, at=self.at)
        return send_due(self.settings, self.database, now=lambda: self.at)

    def all(self) -> list[NoticeRecord]:
        with self.database.read() as connection:
            return notice_records.listed(connection)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as found:
        yield found


def key_file(folder: Path) -> Path:
    path = folder / "webhook-key"
    path.write_bytes(base64.b64encode(KEY))
    path.chmod(0o400)
    return path


def by_mail(mailbox: Mailbox) -> dict[str, str]:
    """The settings of a mail server on this machine."""
    return {
        "GATEWAY_SMTP_HOST": "127.0.0.1",
        "GATEWAY_SMTP_PORT": str(mailbox.port),
        "GATEWAY_SMTP_TLS": "none",
        "GATEWAY_SMTP_FROM": "gateway@trafford.example",
        "GATEWAY_PUBLIC_URL": "https://data.trafford.example",
    }


def by_hook(hook: Hook, folder: Path) -> dict[str, str]:
    return {"GATEWAY_WEBHOOK_URL": hook.url, "GATEWAY_WEBHOOK_KEY_FILE": str(key_file(folder))}


def told(office: Office, **settings: str) -> Telling:
    office.settings |= settings
    found = read_settings(office.data, environ=office.environment())
    return Telling(office, found, open_database(found))


@pytest.fixture
def telling(office: Office, mailbox: Mailbox) -> Iterator[Telling]:
    """Notices by e-mail alone; april, alan, olga and edith have addresses."""
    made = told(office, **by_mail(mailbox))
    made.address("april", "alan", "olga", "edith")
    yield made
    made.database.close()
