"""Whoever watches the service sees whether it lives, may share, and how much it does: no more."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind
from gateway.adapters.settings import Settings
from gateway.web.api import health
from gateway.wiring import common
from tests.journeys.office import Office
from tests.service.serving import Service
from tests.web.office import Browser


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    health._ready.clear()


def test_a_whole_installation_is_alive_and_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").get_json() == {"alive": True}
    told = client.get("/readyz")
    assert (told.status_code, told.get_json()) == (
        200,
        {"ready": True, "not_well": [], "uploads": True},
    )


@pytest.mark.parametrize(
    ("break_it", "subject"),
    [
        ("DELETE FROM ledger_checkpoints", None),
        ("UPDATE ledger_leaves SET event = 'x' WHERE 0 = 1", None),
        ("DELETE FROM ledger_leaves", "ledger"),
        ("DELETE FROM policy_heads", "policies"),
    ],
)
def test_what_is_missing_is_named_and_nothing_more(
    app: Flask, data: Settings, break_it: str, subject: str | None
) -> None:
    database = Database(data.database_url)
    with database.begin() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        if subject == "ledger":
            names = sa.inspect(connection).get_table_names()
            for name in sorted(n for n in names if n.startswith("ledger_")):
                connection.exec_driver_sql(f"DELETE FROM {name}")
        else:
            connection.exec_driver_sql(break_it)
    database.close()
    told = app.test_client().get("/readyz")
    if subject is None:
        assert told.status_code == 200
        return
    assert told.status_code == 503
    assert subject in told.get_json()["not_well"]


def test_a_ring_that_others_can_enter_is_not_ready(app: Flask, data: Settings) -> None:
    data.ring.chmod(0o755)
    told = app.test_client().get("/readyz")
    assert told.get_json() == {"ready": False, "not_well": ["keys"], "uploads": False}


@pytest.mark.parametrize(
    ("also", "kinds", "ready"),
    [
        ({}, [], False),
        ({"state": "running"}, [JobKind.REHEARSE], True),
        ({"ready": "9999"}, list(JobKind), True),
    ],
)
def test_without_the_passphrase_nothing_is_shared_and_files_are_taken_in(
    app: Flask, data: Settings, also: dict[str, str], kinds: list[JobKind], ready: bool
) -> None:
    """Its file is not looked for: only whether something waits for it that could begin."""
    database = Database(data.database_url)
    with database.begin() as connection:
        for kind in (JobKind.PURGE, JobKind.REHEARSE):
            jobs.enqueue(connection, kind, subject="x", by="rosa", request={}, at=common.now())
        changed = jobs.JOBS.update().where(jobs.JOBS.c.kind.in_(kinds))
        if also:
            connection.execute(changed.values(**also))
        jobs.hold(connection, kinds=tuple(JobKind), code="job/no-keys")
    database.close()
    told = app.test_client().get("/readyz")
    not_well = [] if ready else ["keys"]
    assert told.get_json() == {"ready": ready, "not_well": not_well, "uploads": True}
    assert told.status_code == (200 if ready else 503)


def test_the_counts_name_routes_and_states_and_nobody(
    app: Flask, client_as: Callable[[str], Browser]
) -> None:
    browser = client_as("release-officer")
    browser.get("/releases/rel-secret-reference")
    text = app.test_client().get("/metrics").text
    assert "gateway_ledger_entries" in text
    assert 'route="/releases/<release>"' in text
    assert "rel-secret-reference" not in text
    assert "rosa" not in text


def test_a_stranger_writes_nothing_into_the_counts(app: Flask) -> None:
    stranger = app.test_client()
    for invented in ("ZORA-TESTERSON", "zora.testerson"):
        for path in ("/healthz", "/nowhere"):
            stranger.open(path, method=invented)
    text = stranger.get("/metrics").text
    assert "testerson" not in text.lower()
    assert 'method="OTHER"' in text


def test_the_doctor_examines_and_says_how_to_mend(office: Office, data: Settings) -> None:
    with office.open():
        well = office.run("doctor", "--json")
    found = json.loads(well.out)
    assert well.code == 0, well.out
    assert found["health"] in ("well", "look")
    assert {each["subject"] for each in found["found"]} >= {"keys", "ledger", "policies", "people"}
    data.ring.chmod(0o750)
    with office.open():
        ill = office.run("doctor")
    assert ill.code == 7
    assert ill.out.startswith("ill")


@pytest.mark.parametrize("how", ["away", "empty", "bare"])
def test_a_database_that_is_gone_is_told_once_and_leads_to_a_backup(
    office: Office, data: Settings, how: str
) -> None:
    file = data.data / "gateway.sqlite"
    for path in data.data.glob("gateway.sqlite*"):
        path.unlink()
    if how == "empty":
        file.touch(mode=0o600)
    if how == "bare":
        base = Database(data.database_url)
        with base.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE x (y)")
            connection.exec_driver_sql("DROP TABLE x")
        base.close()
    before = sorted(path.name for path in data.data.iterdir())
    ill = office.run("doctor", "--json")
    (found,) = [each for each in ill.document["found"] if each["health"] == "ill"]
    assert (ill.code, len(ill.document["found"])) == (7, 1)
    assert "gateway restore" in found["remedy"]
    for words in (["database", "upgrade"], ["extracts"], ["releases"]):
        no = office.run(*words)
        assert (no.code, "store/database-gone" in no.err) == (7, True), words
    if how == "away":
        assert sorted(path.name for path in data.data.iterdir()) == before


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o750, 0o701])
def test_a_data_directory_that_others_can_enter_is_told_and_not_opened(
    office: Office, data: Settings, mode: int
) -> None:
    data.data.chmod(mode)
    ill = office.run("doctor", "--json")
    assert ill.code == 7
    (found,) = [e for e in json.loads(ill.out)["found"] if e["subject"] == "data directory"]
    assert (found["health"], "keys/unsafe-mode" in found["sentence"]) == ("ill", True)
    for words in (["extracts"], ["operators", "list"], ["web", "--port", "0"], ["serve"]):
        no = office.run(*words)
        assert (no.code, "keys/unsafe-mode" in no.err) == (7, True), words
    data.data.chmod(0o700)
    assert office.run("extracts").code == 0


def test_a_data_directory_may_lie_elsewhere_behind_a_link(office: Office, data: Settings) -> None:
    elsewhere = office.home / "disk"
    data.data.rename(elsewhere)
    data.data.symlink_to(elsewhere)
    assert office.run("extracts").code == 0
    elsewhere.chmod(0o755)
    assert office.run("extracts").code == 7


def test_the_database_is_its_owners_alone(data: Settings) -> None:
    files = [path for path in data.data.iterdir() if path.is_file()]
    assert any(path.name == "gateway.sqlite" for path in files)
    assert {oct(path.stat().st_mode & 0o077) for path in files} == {"0o0"}


def test_processes_of_one_service_add_up_their_counts(service: Service) -> None:
    for _ in range(20):
        service.get("/healthz")
    _, text = service.get("/metrics")
    lines = [
        line
        for line in text.decode().splitlines()
        if line.startswith('gateway_answers_total{method="GET",route="/healthz"')
    ]
    assert sum(float(line.rpartition(" ")[2]) for line in lines) == 20


def test_what_stands_in_the_tables_is_told_once_however_often_it_is_asked(
    service: Service,
) -> None:
    for _ in range(6):
        _, text = service.get("/metrics")
    families = list(text_string_to_metric_families(text.decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert {"gateway_jobs", "gateway_ledger_entries", "gateway_extracts"} <= set(names)
    samples = [(s.name, *sorted(s.labels.items())) for f in families for s in f.samples]
    assert len(samples) == len(set(samples))
    assert not any("pid" in dict(labels) for _, *labels in samples)
    kept = {path.name for path in (service.office.data / "web" / "metrics").iterdir()}
    assert not {name for name in kept if name.startswith("gauge")}


def test_the_counts_say_their_form_once(app: Flask) -> None:
    told = app.test_client().get("/metrics").headers["Content-Type"]
    assert told == "text/plain; version=0.0.4; charset=utf-8"
