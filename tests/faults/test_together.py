"""Two processes at once: neither loses anything, neither doubles anything, neither fails.

Source: security points 15 and 16.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.adapters.keyring import open_ring
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.link_maps import read_link_map
from gateway.adapters.settings import read_settings
from gateway.ledger import decode_entry
from gateway.model.keys import KeyKind
from tests.faults import kills, soundness
from tests.journeys import borough
from tests.journeys.office import Office

ROUNDS = 10


def ended(running: Sequence[subprocess.Popen[str]]) -> list[Any]:
    """The documents of processes that run side by side, all of which must succeed."""
    told = []
    for process in running:
        with process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        told.append(soundness.document(out))
    return told


def test_the_same_file_sent_twice_at_once_has_one_receipt(office: Office, people: Path) -> None:
    words = kills.Corrections(people / "family_register.csv", office.home).words()
    first, second = ended([office.apart(*words), office.apart(*words)])
    assert first["extract"] == second["extract"]
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)


def test_two_corrections_at_once_follow_each_other(office: Office, people: Path) -> None:
    corrections = kills.Corrections(people / "family_register.csv", office.home)
    before = {row["id"] for row in soundness.table(office, soundness.EXTRACTS)}
    told = ended([office.apart(*corrections.words()) for _ in range(2)])
    assert len({each["extract"] for each in told}) == 2
    rows = {row["id"]: row for row in soundness.table(office, soundness.EXTRACTS)}
    mine = [rows[each["extract"]] for each in told]
    assert sum(row["supersedes"] in before for row in mine) == 1
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)
    soundness.check_ledger(office)


def test_two_releases_at_once_are_made_one_after_the_other(office: Office, outbox: Path) -> None:
    words = (*borough.SHARE, "--to", str(outbox), "--json")
    told = ended([office.apart(*words), office.apart(*words)])
    assert len({each["release"] for each in told}) == 2
    soundness.check_ledger(office)
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)


def test_a_release_reads_one_extract_while_another_takes_its_place(
    office: Office, people: Path, outbox: Path
) -> None:
    corrections = kills.Corrections(people / "family_register.csv", office.home)
    share = office.apart(*borough.SHARE, "--to", str(outbox), "--json")
    told, _ = ended([share, office.apart(*corrections.words())])
    conserved = told["conservation"]
    assert conserved["received"] == conserved["forwarded"] + sum(conserved["withheld"].values())
    soundness.check_receipts(office)
    soundness.check_nothing_half_done(office, outbox)


def forwarded_people(office: Office, release: str) -> set[str]:
    """Who was forwarded, from the release's own sealed map."""
    ring = open_ring(read_settings(office.data))
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
    names = ("forename", "surname", "dob", "postcode", "nhs_number")
    lines = "".join(f"{name}: {person[name]}\n" for name in names)
    office.must("object", "--purpose", borough.STUDY, given=lines.replace("dob:", "date_of_birth:"))
    return index_of(office, "register-entry-added")


@pytest.fixture
def willing(office: Office, people: Path, outbox: Path) -> list[dict[str, str]]:
    """People of whom a release forwards the rows, so that an objection makes a difference."""
    told = office.ask(*borough.SHARE, "--to", str(outbox))
    there = forwarded_people(office, told["release"])
    rows = borough.rows_of(people / "family_register.csv")
    return [row for row in rows if row["person_id"] in there and row["nhs_number"]]


def test_an_objection_during_a_release_is_honoured_or_the_release_is_held(
    office: Office, willing: list[dict[str, str]], outbox: Path
) -> None:
    words = (*borough.SHARE, "--to", str(outbox), "--json")
    whole, ends = kills.timed(office, words), []
    for after, person in zip(kills.moments(ROUNDS, whole), willing, strict=False):
        with office.apart(*words) as share:
            time.sleep(after)
            objected = object_now(office, person)
            out, err = share.communicate(timeout=120)
        soundness.without_traceback(err)
        told = soundness.document(out)
        ends.append(told["state"])
        if told["state"] == "held":
            assert share.returncode == 5
            assert told["refusal"][0]["code"] == "release/register-moved"
            continue
        assert (share.returncode, told["state"]) == (0, "forwarded")
        recorded = index_of(office, "release-recorded", release=told["release"])
        there = person["person_id"] in forwarded_people(office, told["release"])
        assert not (objected < recorded and there), "an objection on record was ignored"
    print("an objection at ten moments of a release:", ends)
    after_all = office.ask(*words[:-1])
    there_still = forwarded_people(office, after_all["release"])
    assert there_still.isdisjoint(person["person_id"] for person in willing[:ROUNDS])
    soundness.check_ledger(office)
    soundness.check_nothing_half_done(office, outbox)
