"""A backup holds the data and no key; what is restored shares nothing until it is reconciled."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.journeys import borough
from tests.journeys.borough import SHARE, STUDY
from tests.journeys.office import Office


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = borough.founded(tmp_path_factory.mktemp("backup") / "office")
    people = borough.borough(tmp_path_factory.mktemp("people"), 2_000)
    with made.open():
        borough.permit_study(made)
        for dataset, party in borough.EXTRACTS:
            borough.receive(made, people / f"{dataset}.csv", dataset, party)
    return made


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Office:
    shutil.copytree(template.home, tmp_path / "office")
    return Office(tmp_path / "office", policies=template.policies)


def backed_up(office: Office) -> Path:
    target = office.home / "backup.tar"
    with office.open():
        office.must("backup", str(target))
    return target


def lost_and_restored(office: Office, backup: Path) -> None:
    """The disk with the data is lost; the key ring is kept elsewhere."""
    keys = office.home / "keys.kept"
    shutil.copytree(office.data / "keys", keys)
    shutil.rmtree(office.data)
    office.data.mkdir(mode=0o700)
    shutil.copytree(keys, office.data / "keys")
    with office.open():
        office.must("restore", str(backup))


def test_a_backup_holds_no_key_and_only_its_owner_reads_it(office: Office) -> None:
    target = backed_up(office)
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as tar:
        names = tar.getnames()
    assert "gateway.sqlite" in names
    assert not [name for name in names if name.startswith(("keys", "web"))]
    assert [name for name in names if name.startswith("extracts/")]


def test_what_is_restored_shares_nothing_until_it_is_reconciled(office: Office) -> None:
    lost_and_restored(office, backed_up(office))
    with office.open():
        held = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json")
        assert held.code == 5
        assert json.loads(held.out)["error"]["code"] == "restore/not-reconciled"
        unsaid = office.run("reconcile", "--as", "ada", "--json")
        assert json.loads(unsaid.out)["error"]["code"] == "restore/not-entered"
        office.must(
            "reconcile", "--objections-entered", "--revocations-entered", "--as", "ada", "--json"
        )
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"
        office.must("ledger", "verify")


def test_an_objection_after_the_backup_keeps_the_hold(office: Office, tmp_path: Path) -> None:
    backup = backed_up(office)
    with office.open():
        office.must("object", "--purpose", STUDY, "--file", str(_objection(tmp_path)))
    lost_and_restored(office, backup)
    with office.open():
        done = office.run(
            *("reconcile", "--objections-entered", "--revocations-entered"),
            *("--as", "ada", "--json"),
        )
        assert json.loads(done.out)["error"]["code"] == "restore/register-behind"
        assert office.run(*SHARE, "--to", str(office.home / "outbox")).code == 5


def _objection(folder: Path) -> Path:
    file = folder / "objection.csv"
    file.write_text("forename,surname,date_of_birth\nIda,Testcase,1990-01-31\n")
    return file


def test_a_checkpoint_kept_outside_shows_that_the_backup_is_behind(office: Office) -> None:
    backup = backed_up(office)
    outside = office.home / "outside.jws"
    with office.open():
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"
        told = office.must("ledger", "checkpoint", "--as", "ada", "--json").document
        outside.write_text(told["checkpoint"])
    lost_and_restored(office, backup)
    with office.open():
        done = office.run(
            *("reconcile", "--objections-entered", "--revocations-entered"),
            *("--checkpoint", str(outside), "--as", "ada", "--json"),
        )
    assert done.code == 6
    assert json.loads(done.out)["error"]["code"] == "restore/ledger-behind"


@pytest.mark.parametrize("damage", ["cut", "changed", "strange", "above"])
def test_a_damaged_backup_is_refused(office: Office, damage: str) -> None:
    target = backed_up(office)
    content = bytearray(target.read_bytes())
    if damage == "cut":
        target.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        content[-20_000] ^= 1
        content[len(content) // 2] ^= 1
        target.write_bytes(content)
    else:
        name = {"strange": "strange.txt", "above": "../above.txt"}[damage]
        extra = office.home / "extra"
        extra.write_text("x")
        with tarfile.open(target, "a") as tar:
            tar.add(extra, arcname=name)
    shutil.rmtree(office.data)
    done = office.run("restore", str(target), "--json")
    assert done.code == 6
    assert json.loads(done.out)["error"]["code"] == "restore/not-whole"
    assert not (office.home / "above.txt").exists()


def test_data_that_is_there_is_not_overwritten(office: Office) -> None:
    target = backed_up(office)
    with office.open():
        done = office.run("restore", str(target), "--json")
    assert json.loads(done.out)["error"]["code"] == "restore/data-there"


def test_the_keys_have_a_backup_of_their_own(office: Office) -> None:
    target = office.home / "keys.tar"
    with office.open():
        office.must("backup", "--keys", str(target))
    with tarfile.open(target) as tar:
        assert {name.split("/")[0] for name in tar.getnames()} <= {"backup.json", "keys", "web"}
    shutil.rmtree(office.data)
    office.must("restore", str(target))
    office.must("restore", str(backed_up_before(office)))
    with office.open():
        office.must("reconcile", "--objections-entered", "--revocations-entered", "--as", "ada")


def backed_up_before(office: Office) -> Path:
    return office.home / "backup-before.tar"


@pytest.fixture(autouse=True)
def a_backup_before(office: Office) -> None:
    with office.open():
        office.must("backup", str(office.home / "backup-before.tar"))
