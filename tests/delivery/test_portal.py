"""A package that a person carries to the recipient's own portal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from gateway.adapters import deliveries, jobs
from gateway.adapters.deliveries import Delivery, DeliveryState
from gateway.adapters.delivery_words import BECAUSE
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.release_store import ReleaseState, step
from gateway.adapters.web_keys import open_web_keys
from gateway.web import create_app, states
from gateway.web.desk import desk_of
from tests.delivery import pair as pairs
from tests.journeys import borough
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.service import serving
from tests.web import office as offices
from tests.web.office import Browser
from tests.web.served import serving as serving_web


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    """A council whose release waits to be carried; nobody changes it."""
    office = pairs.council(tmp_path_factory.mktemp("portal") / "council", people, "portal", {})
    told = office.must(*borough.SHARE, "--json").document
    assert told["state"] == "recorded"
    settings = offices.settings_of(office)
    at = dt.datetime.now(dt.UTC)
    key = open_web_keys(settings, at=at).subkey("second-factor")
    with serving.database_of(office) as database, database.begin() as connection:
        for login in ("rosa", "rita"):
            offices.account(connection, login, key, at)
    return office


@pytest.fixture
def office(shared: Office, tmp_path: Path) -> Office:
    return borough.copied(shared, tmp_path / "council")


@pytest.fixture
def app(office: Office) -> Iterator[Flask]:
    made = create_app(offices.settings_of(office), passwords=offices.CHEAP)
    yield made
    desk_of(made).database.close()


@pytest.fixture
def rosa(app: Flask) -> Browser:
    return offices.signed_in(app, "rosa")


def waiting(office: Office) -> list[Delivery]:
    with serving.database_of(office) as database, database.read() as connection:
        return deliveries.listed(connection)


def test_an_officer_fetches_a_package_carries_it_and_types_its_number(
    office: Office, rosa: Browser
) -> None:
    before = waiting(office)
    for each in before:
        address = f"/deliveries/{each.package}"
        assert "own portal, by hand" in rosa.get(address).text
        staged = office.data / "outgoing" / f"{each.package}.gwp"
        with rosa.post(f"{address}/package") as sealed:
            assert sealed.data == staged.read_bytes()
        bad = rosa.post(f"{address}/receipt", data={"number": "see my letter"})
        assert (bad.status_code, "Error:" in bad.text) == (422, True)
        assert rosa.post(f"{address}/receipt", data={"number": "2026-0815"}).status_code == 303
        page = rosa.get(address).text
        assert "Carried" in page
        assert "2026-0815" in page
    assert {each.state for each in waiting(office)} == {DeliveryState.CARRIED}
    assert office.ask("releases", before[0].release)["state"] == "acknowledged"
    assert not list((office.data / "outgoing").iterdir())
    assert office.ask("ledger", "verify")["ok"]


def test_what_is_to_be_carried_waits_for_whoever_may_carry_it(
    office: Office, app: Flask, rosa: Browser
) -> None:
    one, other = waiting(office)
    heading = "Packages to carry to the recipient’s portal</h2>"
    page = rosa.get("/waiting").text
    assert "You may settle 2 of these" in page
    told = page.split(heading)[1]
    assert f'href="/deliveries/{one.package}"' in told
    assert "You may settle" not in offices.signed_in(app, "rita").get("/waiting").text
    release = " ".join(rosa.get(f"/releases/{one.release}").text.split())
    assert "0 of 2 packages; 2 wait to be carried to the recipient’s portal" in release
    assert "To be carried" in release
    with rosa.post(f"/deliveries/{one.package}/package"):
        pass
    assert "its receipt number is missing" in rosa.get("/waiting").text
    for each in (one, other):
        with rosa.post(f"/deliveries/{each.package}/package"):
            pass
        rosa.post(f"/deliveries/{each.package}/receipt", data={"number": "2026-0815"})
    assert heading not in rosa.get("/waiting").text
    assert "to be carried" not in rosa.get(f"/releases/{one.release}").text.lower()


def test_the_page_of_its_job_says_that_it_waits_to_be_carried(
    office: Office, rosa: Browser
) -> None:
    one, other = waiting(office)
    at = dt.datetime.now(dt.UTC)
    done = {"state": "recorded", "release": one.release, "packages": [one.package, other.package]}
    with serving.database_of(office) as database, database.begin() as connection:
        job = jobs.enqueue(connection, JobKind.SHARE, subject="study", by="rosa", request={}, at=at)
        lease = dt.timedelta(seconds=30)
        jobs.claim(connection, "here-1#a", kinds=[JobKind.SHARE], at=at, lease=lease)
        end = {"state": JobState.DONE, "outcome": done, "code": "", "at": at}
        jobs.finish(connection, job, "here-1#a", **end)  # type: ignore[arg-type]
    assert ">2 wait to be carried to the recipient’s portal<" in rosa.get(f"/jobs/{job}").text
    with rosa.post(f"/deliveries/{one.package}/package"):
        pass
    page = rosa.get(f"/jobs/{job}").text
    assert "1 package is on its way; 1 waits to be carried" in page


def test_a_register_that_moved_is_not_called_an_objection_to_this(
    office: Office, rosa: Browser
) -> None:
    stopped, _ = waiting(office)
    with serving.database_of(office) as database, database.begin() as connection:
        deliveries.stopped(connection, stopped.release, code="release/register-moved")
    page = rosa.get(f"/deliveries/{stopped.package}").text
    assert "The register of objections had changed before it left" in page
    assert "Somebody objected" not in page


def test_who_may_not_carry_sees_the_delivery_and_no_button(office: Office, app: Flask) -> None:
    rita = offices.signed_in(app, "rita")
    address = f"/deliveries/{waiting(office)[0].package}"
    page = rita.get(address)
    assert page.status_code == 200
    assert "Fetch the sealed package" not in page.text
    for act in ("package", "receipt", "retry"):
        assert rita.post(f"{address}/{act}").status_code == 403
    assert {each.state for each in waiting(office)} == {DeliveryState.WAITING}


def test_nothing_is_fetched_once_somebody_has_objected(office: Office, rosa: Browser) -> None:
    objected(office)
    answer = rosa.post(f"/deliveries/{waiting(office)[0].package}/package")
    assert answer.status_code == 409
    assert "release/register-moved" in answer.text
    assert {each.state for each in waiting(office)} == {DeliveryState.WAITING}


def test_a_release_that_was_stopped_after_a_part_left_says_what_left(
    office: Office, rosa: Browser
) -> None:
    gone, _ = waiting(office)
    with rosa.post(f"/deliveries/{gone.package}/package"):
        pass
    rosa.post(f"/deliveries/{gone.package}/receipt", data={"number": "2026-0815"})
    objected(office)
    told = office.run(*borough.SHARE)
    page = " ".join(rosa.get(f"/releases/{gone.release}").text.split())
    assert office.ask("releases", gone.release)["state"] == "held", told.err
    assert "1 of 2 packages left, for" in page
    assert "Its receipt and duties still run. 1 did not leave and will not." in page
    assert "1 of 1 receipt from the recipients" in page
    assert "0 of 1 certificates of destruction" in page
    assert "Nothing left" not in page
    assert "Will not happen" not in page


def test_what_a_stop_kept_waits_for_a_new_release_and_not_for_another_try(
    office: Office, rosa: Browser
) -> None:
    stopped = waiting(office)
    objected(office)
    with serving.database_of(office) as database, database.begin() as connection:
        deliveries.stopped(connection, stopped[0].release, code="release/register-moved")
        step(connection, stopped[0].release, ReleaseState.WITHDRAWN)
    page = rosa.get("/waiting").text
    waits, none = page.split("Of these none waits")
    assert "Packages not delivered" in none
    assert stopped[0].package in waits.split("Packages of a release that was")[1]
    assert office.run(*borough.SHARE).code == 0
    assert stopped[0].package not in rosa.get("/waiting").text


def objected(office: Office) -> None:
    words = ("object", "--purpose", borough.STUDY, "--agreement", borough.AGREEMENT)
    office.must(*words, given="forename: Zora\nsurname: Testerson\ndob: 1990-02-03\n")


def test_on_the_command_line_it_is_carried_as_well(office: Office, tmp_path: Path) -> None:
    each = waiting(office)[0]
    early = office.run("deliveries", "carried", each.package, "--receipt", "1", "--as", "rosa")
    assert early.code == 2
    office.must("deliveries", "carry", each.package, "--to", str(tmp_path), "--as", "rosa")
    assert (tmp_path / f"{each.package}.gwp").exists()
    told = office.ask("deliveries", "carried", each.package, "--receipt", "A-1", "--as", "rosa")
    assert told["state"] == "carried"
    assert office.run("deliveries", "carry", each.package, "--to", "/", "--as", "rita").code == 3


def test_every_state_and_channel_has_its_words() -> None:
    assert set(states.DELIVERIES) == set(DeliveryState)
    assert set(states.CHANNELS) == {"folder", "https", "sftp", "portal"}
    assert all(sentence and remedy for sentence, remedy in BECAUSE.values())


def whole_on_a_narrow_page(visitor: Visitor) -> None:
    """At 375 px no part of an id is broken, and nothing has to be scrolled sideways."""
    before = visitor.page.viewport_size
    assert before is not None
    visitor.page.set_viewport_size({"width": 375, "height": 800})
    parts = visitor.page.locator(".app-code .app-nowrap")
    assert parts.count() > 2
    assert {each.evaluate("e => e.getClientRects().length") for each in parts.all()} == {1}
    width = "document.documentElement.scrollWidth"
    assert visitor.page.evaluate(width) <= 375
    visitor.page.set_viewport_size(before)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_in_the_browser_an_officer_carries_a_package(office: Office, scripts: bool) -> None:
    with (
        serving_web(office) as served,
        chromium() as browser,
        visiting(browser, served.url, scripts=scripts) as visitor,
    ):
        visitor.sign_in("rosa", office)
        visitor.go("/")
        visitor.page.click("nav >> text=Deliveries")
        visitor.picture("deliveries")
        visitor.page.click("main table a >> nth=0")
        visitor.picture("delivery-waiting")
        whole_on_a_narrow_page(visitor)
        with visitor.page.expect_download() as fetched:
            visitor.page.click("text=Fetch the sealed package")
        assert fetched.value.suggested_filename.endswith(".gwp")
        visitor.page.reload()
        visitor.page.fill("#number", "two words")
        visitor.page.click("text=It was carried")
        visitor.picture("delivery-fault")
        assert visitor.page.title().startswith("Error: ")
        visitor.page.fill("#number", "2026-0815")
        visitor.page.click("text=It was carried")
        visitor.picture("delivery-carried")
        assert "Carried" in visitor.text()
        visitor.page.click("text=See the release")
        assert "1 of 2 packages" in visitor.text()
        visitor.check("release")
        whole_on_a_narrow_page(visitor)
