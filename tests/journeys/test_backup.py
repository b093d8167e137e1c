"""A backup holds the data and no key; what is restored shares nothing until it is reconciled."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import borough
from tests.journeys.borough import SHARE, STUDY
from tests.journeys.office import Answer, Office


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = borough.founded(tmp_path_factory.mktemp("backup") / "office")
    people = borough.borough(tmp_path_factory.mktemp("people"), 2_000)
    with made.open():
        made.must("operators", "add", "aude", "--role", "auditor", "--as", "ada")
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


ENTERED = ("reconcile", "--objections-entered", "--revocations-entered")
UNCHECKED = (*ENTERED, "--no-checkpoint", "--reason", "rehearsal", "--as", "aude")


def code_of(answer: Answer) -> str:
    code: str = json.loads(answer.out)["error"]["code"]
    return code


def size_of(outside: Path) -> int:
    """What a checkpoint says of the ledger's size."""
    payload = outside.read_text().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return int(claims["size"])


def told_size(office: Office) -> int:
    """The size of the ledger in the backup that was restored."""
    return int(json.loads((office.data / "restored.json").read_text())["size"])


def last_facts(office: Office, event: str) -> dict[str, Any]:
    """The facts of the newest entry of an event."""
    target = office.home / "export.jsonl"
    target.unlink(missing_ok=True)
    office.must("ledger", "export", str(target), "--show", event)
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    facts: dict[str, Any] = [line["entry"] for line in lines if "entry" in line][-1]["facts"]
    return facts


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
        assert code_of(unsaid) == "restore/not-entered"
        office.must(*UNCHECKED, "--json")
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"
        office.must("ledger", "verify")


def test_an_objection_after_the_backup_keeps_the_hold(office: Office, tmp_path: Path) -> None:
    backup = backed_up(office)
    with office.open():
        office.must("object", "--purpose", STUDY, "--file", str(_objection(tmp_path)))
    lost_and_restored(office, backup)
    with office.open():
        done = office.run(*UNCHECKED, "--json")
        assert code_of(done) == "restore/register-behind"
        assert office.run(*SHARE, "--to", str(office.home / "outbox")).code == 5
        office.must("object", "--purpose", STUDY, "--file", str(_objection(tmp_path)))
        office.must(*UNCHECKED)
        shared = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json")
        assert "register/not-trustworthy" not in shared.out


def _objection(folder: Path) -> Path:
    file = folder / "objection.csv"
    file.write_text("forename,surname,date_of_birth\nIda,Testcase,1990-01-31\n")
    return file


def checkpoint(office: Office, name: str = "outside.jws") -> Path:
    """A checkpoint as the ledger is now, kept outside."""
    outside = office.home / name
    with office.open():
        office.must("ledger", "checkpoint", "--to", str(outside), "--as", "ada")
    return outside


def behind(office: Office) -> Path:
    """A restored directory, and a checkpoint from after its backup."""
    backup = backed_up(office)
    with office.open():
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"
    outside = checkpoint(office)
    lost_and_restored(office, backup)
    return outside


@pytest.mark.parametrize("entered_since", [False, True])
def test_a_checkpoint_kept_outside_shows_what_is_missing(
    office: Office, tmp_path: Path, entered_since: bool
) -> None:
    outside = behind(office)
    with office.open():
        if entered_since:
            for number in range(size_of(outside) - told_size(office)):  # as long as what was lost
                name = f"new-{'abcdefghijklmnopqrstuvwxyz'[number]}"
                office.must("operators", "add", name, "--role", "analyst", "--as", "ada")
        done = office.run(*ENTERED, "--checkpoint", str(outside), "--as", "aude", "--json")
        assert (done.code, code_of(done)) == (5, "restore/ledger-behind")
        told = json.loads(done.out)["error"]
        assert told["facts"]["entries"] == size_of(outside) - told_size(office)
        assert str(told["facts"]["entries"]) in told["sentence"]


def test_an_auditor_alone_accepts_a_loss_and_the_ledger_says_so(office: Office) -> None:
    outside = behind(office)
    accept = (*ENTERED, "--checkpoint", str(outside), "--accept-loss", "--json")
    because = ("--reason", "no-newer-backup")
    with office.open():
        assert code_of(office.run(*accept, *because, "--as", "ada")) == "operators/not-permitted"
        assert code_of(office.run(*accept, "--as", "aude")) == "restore/no-reason"
        missing = size_of(outside) - told_size(office)
        assert office.must(*accept, *because, "--as", "aude").document["accepted"] == [
            "restore-loss-accepted"
        ]
        facts = last_facts(office, "restore-loss-accepted")
        assert (facts["entries"], facts["code"], facts["operator"]) == (
            missing,
            "no-newer-backup",
            "aude",
        )
        assert office.run("ledger", "verify").code == 0
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"


