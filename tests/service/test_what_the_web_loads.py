"""The web process is driven through every route, reads and posts, and loads no library of tables.

Source: docs/adr/0280; docs/adr/0304; docs/explanation/service.md, "What the web takes".
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.web.route_table import Route, stated
from tests.journeys import urgent
from tests.service import serving
from tests.service.callers import ask, callers
from tests.service.partner import Partner
from tests.service.serving import Service
from tests.web import office as offices
from tests.web.test_emergency import form

TABLES = ("polars", "numpy", "pyarrow", "pandas", "great_expectations")
DATASET = "family_register"
MOST_MIB = 80
# What ends a session, a draft or a second factor comes after what needs it.
LAST = ("drop", "out", "end", "password", "authenticator", "recovery-codes", "withdraw")


@dataclass
class Driver:
    """Everybody who can come in, and what is known by name so far."""

    service: Service
    headers: Mapping[str, Mapping[str, str]]
    typed: Mapping[str, str]
    known: dict[str, str]

    def ask(self, who: str, route: Route) -> httpx.Response:
        """Ask one route as somebody, with what a form of ours would send."""
        path = re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", self._part, route.path)
        headers = dict(self.headers[who])
        content, files = None, None
        if path.endswith("/file") and route.method == "POST":
            page = ask("GET", self.service.url + path, headers=headers).text
            path = re.search(r'action="([^"]*form=[^"]*)"', page)[1] if "form=" in page else path
            files = {"file": ("extract.csv", b"a,b\n1,2\n")}
        if path.startswith("/api/") and route.method != "GET":
            headers |= {"Tus-Resumable": "1.0.0", "Content-Type": "application/json"}
            content = b"{}"
        wanted = {"data": self.typed} if route.method == "POST" and content is None else {}
        return ask(
            route.method,
            self.service.url + path,
            headers=headers,
            content=content,
            files=files,
            **wanted,
        )

    def _part(self, part: re.Match[str]) -> str:
        return self.known.get(part[1], "nothing-there")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A service with an extract of which rows failed, and people who may ask in an emergency."""
    people = urgent.people_of(tmp_path_factory.mktemp("people"))
    office = offices.built(tmp_path_factory.mktemp("web") / "office")
    urgent.prepare(office, people)
    with serving.serving(office) as service:
        told = sent(service, people)
        assert told["state"] == "done", told
        known = {"extract": told["extract"], "dataset": DATASET, "agreement": urgent.AGREEMENT}
        known |= {"number": "1", "form": "odrl"}
        typed = form(urgent.somebody(people), login="pia", password=offices.PASSWORD)
        yield Driver(service, callers(office, service), typed, known)


def sent(service: Service, people: Path) -> Mapping[str, str]:
    """Send the register with some faults, and wait for its findings."""
    lines = (people / f"{DATASET}.csv").read_text().splitlines()
    spoilt = [line.replace("-", "/", 2) if 5 < n < 9 else line for n, line in enumerate(lines)]
    partner = Partner(service.url, offices.MACHINES[offices.COUNCIL][0])
    upload = partner.send("\n".join(spoilt).encode(), DATASET)
    return serving.until(
        lambda: partner.upload(upload), lambda each: each["state"] in ("done", "failed")
    )


def test_every_route_is_answered_without_a_library_of_tables(driver: Driver) -> None:
    begun = driver.ask("edith", route("POST", "/agreements/<agreement>/drafts"))
    assert begun.status_code == 303, begun.text
    driver.known["draft"] = begun.headers["Location"].split("/")[2]
    statuses: dict[str, set[int]] = {}
    for each in sorted(stated(), key=lambda each: each.path.endswith(LAST)):
        for who in driver.headers:
            answer = driver.ask(who, each)
            assert answer.status_code < 500, (who, each.method, each.path, answer.text[:300])
            statuses.setdefault(f"{each.method} {each.path}", set()).add(answer.status_code)
            loaded = {process: tables_in(process) for process in web_processes(driver.service)}
            assert not any(loaded.values()), (who, each.method, each.path, loaded)
    for name in ("rules.json", "file"):
        assert 200 in statuses[f"GET /send/<dataset>/{name}"]
    assert 200 in statuses["GET /sent/<extract>/rows.csv"]
    assert 200 in statuses["GET /api/v1/extracts/<extract>/rows"]
    for name in ("/emergency/new", "/send/<dataset>/file", "/sign-in", "/drafts/<draft>/propose"):
        assert statuses[f"POST {name}"] & {303, 422}, (name, statuses[f"POST {name}"])
    assert 303 in statuses["POST /emergency/new"]


def test_a_process_of_the_web_stays_small_after_every_route(driver: Driver) -> None:
    """What it shares with the process that it was forked from counts by its share."""
    held = [proportional(process) for process in web_processes(driver.service)]
    assert max(held) <= MOST_MIB, held


def test_the_look_finds_the_libraries_where_they_are() -> None:
    """Else the test above would prove nothing: this very process has them."""
    for name in ("polars", "numpy", "pyarrow"):
        importlib.import_module(name)
    assert tables_in(os.getpid()) >= {"polars", "numpy", "pyarrow"}


def proportional(process: int) -> int:
    """The memory of a process in MiB, shared pages by their share (PSS)."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)[1]) >> 10


def route(method: str, path: str) -> Route:
    return next(each for each in stated() if (each.method, each.path) == (method, path))


def web_processes(service: Service) -> list[int]:
    web = service.processes["web"]
    # A child that answers one question is no process of the web.
    return [web, *filter(is_web, serving.children_of(web))]


def is_web(process: int) -> bool:
    try:
        return b"gunicorn" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def tables_in(process: int) -> set[str]:
    """The libraries of tables that a process has loaded (great_expectations loads pandas)."""
    mapped = Path(f"/proc/{process}/maps").read_text()
    return {name for name in TABLES if re.search(f"/_?{name}[^/]*/", mapped)}
