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
    service: Service, browser: Any, people: Path, scripts: bool, tmp_path: Path
) -> None:
    good = _of_its_own(people, tmp_path, 1 + scripts)
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
        visitor.picture("partner-why")
        page.click("text=Send a file")
        visitor.picture("partner-upload")
        before = _checked_before_sending(visitor, people / "police_bad.csv") if scripts else []
        _send(visitor, people / "police_bad.csv")
        assert visitor.heading() == "Your file was not accepted"
        told = visitor.text()
        assert before == (_table(visitor, "main table") if scripts else [])
        assert "Not a real date" in told
        assert "officer_notes" not in told  # a column that no contract knows is named by place
        visitor.picture("partner-findings")
        with page.expect_download() as downloading:
            page.click("text=Download the list of rows")
        listed = Path(downloading.value.path()).read_text("utf-8").splitlines()
        assert listed[0] == "row,column,rule"
        assert listed[1].startswith("1,dob,")
        page.click("text=Send the corrected file")
        _send(visitor, good)
        assert visitor.heading() == "File accepted"
        visitor.picture("partner-receipt")
        with page.expect_download() as downloading:
            page.click("text=Download the signed receipt")
        receipt = Path(downloading.value.path()).read_text("utf-8")
        assert receipt.count(".") == 2
        page.click("nav >> text=What you sent")
        assert visitor.text().count("Rejected") >= 1
        visitor.picture("partner-history")


def _of_its_own(people: Path, folder: Path, turn: int) -> Path:
    """The good file with its rows begun elsewhere: what others sent since does not replace it."""
    names, *rows = (people / "police_incidents.csv").read_bytes().splitlines(keepends=True)
    file = folder / "police_incidents.csv"
    file.write_bytes(b"".join((names, *rows[turn:], *rows[:turn])))
    return file


def _checked_before_sending(visitor: Visitor, file: Path) -> list[list[str]]:
    """Choose a bad file and read what is wrong with it while nothing of it has left."""
    visitor.page.set_input_files("#file", str(file))
    visitor.page.wait_for_selector("h2:has-text('The file would not be accepted')")
    assert "Nothing has been sent." in visitor.text()
    visitor.picture("partner-check")
    return _table(visitor, "[data-check=found] table")


def _table(visitor: Visitor, table: str) -> list[list[str]]:
    rows = visitor.page.query_selector_all(f"{table} tbody tr")
    return [[cell.inner_text() for cell in row.query_selector_all("td")] for row in rows]


def _send(visitor: Visitor, file: Path) -> None:
    """Choose a file, send it, and wait for its check."""
    visitor.page.set_input_files("#file", str(file))
    visitor.page.click("main form button[type=submit]")
    visitor.page.wait_for_url("**/sent/extract-*", timeout=60_000)


def test_a_bad_file_is_found_and_another_chosen_before_anything_leaves(
    service: Service, browser: Any, people: Path, tmp_path: Path
) -> None:
    good = _of_its_own(people, tmp_path, 3)
    with visiting(browser, service.url) as visitor:
        page = visitor.page
        visitor.sign_in("police-desk", service.office)
        visitor.go("/send/police_incidents/file")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        page.set_input_files("#file", str(people / "police_bad.csv"))
        page.wait_for_selector("h2:has-text('The file would not be accepted')")
        assert "Not a real date" in visitor.text()
        assert "officer_notes" not in visitor.text()
        assert page.inner_text("[role=status][data-check-heard]").startswith("The file would not")
        with page.expect_file_chooser() as choosing:
            page.click("text=Choose another file")
        choosing.value.set_files(str(good))
        page.wait_for_selector("text=found nothing wrong with this file")
        visitor.picture("partner-check-clean")
        assert [each for each in asked if not each.startswith("GET ")] == []
        assert page.evaluate(_KEPT) == [0, 0, 0]
        page.click("button:has-text('Send the file')")
        page.wait_for_url("**/sent/extract-*", timeout=60_000)
        assert visitor.heading() == "File accepted"


_KEPT = """async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length]"""


def test_a_spreadsheet_is_said_to_be_checked_after_it_is_sent(
    service: Service, browser: Any, tmp_path: Path
) -> None:
    book = tmp_path / "extract.xlsx"
    book.write_bytes(b"PK\x03\x04" + bytes(range(200)))
    with visiting(browser, service.url) as visitor:
        visitor.sign_in("police-desk", service.office)
        visitor.go("/send/police_incidents/file")
        visitor.page.set_input_files("#file", str(book))
        visitor.page.wait_for_selector("text=A browser can check plain CSV files only.")
        assert "It is checked after you send it" in visitor.text()
        assert visitor.page.is_enabled("button:has-text('Send the file')")
        visitor.check("partner-check-declined")


