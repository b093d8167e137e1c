"""The data team runs a release in the browser: rehearse, check the answers, release, look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys import borough_pages
from tests.journeys.browsing import chromium, visiting
from tests.service.serving import Service, serving

WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    office = borough_pages.ready(tmp_path_factory.mktemp("pages"))
    with serving(office) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@WITH_AND_WITHOUT
def test_a_release_is_rehearsed_checked_and_run(
    service: Service, browser: Any, scripts: bool
) -> None:
    with visiting(browser, service.url, scripts=scripts) as visitor:
        page = visitor.page
        visitor.sign_in("rosa", service.office)
        visitor.go("/")
        visitor.picture("team-start")
        page.click("nav >> text=Extracts")
        assert "Trafford Council" in visitor.text()
        visitor.picture("team-extracts")
        page.click("nav >> text=New release")
        visitor.picture("team-new-release")
        page.click("text=Rehearse it")
        assert page.title().startswith("Error: ")
        assert "There is a problem" in visitor.text()
        visitor.check("team-new-release-error")
        page.check("text=National Impact Study >> nth=0")
        page.click("text=Rehearse it")
        page.wait_for_selector("text=Check before you release", timeout=60_000)
        assert "Nothing has left" in visitor.text()
        visitor.picture("team-rehearsal")
        page.click("text=Check before you release")
        assert "UK GDPR" in visitor.text()
        visitor.picture("team-check")
        page.click("main button[type=submit]")
        page.wait_for_selector("text=See the release", timeout=60_000)
        visitor.picture("team-released")
        page.click("text=See the release")
        told = visitor.text()
        assert "4.2(c)ii" in told
        assert "Counts are rounded to 10" in told
        visitor.picture("team-release")
        page.click("nav >> text=Releases")
        visitor.picture("team-releases")
        page.click("nav >> text=Work in hand")
        visitor.picture("team-jobs")