def test_without_a_checkpoint_the_hold_ends_by_an_auditors_word_only(office: Office) -> None:
    lost_and_restored(office, backed_up(office))
    because = ("--no-checkpoint", "--reason", "none-kept")
    with office.open():
        none = office.run(*ENTERED, "--as", "ada", "--json")
        assert (none.code, code_of(none)) == (5, "restore/no-checkpoint")
        assert "--no-checkpoint" in json.loads(none.out)["error"]["remedy"]
        denied = office.run(*ENTERED, *because, "--as", "ada", "--json")
        assert code_of(denied) == "operators/not-permitted"
        bare = office.run(*ENTERED, "--no-checkpoint", "--as", "aude", "--json")
        assert code_of(bare) == "restore/no-reason"
        office.must(*ENTERED, *because, "--as", "aude")
        facts = last_facts(office, "restore-unchecked")
        assert (facts["code"], facts["operator"]) == ("none-kept", "aude")


def test_an_administrator_ends_the_hold_with_the_checkpoint_that_was_kept(office: Office) -> None:
    before = checkpoint(office)
    lost_and_restored(office, backed_up(office))
    words = (*ENTERED, "--checkpoint", str(before), "--json")
    after = checkpoint(office, "after.jws")  # of the restored ledger itself: nothing is lost
    with office.open():
        both = office.run(*words, "--no-checkpoint", "--reason", "none-kept", "--as", "aude")
        assert code_of(both) == "restore/checkpoint-or-none"
        told = office.must(*words, "--checkpoint", str(after), "--as", "ada").document
        assert told["accepted"] == []


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00binary", b"", b"not.a.checkpoint", b"x" * 99_999]
)
def test_a_file_that_is_no_checkpoint_is_refused_clearly(office: Office, content: bytes) -> None:
    lost_and_restored(office, backed_up(office))
    file = office.home / "kept.jws"
    file.write_bytes(content)
    with office.open():
        done = office.run(*ENTERED, "--checkpoint", str(file), "--as", "ada", "--json")
    assert (done.code, code_of(done)) == (6, "restore/checkpoint-form")


def test_a_ledger_that_is_not_the_backups_is_told_apart_from_one_behind(office: Office) -> None:
    before = checkpoint(office)
    lost_and_restored(office, backed_up(office))
    held = office.data / "restored.json"
    held.write_text(json.dumps(json.loads(held.read_text()) | {"root": "00" * 32}))
    with office.open():
        done = office.run(*ENTERED, "--checkpoint", str(before), "--as", "ada", "--json")
    assert (done.code, code_of(done)) == (6, "restore/ledger-differs")


def copy_database(source: Path, target: Path) -> None:
    """As `sqlite3 FILE .backup` and `.restore` do."""
    with (
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def test_a_database_that_was_put_back_by_hand_is_in_hold(office: Office) -> None:
    base, earlier = office.data / "gateway.sqlite", office.home / "earlier.sqlite"
    copy_database(base, earlier)
    with office.open():
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"
    outside = checkpoint(office)
    copy_database(earlier, base)
    with office.open():
        office.must("extracts")  # it looks like any other day
        again = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json")
        assert (again.code, code_of(again)) == (5, "restore/not-reconciled")
        words = (*ENTERED, "--checkpoint", str(outside), "--json")
        lost = office.run(*words, "--as", "aude")
        assert code_of(lost) == "restore/ledger-behind"
        assert json.loads(lost.out)["error"]["facts"]["entries"] > 0
        office.must(*words, "--accept-loss", "--reason", "no-newer-backup", "--as", "aude")
        assert office.ask(*SHARE, "--to", str(office.home / "outbox"))["state"] == "forwarded"


def test_the_doctor_and_the_watch_see_the_hold(office: Office) -> None:
    from gateway.adapters.settings import read_settings
    from gateway.web import create_app
    from gateway.web.api import health

    lost_and_restored(office, backed_up(office))
    ill = office.run("doctor", "--json")
    (found,) = [each for each in ill.document["found"] if each["subject"] == "restore"]
    assert (ill.code, found["health"]) == (7, "ill")
    assert "gateway reconcile" in found["remedy"]
    health._ready.clear()
    answer = create_app(read_settings(office.data)).test_client().get("/readyz")
    told = {"ready": False, "not_well": ["restore"], "uploads": True}
    assert (answer.status_code, answer.get_json()) == (503, told)


def test_the_reasons_of_the_command_are_those_that_are_known() -> None:
    from gateway.adapters import reconciling
    from gateway.cli import backup

    assert backup.REASONS == reconciling.REASONS


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
        office.must(*UNCHECKED)


def test_the_data_may_come_back_before_the_keys(office: Office) -> None:
    keys = office.home / "keys.tar"
    with office.open():
        office.must("backup", "--keys", str(keys))
    shutil.rmtree(office.data)
    told = office.must("restore", str(backed_up_before(office)))
    assert "Restore it next" in told.out
    for words in (("doctor", "--json"), ("reconcile", "--as", "aude", "--json")):
        without = office.run(*words)
        assert without.code == 7
        assert "keys/ring-gone" in without.out
        assert "gateway restore" in without.out
    assert "Restore it next" not in office.must("restore", str(keys)).out
    assert code_of(office.run("restore", str(keys), "--json")) == "restore/keys-there"
    with office.open():
        office.must(*UNCHECKED)


def backed_up_before(office: Office) -> Path:
    return office.home / "backup-before.tar"


@pytest.fixture(autouse=True)
def a_backup_before(office: Office) -> None:
    with office.open():
        office.must("backup", str(office.home / "backup-before.tar"))
