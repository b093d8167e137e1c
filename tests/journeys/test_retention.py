"""What has outlived its retention goes, is written down first, and cannot come back."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from gateway.adapters import retention
from gateway.adapters.database import Database
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings, read_settings
from gateway.errors import GatewayError
from gateway.ledger import Entry
from tests.journeys import borough
from tests.journeys.office import Office

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=25 * 366)
DATASET = "family_register"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 800)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    made = borough.founded(tmp_path_factory.mktemp("retention") / "office")
    with made.open():
        borough.receive(made, people / f"{DATASET}.csv", DATASET, "trafford-council")
    return made


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    shutil.copytree(template.home, tmp_path / "office")
    made = Office(tmp_path / "office", policies=template.policies)
    with made.open():
        yield made


@pytest.fixture
def settings(office: Office) -> Settings:
    return read_settings(office.data, environ=office.environment())


def purged(settings: Settings, at: dt.datetime = LATER) -> dict[str, int]:
    ring = open_ring(settings)
    ring.unlock()
    return retention.purge(settings, ring, at=at)


def told(settings: Settings, event: str) -> list[Entry]:
    from gateway.adapters import ledger_store

    database = Database(settings.database_url)
    with database.read() as connection:
        found = [entry for _, entry in ledger_store.entries(connection, event=event)]
    database.close()
    return found


def test_before_its_day_nothing_goes(office: Office, settings: Settings) -> None:
    assert purged(settings, dt.datetime.now(dt.UTC))["extracts"] == 0
    assert list((settings.data / "extracts").glob("*.age"))


def test_after_its_day_an_extract_and_its_key_are_gone_and_the_ledger_says_so(
    office: Office, settings: Settings
) -> None:
    (sealed,) = (settings.data / "extracts").glob("*.age")
    copy = settings.data.parent / "stolen.age"
    shutil.copy(sealed, copy)
    ring = open_ring(settings)
    ring.unlock()
    month = next(r for r in ring.records() if r.kind == "storage")
    identity = ring.storage_identity(month.id)
    gone = purged(settings)
    assert gone["extracts"] == 1
    assert gone["storage_keys"] >= 1
    assert not list((settings.data / "extracts").iterdir())
    (entry,) = told(settings, "extract-destroyed")
    assert entry.facts["code"] == "retention/over"
    assert entry.facts["key"] == month.id
    assert month.id in {entry.facts["key"] for entry in told(settings, "key-destroyed")}
    with pytest.raises(GatewayError):
        ring.storage_identity(month.id)
    # The copy was readable with that key, and nothing of the key is left in the directory.
    pyrage.decrypt(copy.read_bytes(), [pyrage.x25519.Identity.from_str(identity)])
    assert not any(identity.encode() in path.read_bytes() for path in _files(settings.data))
    assert office.must("ledger", "verify")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_second_purge_changes_nothing(office: Office, settings: Settings) -> None:
    purged(settings)
    assert {k: v for k, v in purged(settings).items() if v} == {}
    assert len(told(settings, "extract-destroyed")) == 1


def test_a_purge_that_was_killed_is_finished_by_the_next(
    office: Office, settings: Settings
) -> None:
    (sealed,) = (settings.data / "extracts").glob("*.age")
    content = sealed.read_bytes()
    purged(settings)
    # As if the kill had come between the ledger's entry and the file's end.
    sealed.write_bytes(content)
    purged(settings)
    assert not sealed.exists()


def test_the_same_file_sent_again_is_an_extract_of_its_own(
    office: Office, settings: Settings, people: Path
) -> None:
    before = office.must("extracts", "--json").document["extracts"][0]["extract"]
    purged(settings)
    office.must("keys", "new", "--kind", "storage", "--as", "kit")
    assert office.must("extracts", before, "--json").document["state"] == "destroyed"
    again = borough.receive(office, people / f"{DATASET}.csv", DATASET, "trafford-council")
    assert again["extract"] != before
    assert again["state"] == "accepted"


def test_what_would_go_can_be_asked_first(office: Office) -> None:
    assert "Nothing has outlived" in office.must("purge", "--dry-run").out
