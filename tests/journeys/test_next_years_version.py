"""Next year's version is signed weeks ahead; each month's release follows the one in force.

Real commands, and the clock of their processes moved on.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from gateway.adapters import ledger_search
from gateway.adapters.database import Database
from gateway.standalone import verify_release
from tests import moved_clock
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, SHARE, STUDY
from tests.journeys.office import Answer, Office
from tests.journeys.test_a_year_later import STUDY_KEY, founded

SIZE = 2_000
UNTIL = 20
SIGN = ("policy", "approve", AGREEMENT, "--as", "april", "--json")


def test_a_release_follows_the_version_of_its_day(tmp_path: Path) -> None:
    people = borough.borough(tmp_path / "people", SIZE)
    office, digest = founded(tmp_path / "office", people)
    first_day = moved_clock.day_after(UNTIL)
    with office.open():
        office.must("policy", "propose", str(ahead(office, first_day)), "--as", "edith")
        signed = office.must(*SIGN).document
    assert signed["policy_digest"] != digest
    before = share(office, UNTIL - 1)
    assert before.document["state"] == "forwarded", before
    assert under(office, before) == digest
    until = str(first_day + dt.timedelta(days=30))
    leave = ("--purpose", STUDY, "--policy", signed["policy_digest"], "--until", until)
    moved_clock.done(office, UNTIL - 1, ("keys", "grant", STUDY_KEY, *leave, "--as", "kit"))
    on_the_day = share(office, UNTIL)
    if on_the_day.document["state"] == "held":
        words = ("accept", on_the_day.document["release"], "--reason", "As agreed.")
        moved_clock.done(office, UNTIL, (*words, "--as", "april"))
        on_the_day = share(office, UNTIL)
    assert on_the_day.document["state"] == "forwarded", on_the_day
    assert under(office, on_the_day) == signed["policy_digest"]
    assert on_the_day.document["release"] != before.document["release"]
    assert begun_in_proof(office, UNTIL, before) == []
    assert begun_in_proof(office, UNTIL, on_the_day) == [signed["policy_digest"]]


def begun_in_proof(office: Office, days: int, told: Answer) -> list[str]:
    """Which versions began by the proof of a release, in which nothing is broken or left out."""
    proof, export, trust = (
        office.home / f"{told.document['release']}.{name}" for name in ("proof", "all", "trust")
    )
    descriptor, *_ = moved_clock.done(
        *(office, days, ("trust", "export"), ("ledger", "checkpoint", "--as", "ada")),
        ("prove", told.document["release"], "--to", str(proof)),
        ("ledger", "export", str(export), "--show-all"),
    )
    trust.write_text(descriptor.out)
    given = (str(proof), "--trust", str(trust), "--ledger", str(export))
    day = str(moved_clock.day_after(days))
    assert verify_release.main([*given, "--on", day]) == 0
    entries = json.loads(proof.read_bytes())["entries"]
    policy = [each["entry"] for each in entries if each["entry"]["event"] == "policy-begun"]
    return [entry["facts"]["document_digest"] for entry in policy]


def ahead(office: Office, first_day: dt.date) -> Path:
    """Version 4: a coarser age, from a day on."""
    path = office.policies / "agreements" / "trafford.toml"
    text = path.read_text("utf-8")
    begun = next(line for line in text.splitlines() if line.startswith("starts = "))
    ended = next(line for line in text.splitlines() if line.startswith("ends = "))
    for old, new in (
        ("\nversion = 3\n", "\nversion = 4\n"),
        (f"\n{begun}\n", f"\nstarts = {first_day}\n"),
        (f"\n{ended}\n", f"\nends = {first_day + dt.timedelta(days=300)}\n"),
        ('"age-band-5", at', '"age-band-10", at'),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    return path


def share(office: Office, days: int) -> Answer:
    words = (*SHARE, "--to", str(office.home / f"outbox-{days}"), "--json")
    return moved_clock.later(office, days, words)[0]


def under(office: Office, told: Answer) -> str:
    """The policy digest that a release was decided under, by the ledger."""
    release = str(told.document["release"])
    database = Database(f"sqlite:///{office.data / 'gateway.sqlite'}")
    with database.read() as connection:
        entries = list(ledger_search.naming(connection, {"release-decided"}, release=release))
    database.close()
    (digest,) = {str(entry.facts["policy_digest"]) for _, entry in entries}
    return digest
