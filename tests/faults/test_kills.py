"""A machine that dies at any moment loses nothing, doubles nothing and leaves nothing half done.

A few kills spread over each run; `python -m tests.faults.kills 200` does many.
Source: security points 15 and 23.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults import kills, soundness
from tests.journeys.office import Office

KILLS = 12


def test_a_receive_may_be_killed_at_any_moment(office: Office, people: Path) -> None:
    assert kills.kill_receives(office, people, KILLS) >= 3
    soundness.check_ledger(office)
    soundness.check_unreadable(office, kills.personal(people))


def test_a_release_may_be_killed_at_any_moment(office: Office, people: Path, outbox: Path) -> None:
    assert kills.kill_shares(office, outbox, KILLS) >= 3
    soundness.check_unreadable(office, kills.personal(people), outbox)


def test_what_a_killed_receive_left_goes_with_the_next_one(office: Office, people: Path) -> None:
    extracts = office.data / "extracts"
    for name in ("extract-dead.age", "extract-dead.rows", "extract-dying.age.part"):
        (extracts / name).write_bytes(b"sealed, and nobody knows of it")
    held = {path.name for path in extracts.iterdir() if "dea" not in path.name}
    words = kills.Corrections(people / "family_register.csv", office.home).words()
    office.must(*words)
    soundness.check_no_orphan_extract(office)
    assert held - {"extract-dying.age.part"} <= {path.name for path in extracts.iterdir()}


def test_what_a_killed_release_left_goes_with_the_next_one(office: Office, outbox: Path) -> None:
    for folder in ("outgoing", "link-maps", "scratch"):
        (office.data / folder).mkdir(exist_ok=True)
        (office.data / folder / "rel-dead.payload.gwp.part").write_bytes(b"sealed")
    office.must("share", *kills.borough.SHARE[1:], "--to", str(outbox))
    soundness.check_nothing_half_done(office, outbox)


def test_a_recorded_release_is_forwarded_by_the_next_run(office: Office, outbox: Path) -> None:
    outbox.mkdir()
    blocked = outbox / kills.borough.RESEARCH
    blocked.write_bytes(b"a file where the folder should be")
    words = (*kills.borough.SHARE, "--to", str(outbox), "--json")
    stopped = office.run(*words)
    assert stopped.code == 7
    assert stopped.document["error"]["code"] == "release/not-forwarded"
    (waiting,) = soundness.table(office, soundness.RELEASES)
    assert waiting["state"] == "recorded"
    blocked.unlink()
    after = office.must(*words).document
    states = {row["id"]: row["state"] for row in soundness.table(office, soundness.RELEASES)}
    assert (after["release"], after["resumed"]) == (waiting["id"], True)
    assert states == {waiting["id"]: "forwarded"}
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)


def test_a_package_that_its_recipient_took_away_is_not_delivered_again(
    office: Office, outbox: Path
) -> None:
    taken = office.ask(*kills.borough.SHARE, "--to", str(outbox))["packages"]
    with soundness.changed(office, soundness.RELEASES) as (connection, releases):
        # As a kill leaves it between the last package and the last step.
        connection.execute(releases.update().values(state="recorded"))
    for package in taken:
        Path(package["path"]).unlink()
    office.must(*kills.borough.SHARE, "--to", str(outbox))
    assert [p["path"] for p in taken if Path(p["path"]).exists()] == []
    told = [facts["package"] for facts in soundness.ledger_facts(office, "package-forwarded")]
    assert len(told) == len(set(told)) == 4


def test_a_lost_package_of_a_recorded_release_is_said_by_name(office: Office, outbox: Path) -> None:
    outbox.mkdir()
    blocked = outbox / kills.borough.RESEARCH
    blocked.write_bytes(b"a file where the folder should be")
    words = (*kills.borough.SHARE, "--to", str(outbox), "--json")
    assert office.run(*words).code == 7
    blocked.unlink()
    for path in (office.data / "outgoing").iterdir():
        path.unlink()
    answer = office.run(*words)
    assert (answer.code, answer.document["error"]["code"]) == (7, "release/package-gone")
