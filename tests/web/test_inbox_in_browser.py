"""The inbox of a recipient, and what is owed for a release, in a real browser.

Source: WCAG 2.2 AA; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.adapters import inbox, inbox_certificates
from gateway.adapters.database import Database
from gateway.adapters.descriptors import DESCRIPTORS, Use
from gateway.adapters.duties import DutyState
from gateway.adapters.inbox import Inbox, InboxState
from gateway.adapters.inbox_certificates import Destroyed
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    mark_forwarded,
    open_release,
)
from gateway.web import states
from gateway.wiring.inbox import inbox_of
from tests.delivery import sealed
from tests.journeys.browsing import chromium, visiting
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import COUNCIL, settings_of
from tests.web.served import serving

NOW = dt.datetime.now(dt.UTC)
MANIFEST = {"core": {"duties": ["destroy-by 2026-01-31"]}}


@pytest.fixture(scope="module")
def office(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office with a package in each state, and a release with an overdue certificate."""
    found = offices.copied(office_template, tmp_path_factory.mktemp("inbox") / "office")
    settings = settings_of(found)
    database = Database(settings.database_url)
    with database.begin() as connection:
        row = {"use": Use.PACKAGES_OF, "name": COUNCIL, "sender": sealed.SENDER}
        told = {"document": sealed.descriptor().decode(), "added": "", "added_by": "ada"}
        connection.execute(DESCRIPTORS.insert().values(**row, **told))
        release = ReleaseRecord(
            id="rel-late",
            state=ReleaseState.ACKNOWLEDGED,
            purpose="national-impact-study",
            agreement="trafford-stronger-families",
            policy_digest="0" * 64,
            officer="rosa",
            created=NOW,
        )
        open_release(connection, release)
        for output in ("linkage", "payload"):
            package = PackageRecord(
                id=f"rel-late.{output}",
                release="rel-late",
                output=output,
                recipient="ons-research",
                rows=10,
                digest="0" * 64,
                manifest=MANIFEST,
                place="",
            )
            add_package(connection, package)
            mark_forwarded(connection, package.id, NOW)
    shelf = inbox_of(settings, database)
    for state in InboxState:
        _brought(shelf, state)
    database.close()
    return found


def _brought(shelf: Inbox, state: InboxState) -> None:
    """One package, as far as its name says."""
    content = io.BytesIO(sealed.package(f"p-{state}"))
    found, _ = shelf.take(content, party=COUNCIL, by="trafford-gateway")
    if state is InboxState.ARRIVED:
        return
    words: dict[str, Any] = {"signer": sealed.OTHER, "recipient": "office"}
    whole = state is not InboxState.ACKNOWLEDGED
    inbox.acknowledge(shelf.database, found, at=NOW, opened=whole, **words)
    if state is InboxState.DESTROYED:
        today = NOW.date()
        told = Destroyed(destroyed=today, unreadable_after=today, by="anna")
        inbox_certificates.certify(shelf, found, told, **words)


@pytest.fixture(scope="module")
def url(office: Office) -> Iterator[str]:
    with serving(office) as served:
        yield served.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


NEXT = {
    InboxState.ARRIVED: "a worker signs the receipt",
    InboxState.ACKNOWLEDGED: "gateway inbox open p-acknowledged --key recipient.key",
    InboxState.OPENED: "gateway inbox certify p-opened",
    InboxState.DESTROYED: "its destruction is certified",
}


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_analyst_sees_what_came_how_far_it_is_and_what_to_do_next(
    office: Office, url: str, browser: Any, scripts: bool
) -> None:
    with visiting(browser, url, scripts=scripts) as visitor:
        visitor.sign_in("anna", office)
        visitor.page.click("nav >> text=Inbox")
        assert visitor.heading() == "Inbox"
        visitor.picture("inbox")
        for state, words in NEXT.items():
            assert states.INBOX[state].text in visitor.text()
            visitor.page.click(f"a:has-text('p-{state}')")
            assert words in visitor.text()
            visitor.picture(f"inbox-{state}")
            visitor.page.click("text=Inbox >> nth=0")


def test_every_state_of_a_package_has_its_words() -> None:
    assert set(states.INBOX) == set(InboxState) == set(NEXT)
    assert set(states.DUTIES) == set(DutyState)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_overdue_certificate_is_seen_where_it_is_settled(
    office: Office, url: str, browser: Any, scripts: bool
) -> None:
    with visiting(browser, url, scripts=scripts) as visitor:
        visitor.sign_in("rosa", office)
        visitor.go("/waiting")
        assert "Certificates of destruction that are overdue" in visitor.text()
        visitor.picture("waiting-overdue")
        visitor.page.click("text=rel-late.payload >> nth=0")
        assert "2 certificates are overdue" in visitor.text()
        assert "overdue since 31 January 2026" in visitor.text()
        visitor.picture("release-overdue")


def test_the_doctor_and_the_list_name_what_is_overdue(office: Office) -> None:
    found = office.ask("doctor")["found"]
    (late,) = [e for e in found if e["subject"] == "duties" and e["remedy"]]
    assert late["sentence"] == "2 certificates of destruction are overdue, since 2026-01-31."
    assert len(office.ask("duties", "list", "--overdue")["duties"]) == 2
