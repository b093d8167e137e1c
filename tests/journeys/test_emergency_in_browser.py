"""Two people disclose one person in a real Chromium, and the authority opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import urgent
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.service.serving import Service, serving
from tests.web import office as offices

WHY = (
    "The school rang at ten past four: the child had said that nobody would be at home over the "
    "weekend but the man whom the order names. The panel meets on Monday, which is too late.\n\n"
    "The duty lead decided with the practitioner by telephone; both names are in the case file."
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return urgent.people_of(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Iterator[Service]:
    office = offices.built(tmp_path_factory.mktemp("served") / "office")
    urgent.prepare(office, people)
    with serving(office) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize(("scripts", "number"), [(True, 0), (False, 1)])
def test_from_the_first_word_to_the_filed_reasons(
    service: Service, browser: Any, people: Path, tmp_path: Path, scripts: bool, number: int
) -> None:
    row = urgent.somebody(people, number)
    with (
        visiting(browser, service.url, scripts=scripts) as first,
        visiting(browser, service.url, scripts=scripts) as second,
        visiting(browser, service.url, scripts=scripts) as officer,
    ):
        for visitor, login in ((first, "pia"), (second, "rosa"), (officer, "aude")):
            visitor.sign_in(login, service.office)
        page = _asked(first, row)
        second.go("/emergency")
        second.picture("emergency-list")
        second.go(page)
        assert row["surname"] not in second.text()
        second.picture("emergency-confirm")
        second.page.click("text=Confirm and send")
        _until(second, page, "Disclosed")
        officer.go("/waiting")
        assert "To trafford-mash, by pia and rosa" in officer.text()
        for visitor in (first, second):
            visitor.go("/emergency")
            assert "You owe a reason" in visitor.text()
            visitor.go(page)
            visitor.picture("emergency-reason")
            visitor.page.fill("#reason", WHY)
            visitor.page.click("text=File the reason")
            assert "Filed" in visitor.text()
        officer.go(page)
        officer.picture("emergency-seen")
        officer.page.click("text=I have seen it")
        assert "aude" in officer.text()
        _reasons_read(officer)
    told = service.office.ask("emergency", "list")["emergencies"]
    (mine,) = [each for each in told if page.endswith(each["id"])]
    (left,) = urgent.opened(service.office, mine, tmp_path / "mash")
    assert left["surname"] == row["surname"]


def _reasons_read(officer: Visitor) -> None:
    """Shown once, with who wrote which, and not again."""
    officer.page.click("text=Read the reasons")
    reading = officer.page.url.removeprefix(officer.url)
    _until(officer, reading, "Shown to you once")
    officer.picture("emergency-reasons-read")
    for said in ("Reason of pia", "Reason of rosa", *WHY.split("\n\n")):
        assert said in officer.text()
    officer.go(reading)
    assert WHY.partition("\n")[0] not in officer.text()
    officer.picture("emergency-reasons-gone")


def _asked(first: Visitor, row: dict[str, str]) -> str:
    """Type it, first with a gap; the address of the page once the person was found."""
    first.go("/emergency/new")
    first.picture("emergency-new")
    first.page.check("input[name=to]")
    for name, value in (("forename", row["forename"]), ("surname", row["surname"])):
        first.page.fill(f"#{name}", value)
    first.page.fill("#risk_statement", urgent.RISK)
    first.page.fill("#contact_route", urgent.CONTACT)
    first.page.click("text=Ask for it")
    assert "Enter the date of birth" in first.text()
    first.picture("emergency-fault")
    first.page.fill("#date_of_birth", row["dob"])
    first.page.click("text=Ask for it")
    page = first.page.url.removeprefix(first.url)
    _until(first, page, "To be confirmed")
    first.picture("emergency-waits")
    return page


def _until(visitor: Visitor, page: str, words: str) -> None:
    """The page goes on by itself, or is loaded again."""
    for _ in range(120):
        if words in visitor.text():
            return
        visitor.page.wait_for_timeout(500)
        if not visitor.scripts:
            visitor.go(page)
    raise AssertionError(visitor.text()[:800])
