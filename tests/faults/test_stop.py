"""A service manager's SIGTERM ends a command in order: it clears away what it had begun."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import Pool

from tests.faults import kills, soundness
from tests.journeys import borough
from tests.journeys.office import Office

STOPS, MOST = 3, 12
BEGUN = "SELECT 1 FROM releases WHERE state = 'decided'"


def stopped(office: Office, words: tuple[str, ...], after: float) -> tuple[int, str]:
    """Run a command and ask it to stop; how it ended, and what it said."""
    with office.apart(*words) as running:
        with suppress(subprocess.TimeoutExpired):
            running.wait(after)
        running.terminate()
        out, err = running.communicate(timeout=60)
    soundness.without_traceback(err)
    if running.returncode == 1:
        assert "gateway/stopped" in err
        assert soundness.document(out)["error"]["code"] == "gateway/stopped"
    return running.returncode, out


def stopped_at_work(
    office: Office, words: Callable[[], tuple[str, ...]], look: Callable[[], None]
) -> None:
    """Stop runs at moments drawn by chance, a few, and then until one of them was at work."""
    chance = random.Random()
    whole = kills.timed(office, words())
    earliest, latest, codes = 0.2 * whole, whole, list[int]()
    while len(codes) < STOPS or (1 not in codes and len(codes) < MOST):
        after = chance.uniform(earliest, latest)
        code, _ = stopped(office, words(), after)
        # -15: it had not come as far as to begin; then there is nothing to clear away.
        assert code in {0, 1, -15}
        look()
        codes.append(code)
        if code == 0:
            earliest, latest = min(earliest, after / 2), after
        elif code == -15:
            earliest, latest = after, max(latest, 2 * after)
    assert 1 in codes, codes


def test_a_release_that_is_told_to_stop_withdraws_itself(office: Office, outbox: Path) -> None:
    def look() -> None:
        states = {row["state"] for row in soundness.table(office, soundness.RELEASES)}
        assert states <= {"forwarded", "withdrawn", "recorded"}
        soundness.check_outbox(office, outbox)

    words = (*borough.SHARE, "--to", str(outbox), "--json")
    stopped_at_work(office, lambda: words, look)
    office.must(*words)
    soundness.check_nothing_half_done(office, outbox)


def test_a_release_that_is_told_to_stop_as_it_begins_withdraws_itself(
    office: Office, outbox: Path
) -> None:
    def stop(connection: sqlite3.Connection, _record: object) -> None:
        if not begun and connection.execute(BEGUN).fetchone():
            begun.append(True)
            os.kill(os.getpid(), signal.SIGTERM)

    begun: list[bool] = []
    sa.event.listen(Pool, "checkin", stop)
    try:
        answer = office.run(*borough.SHARE, "--to", str(outbox), "--json")
    finally:
        sa.event.remove(Pool, "checkin", stop)
    assert begun
    assert answer.code == 1
    assert answer.document["error"]["code"] == "gateway/stopped"
    states = [row["state"] for row in soundness.table(office, soundness.RELEASES)]
    assert states == ["withdrawn"]


def test_a_receive_that_is_told_to_stop_leaves_nothing(office: Office, people: Path) -> None:
    corrections = kills.Corrections(people / "family_register.csv", office.home)

    def look() -> None:
        soundness.check_no_orphan_extract(office)
        soundness.check_receipts(office)

    stopped_at_work(office, corrections.words, look)
