"""Objections that land at any moment of a running release: honoured, or the release is held.

    python -m tests.faults.objections_race 500
    python -m tests.faults.objections_race 500 --postgresql

A worker of the service makes one release after the other; an objection of somebody whose
rows would leave is recorded at a moment drawn by chance. The ledger says which of the
two came first.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import polars as pl

from gateway.adapters import jobs
from gateway.adapters.jobs import JobKind
from gateway.adapters.keyring import open_ring
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.link_maps import read_link_map
from gateway.ledger import decode_entry
from gateway.model.keys import KeyKind
from tests.databases import own_server
from tests.faults import soundness
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving

MOVED = "release/register-moved"
PATIENCE = 300
# So many objections leave a borough of this size groups that are large enough to be released.
ROUNDS, PEOPLE = 50, 18_000


def forwarded_people(office: Office, release: str) -> set[str]:
    """Who was forwarded, from the release's own sealed map."""
    ring = open_ring(serving.settings_of(office))
    key = ring.secret(ring.find(KeyKind.LINK_MAP, owner=release).id, KeyKind.LINK_MAP)
    frames = read_link_map(office.data / "link-maps" / f"{release}.map", key=key)
    return set(pl.concat(list(frames))["person"])


def index_of(office: Office, event: str, **facts: str) -> int:
    """Where the ledger has the newest entry of an event with these facts."""
    places = []
    for row in soundness.table(office, LEAVES):
        told = decode_entry(bytes(row["entry"])).facts
        if row["event"] == event and all(told.get(name) == value for name, value in facts.items()):
            places.append(int(row["index"]))
    return max(places)


def object_now(office: Office, person: dict[str, str]) -> int:
    """Record an objection; where the ledger has it."""
    names = {"forename": "forename", "surname": "surname", "dob": "date_of_birth"}
    names |= {"postcode": "postcode", "nhs_number": "nhs_number"}
    lines = "".join(f"{told}: {person[name]}\n" for name, told in names.items())
    office.must("object", "--purpose", borough.STUDY, given=lines)
    return index_of(office, "register-entry-added")


def willing(office: Office, people: Path, release: str) -> list[dict[str, str]]:
    """People whose rows a release forwards, so that an objection makes a difference."""
    there = forwarded_people(office, release)
    rows = borough.rows_of(people / "family_register.csv")
    return [row for row in rows if row["person_id"] in there and row["nhs_number"]]


def released(office: Office, subject: str) -> jobs.Job:
    """One release by the worker, to its end."""
    return serving.finished(office, serving.ask(office, JobKind.SHARE, subject=subject), PATIENCE)


def is_forwarded(done: jobs.Job) -> bool:
    return done.outcome.get("state") == "forwarded"


def interleave(office: Office, people: Path, count: int, *, seed: int) -> Counter[str]:
    """Let `count` objections race with releases; how often each came first, or held it."""
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    with serving.started(office, "worker", "--json") as worker, office.open():
        assert worker.stdout is not None
        assert worker.stdout.readline()
        began = time.monotonic()
        first = released(office, "the first")
        whole = time.monotonic() - began
        newest, objected = first.outcome["release"], []
        # Recording an objection takes a part of a release's time itself.
        window = 0.6 * whole
        for number in range(count):
            # Of those in the newest release: few of them live where somebody objected before.
            person = chance.choice(willing(office, people, newest))
            objected.append(person["person_id"])
            job = serving.ask(office, JobKind.SHARE, subject=f"round {number}")
            time.sleep(chance.uniform(0, window))
            place = object_now(office, person)
            done = serving.finished(office, job, PATIENCE)
            came = judged(office, done, person, place)
            told[came] += 1
            # On a machine with other work the moments are drawn earlier, until some are in time.
            window = 0.6 * window if came == "came after" else min(1.5 * window, 0.6 * whole)
            newest = done.outcome.get("release", newest) if is_forwarded(done) else newest
        last = released(office, "the last")
        if not is_forwarded(last):
            accept(office, last)
            last = released(office, "the very last")
        there = forwarded_people(office, last.outcome["release"])
        assert there.isdisjoint(objected)
    soundness.check_ledger(office)
    soundness.check_outbox(office, office.data / "outbox")
    return told


def accept(office: Office, held: jobs.Job) -> None:
    """Somebody looks at a release that the tripwire held, and lets the next one go."""
    assert held.outcome["refusal"][0]["code"].startswith("tripwire/"), held.outcome
    office.must("accept", held.outcome["release"], "--reason", "Objections only.", "--as", "april")


def judged(office: Office, done: jobs.Job, person: dict[str, str], place: int) -> str:
    """What became of the release; fails if an objection on record was not honoured."""
    state = done.outcome.get("state")
    if state == "held":
        reasons: list[str] = [each["code"] for each in done.outcome["refusal"]]
        if all(reason.startswith("tripwire/") for reason in reasons):
            # Many objections since the last release that left: somebody looks, and goes on.
            accept(office, done)
            return "held by the tripwire"
        assert reasons[0] == MOVED, reasons
        return "held"
    assert state == "forwarded", (done.code, done.outcome)
    release = done.outcome["release"]
    recorded = index_of(office, "release-recorded", release=release)
    there = person["person_id"] in forwarded_people(office, release)
    assert not (place < recorded and there), "an objection on record was ignored"
    if place < recorded:
        return "honoured"
    # The last objection, of the same household, may have come after the release before.
    return "came after" if there else "withheld before"


def main() -> None:
    """Run the full form."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("count", type=int)
    asked.add_argument("--postgresql", action="store_true", help="on a server of its own")
    asked.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = asked.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    told: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(own_server()) if chosen.postgresql else None
        people = borough.borough(home / "people", PEOPLE)
        for start in range(0, chosen.count, ROUNDS):
            office = borough.founded(
                home / f"office-{start}", database_url=server.create() if server else ""
            )
            with office.open():
                borough.permit_study(office)
                for dataset, party in borough.EXTRACTS:
                    borough.receive(office, people / f"{dataset}.csv", dataset, party)
            rounds = min(ROUNDS, chosen.count - start)
            told += interleave(office, people, rounds, seed=chosen.seed + start)
            print(f"{start + rounds}: {dict(told)}", flush=True)
    print(f"{chosen.count} objections; none was ignored: {dict(told)}")


if __name__ == "__main__":
    main()
