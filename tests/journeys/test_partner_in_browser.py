"""A partner who has never seen it: signs in, sends a bad file, understands, sends the right one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import borough, borough_pages
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.service.serving import Service, serving

WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return borough_pages.ready(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def service(template: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    office = borough.copied(template, tmp_path_factory.mktemp("service") / "office")
    with serving(office) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def people(template: Office) -> Path:
    return template.home.parent / "people"


@WITH_AND_WITHOUT
def test_a_partner_mends_a_bad_file_and_gets_a_receipt(
    service: Service, browser: Any, people: Path, scripts: bool
) -> None:
    with visiting(browser, service.url, scripts=scripts) as visitor:
        page = visitor.page
        visitor.go("/")
        visitor.picture("partner-start")
        page.click("main >> text=Sign in")
        visitor.sign_in("police-desk", service.office)
        page.click("nav >> text=Send data")
        visitor.picture("partner-datasets")
        page.click("section:has-text('Police incidents') >> text=What you may send and why")
        assert "What is never shared" in visitor.text()
        visitor.picture("partner-why", whole=False)
        page.click("text=Send a file")
        visitor.picture("partner-upload")
        _send(visitor, people / "police_bad.csv")
        assert visitor.heading() == "Your file was not accepted"
        told = visitor.text()
        assert "not a real date" in told
        assert "officer_notes" not in told  # a column that no contract knows is named by place
        visitor.picture("partner-findings")
        with page.expect_download() as downloading:
            page.click("text=Download the list of rows")
        listed = Path(downloading.value.path()).read_text("utf-8").splitlines()
        assert listed[0] == "row,column,rule"
        assert listed[1].startswith("1,dob,")
        page.click("text=Send the corrected file")
        _send(visitor, people / "police_incidents.csv")
        assert visitor.heading() == "File accepted"
        visitor.picture("partner-receipt")
        page.click("nav >> text=What you sent")
        assert visitor.text().count("Rejected") >= 1
        visitor.picture("partner-history")


def _send(visitor: Visitor, file: Path) -> None:
    """Choose a file, send it, and wait for its check."""
    visitor.page.set_input_files("#file", str(file))
    visitor.page.click("text=Send the file")
    visitor.page.wait_for_url("**/sent/extract-*", timeout=60_000)
