"""Kill `gateway receive` and `gateway share` at any moment; the next run puts all in order.

    python -m tests.faults.kills 200      two hundred kills of each, in a new directory

The moments are spread over the time that a run takes on this machine, each moved by
chance, so that repeated runs meet every step.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.faults import soundness
from tests.journeys import borough
from tests.journeys.office import Office


def moments(count: int, whole: float) -> Iterator[float]:
    """Moments of a run of `whole` seconds, the first part of which only loads programs."""
    chance = random.Random()
    for number in range(count):
        yield whole * (0.2 + 0.8 * (number + chance.random()) / count)


def killed(office: Office, words: tuple[str, ...], after: float) -> tuple[bool, str]:
    """Run a command and kill it; whether it was killed, and what it had printed."""
    with office.apart(*words) as running:
        with suppress(subprocess.TimeoutExpired):
            running.wait(after)
        running.kill()
        out, err = running.communicate()
        soundness.without_traceback(err)
    return running.returncode == -9, out


def timed(office: Office, words: tuple[str, ...]) -> float:
    """How long a whole run takes here."""
    start = time.monotonic()
    with office.apart(*words) as running:
        out, err = running.communicate()
    assert running.returncode == 0, out + err
    return time.monotonic() - start


class Corrections:
    """One extract, again and again corrected, so that each file is a new one."""

    def __init__(self, file: Path, folder: Path) -> None:
        self._lines = file.read_text("utf-8").splitlines(keepends=True)
        self._folder = folder
        self._number = 0

    def words(self) -> tuple[str, ...]:
        """The command that takes in the next correction: one row fewer each time."""
        self._number += 1
        path = self._folder / f"correction-{self._number}.csv"
        path.write_text("".join(self._lines[: -self._number]), "utf-8")
        where = ("--dataset", "family_register", "--from", borough.COUNCIL)
        return ("receive", str(path), *where, "--json")


def kill_receives(office: Office, people: Path, count: int) -> int:
    """Kill `count` receives; how many were still running when they were killed."""
    corrections = Corrections(people / "family_register.csv", office.home)
    whole = timed(office, corrections.words())
    hit = 0
    for after in moments(count, whole):
        words = corrections.words()
        was_killed, out = killed(office, words, after)
        hit += was_killed
        soundness.check_ledger(office)
        soundness.check_receipts(office)
        if out:
            soundness.document(out)  # what was answered is whole, and stands
            told = {row["id"] for row in soundness.table(office, soundness.EXTRACTS)}
            assert soundness.document(out)["extract"] in told
    again = office.ask(*words[:-1])
    assert again["state"] == "accepted"
    assert office.ask(*words[:-1])["extract"] == again["extract"]
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)
    return hit


def kill_shares(office: Office, outbox: Path, count: int) -> int:
    """Kill `count` releases; how many were still running when they were killed."""
    words = (*borough.SHARE, "--to", str(outbox), "--json")
    whole = timed(office, words)
    hit, answered = 0, {row["id"] for row in soundness.table(office, soundness.RELEASES)}
    for after in moments(count, whole):
        was_killed, out = killed(office, words, after)
        hit += was_killed
        soundness.check_ledger(office)
        soundness.check_outbox(office, outbox)
        if out:
            told = {row["id"]: row for row in soundness.table(office, soundness.RELEASES)}
            answered.add(soundness.document(out)["release"])
            assert told[soundness.document(out)["release"]]["state"] == "forwarded"
    last = office.ask(*words[:-1])
    assert last["state"] == "forwarded"
    every = {row["id"]: row["state"] for row in soundness.table(office, soundness.RELEASES)}
    left = {name for name, state in every.items() if state == "forwarded"}
    assert left == answered | {last["release"]}, "a release left that nobody was told of"
    soundness.check_ledger(office)
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)
    return hit


def personal(people: Path) -> list[bytes]:
    """Details that stand in the extracts and must stand nowhere else."""
    rows = borough.rows_of(people / "family_register.csv")
    values = {row[name] for row in rows for name in ("nhs_number", "uprn", "nino") if row[name]}
    return [value.encode() for value in sorted(values)[:400]]


def main(count: int) -> None:
    """Kill `count` receives and `count` releases."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        people = borough.borough(home / "borough", 6000)
        office = borough.ready(home / "office", people)
        jobs: tuple[tuple[str, Callable[[], int]], ...] = (
            ("receive", lambda: kill_receives(office, people, count)),
            ("share", lambda: kill_shares(office, home / "outbox", count)),
        )
        for name, job in jobs:
            with office.open():
                print(f"{name}: {job()} of {count} runs were killed; everything is in order")
        soundness.check_unreadable(office, personal(people), home / "outbox")


if __name__ == "__main__":
    main(int(sys.argv[1]))
