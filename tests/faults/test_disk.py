"""A disk that is full or read-only stops the work with code 7, and nothing is lost by it.

Disks of their own are mounted in a namespace of the test's process, which root may
do everywhere and others on most systems. File size limits, which need no right at
all, meet the same code paths everywhere.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import examinations, examinations_data
from tests.faults import kills, soundness
from tests.journeys import borough
from tests.journeys.office import REPOSITORY, Office

NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def may_mount() -> bool:
    probe = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


disks = pytest.mark.skipif(not may_mount(), reason="this system lets nobody mount a disk")


def on_disk(office: Office, what: str, leave: int, *words: str) -> list[dict[str, Any]]:
    """What a command said on a bad disk, and then on a good one."""
    driver = [sys.executable, "-m", "tests.faults.small_disk", what]
    command = [*NAMESPACE, *driver, str(office.home), str(leave), *words]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told: list[dict[str, Any]] = soundness.document(ended.stdout)
    return told


def says_why(answer: dict[str, Any]) -> str:
    """A run that could not go on: code 7, a sentence with a remedy; its stable code."""
    assert answer["code"] == 7, answer
    soundness.without_traceback(answer["err"])
    error = soundness.document(answer["out"])["error"]
    assert error["exit_code"] == 7
    assert error["sentence"].endswith(".")
    assert error["remedy"].endswith(".")
    assert error["sentence"] in answer["err"]
    code: str = error["code"]
    return code


def brought_back(office: Office) -> Office:
    """The data directory as the small disk left it."""
    (office.home / "data").rmdir()
    (office.home / "data-after").rename(office.home / "data")
    return office


@disks
@pytest.mark.parametrize("leave", [0, 40])
def test_a_full_disk_stops_a_receive_and_then_it_goes_on(
    office: Office, people: Path, leave: int
) -> None:
    words = kills.Corrections(people / "family_register.csv", office.home).words()
    first, second = on_disk(office, "data", leave, *words)
    assert says_why(first).startswith("store/")
    assert second["code"] == 0, second
    brought_back(office)
    soundness.check_receipts(office)
    soundness.check_no_orphan_extract(office)
    soundness.check_ledger(office)


@disks
@pytest.mark.parametrize("leave", [0, 240])
def test_a_full_disk_stops_a_release_and_then_it_goes_on(
    office: Office, outbox: Path, leave: int
) -> None:
    words = (*borough.SHARE, "--to", str(outbox), "--json")
    first, second = on_disk(office, "data", leave, *words)
    assert says_why(first).partition("/")[0] in {"store", "keys"}
    assert second["code"] == 0, second
    brought_back(office)
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)
    soundness.check_ledger(office)


@disks
def test_a_full_outbox_holds_nothing_back_but_the_forwarding(office: Office) -> None:
    first, second = on_disk(office, "outbox", 40, *borough.SHARE, "--json")
    assert says_why(first) == "release/not-forwarded"
    assert first["packages"] == [], "half a package lies under its final name"
    assert second["code"] == 0, second
    states = [row["state"] for row in soundness.table(office, soundness.RELEASES)]
    assert states == ["forwarded"], "the same command finishes that release, and makes no other"
    packages = {row["id"]: row["digest"] for row in soundness.table(office, soundness.PACKAGES)}
    lying = {p.stem: soundness.sha256(p) for p in (office.home / "outbox-after").rglob("*.gwp")}
    assert lying == packages
    soundness.check_ledger(office)


@disks
def test_a_data_directory_that_cannot_be_written_is_said(
    office: Office, people: Path, outbox: Path
) -> None:
    words = kills.Corrections(people / "family_register.csv", office.home).words()
    first, second = on_disk(office, "read-only", 0, *words)
    assert says_why(first).startswith("store/")
    assert second["code"] == 0, second
    first, second = on_disk(office, "read-only", 0, *borough.SHARE, "--to", str(outbox), "--json")
    assert says_why(first).startswith("store/")
    assert second["code"] == 0, second
    soundness.check_nothing_half_done(office, outbox)


@pytest.mark.parametrize("blocks", [8, 64])
def test_files_that_may_not_grow_stop_a_release_and_then_it_goes_on(
    office: Office, outbox: Path, blocks: int
) -> None:
    words = (*borough.SHARE, "--to", str(outbox), "--json")
    code = says_why(limited_run(office, blocks, words))
    assert code.partition("/")[0] in {"store", "keys", "release"}
    office.must(*words)
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)
    soundness.check_ledger(office)


def limited_run(office: Office, blocks: int, words: tuple[str, ...]) -> dict[str, Any]:
    """Run a command none of whose files may grow beyond so many KiB."""
    command = [sys.executable, "-m", "gateway", "--data", str(office.data), *words]
    script = f'ulimit -f {blocks}; exec "$@"'
    ended = subprocess.run(
        ["bash", "-c", script, "bash", *command],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "HOME": str(office.home), **office.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    return {"code": ended.returncode, "out": ended.stdout, "err": ended.stderr}


@disks
def test_a_full_disk_is_ill_and_a_small_one_is_looked_at(office: Office) -> None:
    """Whoever watches readiness hears of it before the first partner does."""
    full, roomy = on_disk(office, "data", 1024, "doctor", "--json")
    healths = [
        {each["subject"]: each["health"] for each in soundness.document(told["out"])["found"]}
        for told in (full, roomy)
    ]
    assert [told["disk"] for told in healths] == ["ill", "look"]
    assert (full["code"], roomy["code"]) == (7, 0)
    assert examinations_data.disk in examinations.READINESS
