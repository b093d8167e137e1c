"""Sending that does not go straight on: another file, too many, a session that ended."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import borough, borough_pages
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import REPOSITORY, Office
from tests.service.serving import Service, serving

FORM = "/send/police_incidents/file"
BEGIN = """async (many) => {
  const [{ value: token }] = document.getElementsByName("csrf_token");
  for (let i = 0; i < many; i++) {
    await fetch("/api/v1/uploads", { method: "POST", headers: {
      "Tus-Resumable": "1.0.0", "Upload-Length": "9", "X-CSRF-Token": token,
      "Upload-Metadata": "dataset " + btoa("police_incidents") } });
  }
}"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return borough_pages.ready(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def service(template: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    office = borough.copied(template, tmp_path_factory.mktemp("service") / "office")
    with serving(office, GATEWAY_UPLOADS_OPEN="3") as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def visitor(service: Service, browser: Any) -> Iterator[Visitor]:
    with visiting(browser, service.url) as found:
        found.sign_in("police-desk", service.office)
        yield found


@pytest.fixture
def good(template: Office) -> Path:
    return template.home.parent / "people" / "police_incidents.csv"


def test_another_file_of_the_same_size_and_time_is_not_joined_to_the_part_that_arrived(
    visitor: Visitor, good: Path, tmp_path: Path
) -> None:
    one, other = _two_alike(good, tmp_path)
    page = visitor.page
    visitor.go(FORM)

    def cut(route: Any) -> None:
        later = int(route.request.headers.get("upload-offset", -1)) > 0
        route.abort("connectionreset") if later else route.continue_()

    page.route("**/api/v1/uploads/*", cut)
    _choose(visitor, one)
    page.wait_for_selector("text=The connection was lost", timeout=30_000)
    page.unroute_all()
    visitor.go(FORM)
    _choose(visitor, other)
    page.wait_for_url("**/sent/extract-*", timeout=60_000)
    assert hashlib.sha256(other.read_bytes()).hexdigest() in page.content()
    visitor.go("/send")
    page.click("button:has-text('End')")
    page.wait_for_selector("text=Unfinished files", state="detached")


def test_too_many_unfinished_files_are_said_at_once_and_can_be_ended(
    visitor: Visitor, service: Service, browser: Any, good: Path
) -> None:
    page = visitor.page
    visitor.go(FORM)
    page.evaluate(BEGIN, 3)
    _choose(visitor, good)
    page.wait_for_selector("text=3 files of your organisation are unfinished", timeout=10_000)
    assert "connection was lost" not in visitor.text()
    visitor.check("sending-too-many")
    with visiting(browser, service.url, scripts=False) as plain:
        plain.sign_in("police-desk", service.office)
        plain.go("/send")
        plain.picture("sending-unfinished")
        for left in (2, 1, 0):
            plain.page.click("button:has-text('End') >> nth=0")
            assert plain.page.locator("button:has-text('End')").count() == left
    page.click("button:has-text('Go on')")
    page.wait_for_url("**/sent/extract-*", timeout=60_000)


def test_a_session_that_ended_is_said_and_goes_on_after_signing_in(
    visitor: Visitor, service: Service, good: Path
) -> None:
    page = visitor.page
    visitor.go(FORM)
    page.context.clear_cookies()
    _choose(visitor, good)
    page.wait_for_selector("text=Your session has ended.", timeout=10_000)
    with page.context.expect_page() as opened:
        page.click("text=Sign in (opens in a new tab)")
    again = replace(visitor, page=opened.value)
    again.sign_in("police-desk", service.office)
    page.click("button:has-text('Go on')")
    page.wait_for_url("**/sent/extract-*", timeout=60_000)


def test_a_file_that_changed_on_the_disk_is_not_called_a_lost_connection(
    visitor: Visitor, good: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(good.read_bytes())
    visitor.go(FORM)
    visitor.page.set_input_files("#file", str(file))
    visitor.page.wait_for_selector("text=found nothing wrong with this file")
    file.write_bytes(good.read_bytes() + b"x" * 9)
    visitor.page.click("main form button[type=submit]")
    visitor.page.wait_for_selector("text=The file was changed or moved", timeout=10_000)


def test_an_empty_file_and_one_of_another_dataset_are_told_before_anything_leaves(
    visitor: Visitor, good: Path, tmp_path: Path
) -> None:
    empty, other = tmp_path / "empty.csv", tmp_path / "other.csv"
    empty.write_bytes(b"")
    health = tomllib.loads((REPOSITORY / "policies/datasets/health.toml").read_text())
    other.write_text(",".join(health["columns"]) + "\n")
    visitor.go(FORM)
    visitor.page.set_input_files("#file", str(empty))
    visitor.page.wait_for_selector("td:has-text('The file is empty.')")
    visitor.page.set_input_files("#file", str(other))
    visitor.page.wait_for_selector("td:has-text('The columns are those of another dataset')")
    assert "(health)" in visitor.text()
    assert "choose that dataset and send it as it is" in visitor.text()
    visitor.picture("another-dataset")


def _choose(visitor: Visitor, file: Path) -> None:
    visitor.page.set_input_files("#file", str(file))
    visitor.page.click("main form button[type=submit]")


def _two_alike(good: Path, folder: Path) -> tuple[Path, Path]:
    """Two files of more than two pieces, of one length and one time, whose starts differ."""
    head, *rows = good.read_text("utf-8").splitlines()
    paths = folder / "one.csv", folder / "other.csv"
    for path, mark in zip(paths, "RQ", strict=True):
        with path.open("w", encoding="utf-8", newline="") as out:
            out.write(head + "\n")
            number = 0
            while out.tell() < 9 << 20:
                for row in rows:
                    number += 1
                    out.write(f"{mark}{number}," + row.partition(",")[2] + "\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    assert paths[0].stat().st_size == paths[1].stat().st_size
    return paths
