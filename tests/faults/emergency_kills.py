"""Kill the processes of the service while two people disclose in an emergency, over HTTP.

    python -m tests.faults.emergency_kills 100
    python -m tests.faults.emergency_kills 100 --postgresql

At each of their acts something is killed at a moment drawn by chance: the web server, one of
its processes, a worker, or everything at once, as when the power fails. Whoever heard no
answer looks and, where nothing came of it, does it again, as people do. In the end each
disclosure that was answered for is there once, its package left once, and nothing typed is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gateway.adapters.emergency_records import EMERGENCIES
from tests.databases import own_server
from tests.faults import soundness
from tests.faults.service_kills import kill_all, kill_one, standing
from tests.journeys import urgent
from tests.journeys.office import Office
from tests.service import serving
from tests.service.callers import Person, callers
from tests.service.serving import Service
from tests.web import office as offices
from tests.web.test_emergency import form

LONGEST = 2.5
ALL_AT_ONCE = 0.2
PEOPLE = ("pia", "rosa")
REASON = "It could not wait for the panel."


@dataclass
class Siege:
    """A service under which something dies at each act."""

    office: Office
    chance: random.Random
    service: Service
    stack: contextlib.ExitStack
    headers: dict[str, dict[str, str]]
    killed: Counter[str] = field(default_factory=Counter)

    def person(self, name: str) -> Person:
        return Person(self.service.url, self.headers[name])

    def act(self, name: str, path: str, told: dict[str, str], came: Callable[[], bool]) -> None:
        """Send a form, with a kill around it, until something has come of it.

        Args:
            name: who sends it.
            path: where.
            told: what the form says.
            came: whether something has come of it.
        """
        with self._kill():
            self._send(name, path, told)
        while not came():
            self._send(name, path, told)

    def settled(self, so: Callable[[], bool]) -> None:
        """Wait for what the workers make of it."""
        serving.until(so, bool)

    def _send(self, name: str, path: str, told: dict[str, str]) -> None:
        with contextlib.suppress(httpx.HTTPError):
            answer = self.person(name).post(path, told)
            assert answer.status_code < 500 or answer.status_code == 503, answer.text[:300]

    @contextlib.contextmanager
    def _kill(self) -> Iterator[None]:
        """Something dies while the block runs, or soon after it."""
        clock = threading.Timer(self.chance.uniform(0, LONGEST), self._one_dies)
        clock.start()
        try:
            yield
        finally:
            clock.join()
            if self.service.process.poll() is not None:
                port = urlsplit(self.service.url).port or 0
                self.service = self.stack.enter_context(standing(self.office, port))

    def _one_dies(self) -> None:
        if self.chance.random() < ALL_AT_ONCE:
            kill_all(self.service)
            self.killed["everything"] += 1
        elif killed := kill_one(self.service, self.chance):
            self.killed[killed] += 1


def kill_around(office: Office, people: Path, count: int, *, seed: int) -> Counter[str]:
    """Disclose one person after the other until so many were killed; who was killed."""
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(standing(office, 0))
        headers = callers(office, service)
        siege = Siege(office, random.Random(seed), service, stack, headers)
        number = 0
        while sum(siege.killed.values()) < count:
            _disclosed(siege, people, number)
            number += 1
        assert siege.service.stop() == 0
        told = siege.killed
    check(office, number)
    return told


def _disclosed(siege: Siege, people: Path, number: int) -> None:
    office, before = siege.office, {each["id"] for each in rows(siege.office)}
    told = form(urgent.somebody(people, number % 40))
    siege.act("pia", "/emergency/new", told, lambda: bool(_new(office, before)))
    siege.settled(lambda: all(each["state"] == "found" for each in _new(office, before)))
    # Whoever heard no answer may have asked twice: one goes on, the others are taken back.
    chosen, *others = [each["id"] for each in _new(office, before)]
    for each in others:
        gone = _is(office, each, "declined")
        siege.act("pia", f"/emergency/{each}/decline", {}, gone)
    confirmed = _is(office, chosen, "confirmed", "disclosed")
    siege.act("rosa", f"/emergency/{chosen}/confirm", {}, confirmed)
    siege.settled(_is(office, chosen, "disclosed"))
    for name in PEOPLE:
        filed = _filed(office, chosen, name)
        siege.act(name, f"/emergency/{chosen}/reason", {"reason": REASON}, filed)
    with urgent.tables(office) as connection:
        # As if days lay between them: one person may ask for ten in a day.
        connection.execute(EMERGENCIES.update().values(asked_at=urgent.LONG_AGO))


def check(office: Office, made: int) -> None:
    """Each disclosure once, its package once, the ledger whole, and nothing typed kept."""
    kept = [each for each in rows(office) if each["state"] == "disclosed"]
    ledger = [facts["release"] for facts in soundness.ledger_facts(office, "emergency-disclosed")]
    assert sorted(each["release"] for each in kept) == sorted(ledger)
    assert len(set(ledger)) == len(ledger) == made
    serving.until(lambda: len(_packages(office)), lambda there: there == made, 5)
    assert sorted(_packages(office)) == sorted(f"{release}.disclosure" for release in ledger)
    left = [facts["package"] for facts in soundness.ledger_facts(office, "package-forwarded")]
    assert sorted(left) == sorted(_packages(office))
    filed = soundness.ledger_facts(office, "emergency-reason-filed")
    assert len(filed) == len(PEOPLE) * made
    assert {each["state"] for each in rows(office)} <= {"disclosed", "declined"}
    assert {each["sealed"] for each in rows(office)} == {None}
    soundness.check_ledger(office)


def rows(office: Office) -> list[dict[str, object]]:
    """Every emergency disclosure, as the table has it."""
    with urgent.tables(office) as connection:
        query = EMERGENCIES.select().order_by(EMERGENCIES.c.asked_at)
        return [dict(each) for each in connection.execute(query).mappings()]


def _packages(office: Office) -> list[str]:
    return [path.stem for path in (office.data / "outbox").rglob("*.gwp")]


def _new(office: Office, before: set[object]) -> list[dict[str, object]]:
    over = ("declined", "lapsed", "refused")
    found = [each for each in rows(office) if each["id"] not in before]
    assert not any(each["state"] in ("lapsed", "refused") for each in found), found
    return [each for each in found if each["state"] not in over]


def _is(office: Office, emergency: object, *states: str) -> Callable[[], bool]:
    return lambda: any(each["id"] == emergency and each["state"] in states for each in rows(office))


def _filed(office: Office, emergency: object, name: str) -> Callable[[], bool]:
    def so() -> bool:
        with urgent.tables(office) as connection:
            every = connection.execute(urgent.REASONS.select()).mappings().all()
        mine = [each for each in every if (each["emergency"], each["person"]) == (emergency, name)]
        return any(each["filed_at"] for each in mine)

    return so


def main() -> None:
    """Run the full form."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("count", type=int)
    asked.add_argument("--postgresql", action="store_true", help="on a server of its own")
    asked.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = asked.parse_args()
    print(f"seed {chosen.seed}")
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(own_server()).create() if chosen.postgresql else ""
        told = kill_around(*made(home, url), chosen.count, seed=chosen.seed)
        print(f"{chosen.count} kills; everything is in order: {dict(told)}")


def made(home: Path, url: str) -> tuple[Office, Path]:
    """An office in which two people can disclose, and the people of its register."""
    people = urgent.people_of(home)
    office = offices.built(home / "office", database_url=url)
    urgent.prepare(office, people)
    return office, people


if __name__ == "__main__":
    main()
