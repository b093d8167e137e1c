"""Fixtures of the service's tests: `data`, `app`, `client_as(role)`, `machine(party)`, `service`.

    def test_x(client_as, machine):
        page = client_as("release-officer").get("/releases")
        told = machine("greater-manchester-police").get("/api/v1/extracts")

Roles are those of `office.LOGINS`; "uploader" is the police's desk, "uploader-2" the council's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from gateway.adapters.settings import Settings
from gateway.web import create_app
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.service.serving import Service, serving
from tests.web import office as offices
from tests.web.office import Browser, Machine


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The office as it was made; tests take a copy."""
    return offices.built(tmp_path_factory.mktemp("web") / "office")


@pytest.fixture
def office(office_template: Office, tmp_path: Path) -> Office:
    """An office of this test's own."""
    return offices.copied(office_template, tmp_path / "office")


@pytest.fixture
def data(office: Office) -> Settings:
    """The settings of this test's data directory."""
    return offices.settings_of(office)


@pytest.fixture
def app(data: Settings) -> Iterator[Flask]:
    """The web application of this test's data directory."""
    made = create_app(data, passwords=offices.CHEAP)
    yield made
    desk_of(made).database.close()


@pytest.fixture
def client_as(app: Flask) -> Callable[[str], Browser]:
    """A signed-in browser for a role."""
    return lambda role: offices.signed_in(app, offices.LOGINS[role])


@pytest.fixture
def machine(app: Flask) -> Callable[[str], Machine]:
    """A registered program of a party."""
    return lambda party: Machine(app, offices.MACHINES[party][0], party)


@pytest.fixture
def service(office: Office) -> Iterator[Service]:
    """A real `gateway serve` of this test's office on a free port; ask `service.url`."""
    with serving(office) as running:
        yield running