def test_the_file_can_be_sent_where_the_check_in_the_browser_fails(
    service: Service, browser: Any, people: Path
) -> None:
    with visiting(browser, service.url) as visitor:
        visitor.sign_in("police-desk", service.office)
        visitor.page.route("**/rules.json", lambda route: route.abort("failed"))
        visitor.go("/send/police_incidents/file")
        visitor.page.set_input_files("#file", str(people / "police_incidents.csv"))
        visitor.page.wait_for_selector("text=The check in your browser did not work.")
        visitor.page.click("button:has-text('Send the file')")
        visitor.page.wait_for_url("**/sent/extract-*", timeout=60_000)


def test_a_lost_connection_loses_nothing_that_arrived(
    service: Service, browser: Any, people: Path, tmp_path: Path
) -> None:
    large = _large(people / "police_incidents.csv", tmp_path / "large.csv")
    begun: list[int] = []
    with visiting(browser, service.url) as visitor:
        page = visitor.page
        visitor.sign_in("police-desk", service.office)
        visitor.go("/send/police_incidents/file")

        def cut(route: Any) -> None:
            offset = int(route.request.headers.get("upload-offset", -1))
            if offset > 0:
                route.abort("connectionreset")
                return
            if offset == 0:
                begun.append(offset)
            route.continue_()

        page.route("**/api/v1/uploads/*", cut)
        page.set_input_files("#file", str(large))
        page.click("main form button[type=submit]")
        page.wait_for_selector("text=The connection was lost", timeout=30_000)
        visitor.picture("partner-lost")
        page.unroute_all()
        # The page is closed and opened again; the same file goes on where it stopped.
        page.on("request", lambda asked: begun.append(_offset(asked)))
        visitor.go("/send/police_incidents/file")
        _send(visitor, large)
        sent = [each for each in begun if each >= 0]
        assert sent[0] == 0
        assert sent[1] > 0
        assert sent.count(0) == 1


def test_the_keyboard_alone_suffices(service: Service, browser: Any, people: Path) -> None:
    with visiting(browser, service.url) as visitor:
        page, keyboard = visitor.page, visitor.page.keyboard
        visitor.sign_in("police-desk", service.office)
        visitor.go("/")
        keyboard.press("Tab")
        assert _focused(visitor) == "Skip to main content"
        _tab_to(visitor, "Send data")
        keyboard.press("Enter")
        page.wait_for_url("**/send")
        _tab_to(visitor, "Send a file: Police incidents")
        keyboard.press("Enter")
        page.wait_for_url("**/file")
        keyboard.press("Tab")
        keyboard.press("Enter")  # the skip link
        _tab_to(visitor, "What you may send and why")
        keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "file"
        _chooser_by_space(page).set_files(str(people / "police_bad.csv"))
        page.wait_for_selector("text=Send anyway")
        _tab_to(visitor, "Choose another file")
        _tab_to(visitor, "Send anyway")
        keyboard.press("Enter")
        page.wait_for_url("**/sent/extract-*", timeout=60_000)
        _tab_to(visitor, "Download the list of rows (CSV)")
        _tab_to(visitor, "Sign out", backwards=True)
        keyboard.press("Enter")
        page.wait_for_selector("text=Signed in as", state="detached")


def _chooser_by_space(page: Any) -> Any:
    """The window in which a file is chosen; a busy browser may miss a key, so press it again."""
    chosen: list[Any] = []

    def opened(chooser: Any) -> None:
        chosen.append(chooser)

    page.on("filechooser", opened)
    for _ in range(6):
        page.keyboard.press("Space")
        page.wait_for_timeout(500)
        if chosen:
            return chosen[0]
        page.wait_for_timeout(4_000)
    pytest.fail("the space bar does not open the choice of a file")


def _focused(visitor: Visitor) -> str:
    told: str = visitor.page.evaluate("document.activeElement.textContent.trim()")
    return " ".join(told.split())


def _tab_to(visitor: Visitor, text: str, *, backwards: bool = False) -> None:
    """Go on with Tab until the focus is there; it shows where it is all the way."""
    seen = []
    for _ in range(60):
        visitor.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        seen.append(_focused(visitor))
        if seen[-1] == text:
            assert visitor.page.evaluate(_SHOWS_FOCUS), text
            return
    raise AssertionError(f"{text!r} is not reached by keyboard: {seen}")


_SHOWS_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== 'none' || style.boxShadow !== 'none'
    || style.backgroundColor === 'rgb(255, 221, 0)';
}"""


def _offset(request: Any) -> int:
    return int(request.headers.get("upload-offset", -1)) if request.method == "PATCH" else -1


def _large(good: Path, large: Path) -> Path:
    """The same rows again and again under fresh row ids: more than two pieces of an upload."""
    head, *rows = good.read_text("utf-8").splitlines()
    with large.open("w", encoding="utf-8", newline="") as out:
        out.write(head + "\n")
        number = 0
        while out.tell() < 9 << 20:
            for row in rows:
                number += 1
                out.write(f"R{number}," + row.partition(",")[2] + "\n")
    return large
