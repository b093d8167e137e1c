"""Kill processes of sender and recipient while packages are dispatched and acknowledged.

    python -m tests.faults.delivery_kills 300
    python -m tests.faults.delivery_kills 300 --postgresql

Two whole services, one of which pushes to the other's inbox. Victims are web servers,
workers and judges of both, and now and then all of one side at once. At the end each
package of each release that was asked for has arrived once and has one receipt.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gateway.adapters.jobs import JobKind
from tests.databases import own_server
from tests.delivery import pair as pairs
from tests.delivery.pair import Pair
from tests.delivery.test_two_gateways import each_package_arrived_once
from tests.faults.service_kills import ALL_AT_ONCE, kill_all, kill_one, progress
from tests.journeys import borough
from tests.service import serving

LONGEST_WAIT = 2.0
PATIENCE = 300


class Officer(threading.Thread):
    """Somebody who asks for one release after the other."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.made: list[str] = []
        self.fault: Exception | None = None
        self._pair, self._ended = pair, threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self._ask()
        except Exception as fault:  # noqa: BLE001 - raised by whoever waits
            self.fault = fault

    def _ask(self) -> None:
        office = self._pair.sender
        job = serving.ask(office, JobKind.SHARE, subject=f"release {len(self.made)}")
        done = serving.finished(office, job, PATIENCE)
        assert done.outcome["release"], done
        self.made.append(done.outcome["release"])

    def end(self) -> None:
        self._ended.set()
        self.join()
        if self.fault is not None:
            raise self.fault


@contextlib.contextmanager
def asking(pair: Pair) -> Iterator[Officer]:
    """Releases within the block, the last of them whole at its end."""
    officer = Officer(pair)
    officer.start()
    try:
        yield officer
    finally:
        officer.end()


def kill_deliveries(pair: Pair, count: int, *, seed: int) -> Counter[str]:
    """Kill `count` processes of both sides; who was killed, and what arrived."""
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    starts = {"sender": pair.sending, "recipient": pair.receiving}
    with contextlib.ExitStack() as stack:
        running = {side: stack.enter_context(start()) for side, start in starts.items()}
        with asking(pair) as officer:
            while told.total() < count and officer.fault is None:
                time.sleep(chance.uniform(0.05, LONGEST_WAIT))
                side = chance.choice(sorted(running))
                if chance.random() < ALL_AT_ONCE:
                    kill_all(running[side])
                    running[side] = stack.enter_context(starts[side]())
                    told[f"{side}: everything"] += 1
                elif killed := kill_one(running[side], chance):
                    told[f"{side}: {killed}"] += 1
                progress(told)
        serving.until(lambda: _hurried(pair), bool, PATIENCE)
    each_package_arrived_once(pair)
    for release in officer.made:
        assert pair.sender.ask("releases", release)["state"] == "acknowledged"
    return told + Counter(releases=len(officer.made), packages=len(pair.arrived()))


def _hurried(pair: Pair) -> bool:
    """Whether all has arrived; what waits for its next try is tried at once."""
    if pair.everything_arrived():
        return True
    for each in pair.deliveries():
        pair.sender.run("deliveries", "retry", each.package, "--as", "rosa")
    time.sleep(2)
    return pair.everything_arrived()


def pushing(home: Path, people: Path, databases: tuple[str, str] = ("", "")) -> Pair:
    """Two gateways, the first of which pushes to the other's inbox."""
    port = pairs.free_port()
    target = {"address": f"http://{pairs.HOST}:{port}", "client": pairs.CLIENT}
    return pairs.made(
        home, people, channel="https", delivery=target, port=port, databases=databases
    )


def main() -> None:
    """Run the full form."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("count", type=int)
    asked.add_argument("--postgresql", action="store_true", help="both on a server of its own")
    asked.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = asked.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = ("", "")
        if chosen.postgresql:
            server = stack.enter_context(own_server())
            databases = (server.create(), server.create())
        people = borough.borough(home / "people", 1500)
        told = kill_deliveries(pushing(home, people, databases), chosen.count, seed=chosen.seed)
        print(f"{chosen.count} kills; each package arrived once: {dict(told)}")


if __name__ == "__main__":
    main()
