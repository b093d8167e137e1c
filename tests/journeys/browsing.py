"""A real Chromium before a real `gateway serve`: pages, keyboard, axe, and pictures.

Pictures are taken on each run and kept only where TUTORIAL_IMAGES names a folder, as
`TUTORIAL_IMAGES=docs/tutorial/images python -m pytest tests/journeys -k browser` does.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from gateway.adapters import accounts, second_factors
from tests.journeys.office import REPOSITORY, Office
from tests.service.serving import database_of
from tests.web.office import PASSWORD, factor_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = REPOSITORY / "tests" / "web" / "axe.min.js.gz"
# WCAG 2.2 AA and what it builds on; best practices as well.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTH, HEIGHT = 960, 720
TALLEST = 1500


def need_chromium() -> str:
    """The browser's path; without one the test says what is missing, and fails in CI."""
    if CHROMIUM:
        return CHROMIUM
    missing = "No Chromium here: run `make test-deps`."
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    path = need_chromium()
    started: Playwright
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody before the browser. Whatever asks another site, or breaks the policy, is kept."""

    context: BrowserContext
    page: Page
    url: str
    scripts: bool
    pictures: Path | None = None
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def text(self) -> str:
        return self.page.inner_text("body")

    def heading(self) -> str:
        return self.page.inner_text("h1")

    def sign_in(self, login: str, office: Office) -> None:
        """By password and authenticator, as a person does."""
        _another_time(office, login)
        if not self.page.url.endswith("/sign-in"):
            self.go("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.check("sign-in")
        self.page.click("main button[type=submit]")
        self.check("code")
        code = second_factors.code_at(factor_of(login), dt.datetime.now(dt.UTC))
        self.page.fill("#code", code)
        self.page.click("main button[type=submit]")
        assert f"Signed in as {login}" in self.text(), self.text()[:600]

    def check(self, name: str) -> None:
        """Axe finds nothing on this page, and nothing came from elsewhere."""
        if self.scripts and name not in self.seen:
            self.seen.add(name)
            found = self._axe()
            assert found == [], (name, found)
        assert self.faults == [], self.faults

    def picture(self, name: str, *, whole: bool = True) -> None:
        """Check the page, and keep its picture where a folder is named for them."""
        self.check(name)
        if self.pictures is not None and self.scripts:
            self.page.mouse.move(0, 0)
            height = (
                self.page.evaluate("document.documentElement.scrollHeight") if whole else HEIGHT
            )
            self.page.screenshot(
                path=str(self.pictures / f"{name}.png"),
                full_page=True,
                clip={"x": 0, "y": 0, "width": WIDTH, "height": min(height, TALLEST)},
            )

    def glimpse(self, name: str) -> None:
        """The picture of a page that may change while one looks, so that axe cannot."""
        if self.pictures is not None and self.scripts:
            self.page.screenshot(path=str(self.pictures / f"{name}.png"))

    def _axe(self) -> list[str]:
        self.page.evaluate(gzip.decompress(AXE.read_bytes()).decode("utf-8"))
        told = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES
        )
        return [
            f"{each['id']}: {each['help']}: {node['html'][:160]}"
            for each in told["violations"]
            for node in each["nodes"]
        ]


def _another_time(office: Office, login: str) -> None:
    """Forget the code of an earlier sign-in: a code serves once, and tests are quick."""
    mine = accounts.ACCOUNTS.c.login == login
    with database_of(office) as database, database.begin() as connection:
        connection.execute(accounts.ACCOUNTS.update().where(mine).values(factor_step=0))


@contextlib.contextmanager
def visiting(browser: Any, url: str, *, scripts: bool = True) -> Iterator[Visitor]:
    """A fresh visitor with nothing in the browser's memory."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        java_script_enabled=scripts,
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion="reduce",
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    folder = os.environ.get("TUTORIAL_IMAGES")
    visitor = Visitor(context, page, url, scripts, Path(folder) if folder else None)

    def asked(request: Any) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            visitor.faults.append(f"asked {request.url}")

    def said(message: Any) -> None:
        if "Content Security Policy" in message.text:
            visitor.faults.append(message.text)

    page.on("request", asked)
    page.on("console", said)
    page.on("pageerror", lambda fault: visitor.faults.append(str(fault)))
    try:
        yield visitor
    finally:
        context.close()
