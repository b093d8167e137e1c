"""Kill the processes of the service at any moment under load; nothing is lost or doubled.

    python -m tests.faults.service_kills 1000
    python -m tests.faults.service_kills 1000 --postgresql
    python -m tests.faults.service_kills 1000 --database-url postgresql://...
    python -m tests.faults.service_kills 1000 --minutes 30

Victims are the web server and its processes, the workers, the judge, the checkers, and now and then
everything at once, as when the power fails. The moments are drawn by chance; a machine on
which a file takes longer is left longer between two of them, or nothing would ever end.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.databases import own_server
from tests.faults.service_load import Load, check
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving
from tests.service.serving import Service
from tests.web import office as offices

LONGEST_WAIT = 3.0
FILES_BETWEEN = 3
ALL_AT_ONCE = 0.08
ROLES = ("gunicorn", "judge_library", "checker_main", " worker")


def victims(leader: int) -> dict[str, list[int]]:
    """Who may be killed, by what they are."""
    found: dict[str, list[int]] = {}
    for process in serving.session(leader):
        words = _command(process)
        if process == leader or not words:
            continue
        role = next((name for name in ROLES if name in words), "web")
        found.setdefault(role, []).append(process)
    return found


def kill_one(service: Service, chance: random.Random) -> str:
    """Kill one process, each kind alike; which kind."""
    there = victims(service.process.pid)
    if not there:
        return ""
    role = chance.choice(sorted(there))
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(there[role]), signal.SIGKILL)
        return role.strip()
    return ""


def kill_all(service: Service) -> None:
    """As when the power fails."""
    for process in (service.process.pid, *serving.session(service.process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    service.process.wait()


@contextlib.contextmanager
def standing(office: Office, port: int) -> Iterator[Service]:
    """The service on a port that stays the same over restarts."""
    more = ("--port", str(port))
    with serving.serving(office, web=2, workers=2, more=more) as service:
        yield service


def progress(told: Counter[str]) -> None:
    """Say now and then how far it is: the full form takes an hour."""
    if told.total() % 50 == 0:
        print(f"{told.total()}: {dict(told)}", flush=True)


def kill_under_load(
    office: Office, people: Path, count: int, *, seed: int, minutes: float = math.inf
) -> Counter[str]:
    """Kill `count` processes under load, or as many as the time is long enough for.

    Returns:
        Who was killed, and what there is at the end.
    """
    over = time.monotonic() + 60 * minutes
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(standing(office, 0))
        port = urlsplit(service.url).port or 0
        load = Load(office, people, service.url)
        longest = max(LONGEST_WAIT, FILES_BETWEEN * load.first())
        with load.running():
            while told.total() < count and time.monotonic() < over and not load.faults:
                # A file or a release that was killed again and again gets its room.
                time.sleep(chance.uniform(0.05, max(longest, load.waiting() / 5)))
                if chance.random() < ALL_AT_ONCE:
                    kill_all(service)
                    service = stack.enter_context(standing(office, port))
                    told["everything"] += 1
                elif killed := kill_one(service, chance):
                    told[killed] += 1
                progress(told)
        load.last()
        assert service.stop() == 0
    return told + check(office, load)


def main() -> None:
    """Run the full form."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("count", type=int)
    asked.add_argument("--database-url", default="")
    asked.add_argument("--postgresql", action="store_true", help="on a server of its own")
    asked.add_argument("--minutes", type=float, default=math.inf, help="at most so long")
    asked.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = asked.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = chosen.database_url
        if chosen.postgresql:
            url = stack.enter_context(own_server()).create()
        people = borough.borough(home / "people", 1500)
        office = offices.built(home / "office", database_url=url)
        told = kill_under_load(
            office, people, chosen.count, seed=chosen.seed, minutes=chosen.minutes
        )
        print(f"everything is in order: {dict(told)}")


def _command(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


if __name__ == "__main__":
    main()
