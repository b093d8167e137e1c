"""The pages of notices: one's own address, who was told, what is near; and a running service."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from gateway.adapters import notice_addresses, notice_records
from gateway.adapters.database import Database
from gateway.adapters.notice_records import WEBHOOK
from gateway.adapters.settings import Settings
from gateway.model.notices import NOTICES, Kind, Occasion
from gateway.web import create_app
from gateway.web.desk import desk_of
from tests.journeys import borough
from tests.journeys.office import Office
from tests.notices.conftest import by_hook, by_mail
from tests.notices.listeners import Hook, Mailbox, every_fact, verified
from tests.service.serving import serving, until
from tests.web import office as offices
from tests.web.office import Browser

TO = "april@trafford.example"
FACTS = every_fact() | {
    "title": "Trafford <b>Stronger</b> Families",
    "agreement": borough.AGREEMENT,
}


def said(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture(scope="session")
def with_accounts(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.built(tmp_path_factory.mktemp("pages") / "office")


@pytest.fixture
def own(with_accounts: Office, tmp_path: Path) -> Office:
    return offices.copied(with_accounts, tmp_path / "office")


@pytest.fixture
def data(own: Office, mailbox: Mailbox) -> Settings:
    here = {"GATEWAY_PUBLIC_URL": offices.ADDRESS}
    return offices.settings_of(own, **by_mail(mailbox) | here)


@pytest.fixture
def app(data: Settings) -> Iterator[Flask]:
    made = create_app(data, passwords=offices.CHEAP)
    yield made
    desk_of(made).database.close()


@pytest.fixture
def client_as(app: Flask) -> Callable[[str], Browser]:
    return lambda role: offices.signed_in(app, offices.LOGINS[role])


def test_everybody_says_where_they_are_told_on_their_own_page(
    data: Settings, client_as: Callable[[str], Browser]
) -> None:
    for role, name in (("approver", "april"), ("uploader", "police-desk")):
        browser = client_as(role)
        answer = browser.post("/account/notices", data={"address": f"{name}@trafford.example"})
        assert answer.status_code == 303
        assert f"{name}@trafford.example" in browser.get("/account").text
        assert "Notices now go where you said" in browser.get(answer.location).text
    client_as("approver").post("/account/notices", data={"address": ""})
    database = Database(data.database_url)
    with database.read() as connection:
        assert notice_addresses.find(connection, "april") == ""
        assert notice_addresses.find(connection, "police-desk") == "police-desk@trafford.example"
    database.close()


@pytest.mark.parametrize("address", ["nowhere", "x@y.gsi.gov.uk", '"><script>@b.example'])
def test_an_address_that_cannot_be_is_said_at_its_field(
    client_as: Callable[[str], Browser], address: str
) -> None:
    answer = client_as("approver").post("/account/notices", data={"address": address})
    assert answer.status_code == 422
    assert 'href="#address"' in answer.text
    assert "<script>@" not in answer.text


def test_the_administrator_and_the_auditor_see_who_was_told(
    data: Settings, client_as: Callable[[str], Browser]
) -> None:
    database = Database(data.database_url)
    at = dt.datetime.now(dt.UTC)
    with database.begin() as connection:
        notice_addresses.put(connection, "april", TO, by="april", at=at)
        occasion = Occasion(id="x", kind=Kind.PROPOSED, by="edith", facts=FACTS)
        told = ["april", WEBHOOK]
        notice_records.write(connection, occasion, told=told, unreachable=["kit"], at=at)
    database.close()
    for role in ("administrator", "auditor"):
        page = client_as(role).get("/notices").text
        assert "Trafford <b>Stronger</b> Families: version x waits" in said(page)
        assert "<b>Stronger" not in page
        assert TO not in page
        assert "The webhook" in said(page)
        assert "never told: ada, anna" in said(page)
    lost = said(client_as("auditor").get("/notices?state=no-address").text)
    assert "kit" in lost
    assert "The webhook" not in lost
    assert client_as("auditor").get("/notices?state=<b>").status_code == 200
    assert client_as("editor").get("/notices").status_code == 403


def test_a_page_of_every_notice_exists(app: Flask) -> None:
    routes = app.url_map.bind("x")
    for kind in NOTICES:
        path = Occasion(id="x", kind=kind, by="ada", facts=FACTS).path
        if path.startswith("/emergency") and "emergency" not in app.blueprints:
            continue
        assert routes.match(path.partition("#")[0]), kind


def test_what_waits_names_agreements_whose_day_is_near(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    page = said(client_as("editor").get("/waiting").text)
    assert "Agreements whose review or last day is near" in page
    for role in ("custodian", "practitioner"):
        answer = client_as(role).get("/waiting")
        assert answer.status_code == 200
        assert 'href="/releases/' not in answer.text


def test_a_closed_account_is_told_nothing_any_more(own: Office, mailbox: Mailbox) -> None:
    own.settings |= by_mail(mailbox)
    own.must("notices", "address", "april", "--as", "ada", given=f"{TO}\n")
    own.must("accounts", "disable", "april", "--as", "ada")
    answer = own.run("notices", "test", "--to", "april", "--as", "ada")
    assert "notices/no-address" in answer.err


def test_the_workers_of_a_running_service_tell_without_being_asked(
    own: Office, mailbox: Mailbox, hook: Hook, tmp_path: Path
) -> None:
    own.settings |= by_mail(mailbox) | by_hook(hook, tmp_path)
    own.must("notices", "address", "april", "--as", "ada", given=f"{TO}\n")
    with serving(own, workers=2) as service:
        own.must("policy", "propose", borough.AGREEMENT, "--as", "edith")
        until(lambda: (len(mailbox.to(TO)), len(hook.came)), lambda found: found[0] and found[1])
        assert "waits for your approval" in mailbox.to(TO)[0]["Subject"]
        assert verified(*hook.came[0])
        assert TO not in service.said()
        assert service.stop() == 0
    told = [letter["Message-ID"] for letter in mailbox.to(TO)]
    assert len(set(told)) == len(told)


def test_a_service_without_its_passphrase_tells_too(own: Office, mailbox: Mailbox) -> None:
    own.settings |= by_mail(mailbox)
    own.must("notices", "address", "april", "--as", "ada", given=f"{TO}\n")
    own.must("policy", "propose", borough.AGREEMENT, "--as", "edith")
    elsewhere = str(own.home / "not-there-yet")
    with serving(own, GATEWAY_PASSPHRASE_FILE=elsewhere):
        until(lambda: len(mailbox.to(TO)), bool)
