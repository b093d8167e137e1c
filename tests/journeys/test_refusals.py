"""Every no that sharing, keys and packages can give: its code, its sentence, its exit code.

Each refusal is met as a person meets it, by a command, and once more with `--json`
for programs. None shows a traceback, and none leaves anything behind.

Source: docs/reference/errors.md; security points 3, 7, 8, 16, 20, 22.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.keyring_grants import GRANTS
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.recipients import CONFIRMATIONS
from gateway.adapters.register_trust import ENTRIES
from tests.faults.soundness import changed
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, SHARE, STUDY
from tests.journeys.office import Answer, Office


@dataclass(frozen=True)
class No:
    """What a refusal said: its exit code, its stable code, and its sentences."""

    exit: int
    code: str
    said: str


def refusal_of(answer: Answer) -> No:
    """The refusal in the document of `--json`, whichever form it has."""
    told = answer.document
    if "error" in told:
        error = told["error"]
        assert error["exit_code"] == answer.code
        assert error["code"] in answer.err
        return No(answer.code, error["code"], f"{error['sentence']} {error['remedy']}".strip())
    reasons = told.get("refusal") or told["findings"]
    first = reasons[0]
    said = first.get("reason") or f"{first['sentence']} {first['remedy']}"
    return No(answer.code, first["code"], said)


def refused(office: Office, *words: str, given: str = "") -> No:
    """Run a command for people and for programs; both must say the same no."""
    before = left_in(office)
    plain = office.run(*words, given=given)
    told = office.run(*words, "--json", given=given)
    no = refusal_of(told)
    for said in (plain.out + plain.err, told.out + told.err):
        assert "Traceback" not in said
        assert "gateway/unexpected" not in said
    assert plain.code == told.code == no.exit != 0
    assert no.code in plain.out + plain.err
    assert no.said.endswith((".", "?")), no.said
    assert left_in(office) == before, "a refusal left something behind"
    return no


def left_in(office: Office) -> list[str]:
    """All files that a release or a receipt could leave."""
    folders = ("outgoing", "link-maps", "scratch", "extracts", "keys", "outbox")
    made = [path for name in folders for path in (office.data / name).rglob("*")]
    made += (office.home / "outbox").rglob("*")
    return sorted(str(path) for path in made if path.is_file())


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 3000)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Iterator[Office]:
    """An office that could share, with one package made; nobody changes it."""
    office = borough.ready(tmp_path_factory.mktemp("base") / "office", people)
    with office.open():
        office.must(*SHARE, "--to", str(office.home / "made"))
        office.must("object", "--purpose", STUDY, given="forename: Anna\nsurname: Testerson\n")
        office.trust()
        yield office


@pytest.fixture
def broken(base: Office, tmp_path: Path) -> Iterator[Office]:
    """A copy to be broken, its ring open."""
    with borough.copied(base, tmp_path / "office").open() as office:
        yield office


@pytest.fixture
def cold(base: Office, tmp_path: Path) -> Office:
    """A copy whose ring every command opens anew."""
    return borough.copied(base, tmp_path / "office")


# What the agreement does not allow, or is not in force for.

DECIDED: Mapping[str, tuple[tuple[str, ...], int, str]] = {
    "an unknown agreement": (
        ("share", STUDY, "--agreement", "trafford-strongerfamilies", "--as", "rosa"),
        2,
        "sharing/unknown-agreement",
    ),
    "a purpose that no agreement has": (
        ("share", "cost-benefit", "--agreement", AGREEMENT, "--as", "rosa"),
        3,
        "sharing/no-agreement",
    ),
    "an agreement that was never approved": (
        ("share", STUDY, "--agreement", "kirklees-stronger-families", "--as", "rosa"),
        3,
        "sharing/not-approved",
    ),
    "a recipient without a key": (
        ("share", "local-research", "--agreement", AGREEMENT, "--as", "rosa"),
        3,
        "recipient/no-key",
    ),
    "tables, which are no release of rows": (
        ("share", "progress-return", "--agreement", AGREEMENT, "--as", "rosa"),
        3,
        "recipient/no-key",
    ),
    "a study whose key was never made": (
        ("share", "national-progress-study", "--agreement", AGREEMENT, "--as", "rosa"),
        7,
        "keys/absent",
    ),
    "an officer whom nobody knows": ((*SHARE[:-1], "nobody"), 2, "operators/unknown"),
    "someone who is no release officer": ((*SHARE[:-1], "kit"), 3, "operators/not-permitted"),
    "a dry run by someone who is no release officer": (
        (*SHARE[:-1], "kit", "--dry-run"),
        3,
        "operators/not-permitted",
    ),
    "an editor who approves": (
        ("policy", "approve", AGREEMENT, "--as", "edith"),
        3,
        "operators/not-permitted",
    ),
    "a dataset that nobody sends": (
        ("receive", __file__, "--dataset", "nothing", "--from", borough.COUNCIL),
        2,
        "intake/unknown-dataset",
    ),
    "a party that may not send it": (
        ("receive", __file__, "--dataset", "family_register", "--from", "dwp"),
        3,
        "intake/not-a-sender",
    ),
    "a release that nobody knows": (("releases", "rel-nothing"), 2, "release/unknown"),
    "an extract that nobody knows": (("extracts", "extract-nothing"), 2, "store/unknown-extract"),
    "a key that nobody made": (
        ("keys", "destroy", "study-nothing-2026-1", "--as", "kit"),
        2,
        "keys/unknown",
    ),
}


@pytest.mark.parametrize("what", DECIDED)
def test_what_is_not_permitted_is_refused(base: Office, what: str) -> None:
    words, exit_code, code = DECIDED[what]
    no = refused(base, *words)
    assert (no.exit, no.code) == (exit_code, code), no


def test_a_refusal_of_a_policy_stands_in_the_ledger(broken: Office) -> None:
    before = broken.ask("ledger", "verify")["size"]
    broken.run("share", "cost-benefit", "--agreement", AGREEMENT, "--as", "rosa")
    after = broken.ask("ledger", "verify")
    assert (after["size"], after["ok"]) == (before + 1, True)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2025-01-01", "sharing/agreement-not-begun"),
        ("2031-01-01", "sharing/agreement-ended"),
    ],
)
def test_an_agreement_out_of_its_time_refuses(base: Office, day: str, code: str) -> None:
    answer = base.run(*SHARE, "--dry-run", "--on", day, "--json")
    assert answer.code == 3
    assert answer.document["state"] == "would-refuse"
    assert code in {reason["code"] for reason in answer.document["refusal"]}


def agreement_with(office: Office, old: str, new: str) -> Path:
    """The agreement's file, with something changed."""
    path = office.policies / "agreements" / "trafford.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


FIELD = 'criteria_met = { treat = "keep", clause = "4.2(c)iii" }'
DOCUMENTS: Mapping[str, tuple[str, str, str, str]] = {
    "a clause is missing": ('clause = "4.2"\n', "", "policy/missing-clause", '"clause"'),
    "a field is unknown": (
        FIELD,
        FIELD.replace("criteria_met", "criteria_mett"),
        "policy/unknown-field",
        'Did you mean "criteria_met"?',
    ),
    "a legal basis is unknown": (
        '"UKGDPR-9-2-j"',
        '"UKGDPR-9-2-jj"',
        "policy/unknown-legal-basis",
        "Did you mean",
    ),
}


@pytest.mark.parametrize("what", DOCUMENTS)
@pytest.mark.parametrize("command", [("policy", "check"), ("policy", "propose")])
def test_a_document_with_a_fault_is_refused(
    broken: Office, what: str, command: tuple[str, ...]
) -> None:
    old, new, code, said = DOCUMENTS[what]
    path = agreement_with(broken, old, new)
    acting = ("--as", "edith") if command[1] == "propose" else ()
    no = refused(broken, *command, str(path), *acting)
    assert (no.exit, no.code) == (3, code)
    assert said in no.said


def test_an_agreement_past_its_review_refuses_after_three_months(broken: Office) -> None:
    path = agreement_with(broken, "review = ", "review = 2026-04-02 # ")
    told = broken.run("policy", "propose", str(path), "--as", "edith", "--json")
    if told.code == 0:
        digest = broken.ask("policy", "approve", AGREEMENT, "--as", "april")["policy_digest"]
        broken.grant("study-nis-2026-1", STUDY, digest)
        no = refused(broken, *SHARE)
        assert (no.exit, no.code) == (3, "sharing/review-overdue")
    else:
        assert refusal_of(told).code.startswith("policy/")


# People who may not act for one another.


def test_an_officer_who_edited_the_agreement_may_not_release(broken: Office) -> None:
    both = ("--role", "release-officer", "--role", "editor")
    broken.must("operators", "add", "olga", *both, "--as", "ada")
    path = agreement_with(broken, "version = 3", "version = 4")
    broken.must("policy", "propose", str(path), "--as", "olga")
    digest = broken.ask("policy", "approve", AGREEMENT, "--as", "april")["policy_digest"]
    broken.grant("study-nis-2026-1", STUDY, digest)
    no = refused(broken, *SHARE[:-1], "olga")
    assert (no.exit, no.code) == (3, "operators/not-apart")


def test_nobody_approves_what_they_proposed(broken: Office) -> None:
    both = ("--role", "approver", "--role", "editor", "--controller", borough.COUNCIL)
    broken.must("operators", "add", "olga", *both, "--as", "ada")
    path = agreement_with(broken, "version = 3", "version = 4")
    broken.must("policy", "propose", str(path), "--as", "olga")
    no = refused(broken, "policy", "approve", AGREEMENT, "--as", "olga")
    assert no.exit == 3
    assert no.code.startswith(("operators/", "policy/"))


def test_a_withdrawn_agreement_refuses_at_once(broken: Office) -> None:
    broken.must("policy", "withdraw", AGREEMENT, "--as", "april")
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (3, "sharing/not-approved")


# Grants, confirmations, keys.


def test_a_key_without_a_grant_is_not_used(broken: Office) -> None:
    with changed(broken, GRANTS) as (connection, grants):
        connection.execute(grants.delete())
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (3, "keys/no-grant")
    assert "gateway keys grant study-nis-2026-1" in no.said


def test_a_grant_that_has_ended_is_none(broken: Office) -> None:
    with changed(broken, GRANTS) as (connection, grants):
        connection.execute(grants.update().values(until="2026-01-01"))
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (3, "keys/no-grant")


def test_a_grant_whose_end_was_moved_in_the_database_is_none(broken: Office) -> None:
    with changed(broken, GRANTS) as (connection, grants):
        connection.execute(grants.update().values(until="2099-01-01"))
    no = refused(broken, *SHARE)
    assert no.exit in {3, 6}
    assert no.code.startswith("keys/")


@pytest.mark.parametrize("left", [1, 0])
def test_a_recipient_s_key_that_two_people_have_not_confirmed_is_not_used(
    broken: Office, left: int
) -> None:
    gone = ["ada", "kit"][left:]
    with changed(broken, CONFIRMATIONS) as (connection, told):
        connection.execute(told.delete().where(told.c.operator.in_(gone)))
    no = refused(broken, *SHARE)
    assert no.exit == 3
    assert no.code.startswith(("recipient/", "recipients/", "sharing/not-approved"))


def test_a_replaced_recipient_key_needs_two_people_again(broken: Office) -> None:
    broken.must("recipient-key", "new", "--to", str(broken.home / "other"))
    public = str(broken.home / "other" / "recipient.pub")
    broken.must("recipients", "add", borough.UNIT, public, "--as", "ada")
    no = refused(broken, *SHARE)
    assert no.exit == 3


def test_a_destroyed_study_key_makes_no_token_again(broken: Office) -> None:
    broken.must("keys", "destroy", "study-nis-2026-1", "--as", "kit")
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) in {(7, "keys/absent"), (3, "keys/destroyed")}
    again = ("--kind", "study", "--study", "nis", "--epoch", "2026-1", "--as", "kit")
    assert refused(broken, "keys", "new", *again).code == "keys/destroyed"


def test_a_destroyed_storage_key_makes_the_extract_unreadable(broken: Office) -> None:
    month = next(row["storage_key"] for row in rows(broken, EXTRACTS))
    broken.must("keys", "destroy", month, "--as", "kit")
    no = refused(broken, *SHARE)
    assert no.exit in {3, 7}
    assert no.code.startswith("keys/")


# Passphrase and key files.


def passphrase(office: Office, content: bytes, mode: int = 0o400) -> None:
    path = office.home / "passphrase"
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


def test_a_wrong_passphrase_opens_nothing(cold: Office) -> None:
    passphrase(cold, b"another-passphrase-altogether\n")
    no = refused(cold, *SHARE)
    assert (no.exit, no.code) == (7, "keys/wrong-passphrase")


def test_an_empty_passphrase_file_is_said(cold: Office) -> None:
    passphrase(cold, b"\n")
    assert refused(cold, *SHARE).code == "keys/empty-passphrase"


@pytest.mark.parametrize("mode", [0o444, 0o440, 0o604, 0o644])
def test_a_passphrase_that_others_read_is_not_used(cold: Office, mode: int) -> None:
    (cold.home / "passphrase").chmod(mode)
    no = refused(cold, *SHARE)
    assert no.exit == 7
    assert "0400" in no.said


def test_a_weak_passphrase_makes_no_ring(tmp_path: Path) -> None:
    office = Office(tmp_path / "new")
    office.home.mkdir(mode=0o700)
    (office.home / "passphrase").write_bytes(b"secret\n")
    (office.home / "passphrase").chmod(0o400)
    no = refusal_of(office.run("init", "--name", "office", "--json"))
    assert (no.exit, no.code) == (7, "keys/weak-passphrase")


@pytest.mark.parametrize("mode", [0o644, 0o440, 0o404])
def test_a_key_file_that_others_read_is_not_used(cold: Office, mode: int) -> None:
    key = next(iter((cold.data / "keys").glob("study-nis*")))
    key.chmod(mode)
    no = refused(cold, *SHARE)
    assert no.exit == 7
    assert no.code.startswith("keys/")


def test_a_key_directory_that_others_read_is_not_used(cold: Office) -> None:
    (cold.data / "keys").chmod(0o755)
    no = refused(cold, *SHARE)
    assert no.exit == 7


def test_a_changed_key_file_is_found(cold: Office) -> None:
    key = next(iter((cold.data / "keys").glob("study-nis*")))
    content = bytearray(key.read_bytes())
    content[-20] ^= 1
    key.chmod(0o600)
    key.write_bytes(content)
    key.chmod(0o400)
    no = refused(cold, *SHARE)
    assert no.exit in {6, 7}
    assert no.code.startswith("keys/")


# What the stores hold.


def rows(office: Office, which: Any) -> list[dict[str, Any]]:
    with changed(office, which) as (connection, table):
        return [dict(row._mapping) for row in connection.execute(table.select())]


def test_a_missing_extract_is_named(broken: Office) -> None:
    with changed(broken, EXTRACTS) as (connection, extracts):
        connection.execute(
            extracts.update()
            .where(extracts.c.dataset == "family_progress")
            .values(state="rejected")
        )
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (7, "sharing/no-extract")
    assert "family_progress" in no.said


def sealed_file(office: Office, dataset: str = "family_register") -> Path:
    name = next(row["sealed_name"] for row in rows(office, EXTRACTS) if row["dataset"] == dataset)
    return office.data / "extracts" / str(name)


def test_a_stored_file_that_is_gone_stops_the_release(broken: Office) -> None:
    sealed_file(broken).unlink()
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (7, "store/extract-gone")


def test_a_replaced_file_that_is_gone_is_to_be_put_back_and_not_to_be_sent_again(
    broken: Office, people: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.csv"
    newer.write_text("".join((people / "family_register.csv").read_text().splitlines(True)[:-1]))
    replaced = sealed_file(broken)
    borough.receive(broken, newer, "family_register", borough.COUNCIL)
    replaced.unlink()
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (7, "store/replaced-extract-gone")
    assert "Put its file back from a backup. Do not take the old file in again" in no.said


def flipped(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0.001, 0.5, 0.999])
def test_a_stored_file_with_one_wrong_byte_stops_the_release(broken: Office, place: float) -> None:
    flipped(sealed_file(broken), place)
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (6, "store/not-as-recorded")


def test_a_stored_file_that_was_exchanged_with_another_stops_the_release(broken: Office) -> None:
    shutil.copy(sealed_file(broken, "family_progress"), sealed_file(broken))
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (6, "store/not-as-recorded")


def test_a_digest_that_was_made_to_fit_in_the_database_stops_the_release(broken: Office) -> None:
    with changed(broken, EXTRACTS) as (connection, extracts):
        connection.execute(extracts.update().values(sealed_digest="0" * 64))
    no = refused(broken, *SHARE)
    assert no.exit == 6


def test_an_edited_ledger_entry_is_found(broken: Office) -> None:
    with changed(broken, LEAVES) as (connection, leaves):
        row = connection.execute(leaves.select().where(leaves.c.event == "release-recorded")).one()
        entry = bytes(row.entry).replace(b'"packages":2', b'"packages":1')
        assert entry != bytes(row.entry)
        connection.execute(leaves.update().where(leaves.c.id == row.id).values(entry=entry))
    answer = broken.run("ledger", "verify", "--json")
    assert answer.code == 6
    assert not answer.document["ok"]
    assert answer.document["faults"]
    no = refused(broken, "ledger", "prove", row.id)
    assert (no.exit, no.code) == (6, "ledger/entry-changed")
    no = refused(broken, "ledger", "checkpoint", "--as", "ada")
    assert (no.exit, no.code) == (6, "ledger/not-whole")
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (6, "ledger/not-whole")


def test_a_ledger_with_an_entry_gone_from_its_middle_stops_every_release(broken: Office) -> None:
    with changed(broken, LEAVES) as (connection, leaves):
        connection.execute(leaves.delete().where(leaves.c.index == 10))
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (6, "ledger/not-whole")


def test_a_removed_objection_stops_every_release(broken: Office) -> None:
    with changed(broken, ENTRIES) as (connection, entries):
        connection.execute(entries.delete())
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (7, "register/not-trustworthy")


def backed_up(database: Path, to: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def test_a_database_of_an_earlier_day_stops_every_release(broken: Office) -> None:
    database, yesterday = broken.data / "gateway.sqlite", broken.home / "yesterday"
    backed_up(database, yesterday)
    broken.must("object", "--purpose", STUDY, given="forename: Otto\nsurname: Testerson\n")
    checkpoint = broken.home / "checkpoint.txt"
    broken.must("operators", "add", "olu", "--role", "auditor", "--as", "ada")
    broken.must("ledger", "checkpoint", "--to", str(checkpoint), "--as", "olu")
    backed_up(yesterday, database)
    no = refused(broken, *SHARE)
    assert (no.exit, no.code) == (5, "restore/not-reconciled")
    assert refused(broken, "reconcile", "--as", "ada").code == "restore/not-entered"
    told = broken.run("ledger", "verify", "--against", str(checkpoint), "--json")
    assert (told.code, told.document["ok"]) == (6, False)


def test_no_data_directory_is_said(tmp_path: Path) -> None:
    office = Office(tmp_path)
    no = refused(office, *SHARE)
    assert (no.exit, no.code) == (7, "store/no-data-directory")
    assert not office.data.exists()


# The recipient's side.


def package(office: Office, recipient: str = borough.RESEARCH) -> Path:
    return next(iter((office.home / "made" / recipient).glob("*.gwp")))


def opening(office: Office, file: Path, to: Path, *, key: str = borough.RESEARCH) -> list[str]:
    trust = str(office.home / "trust.json")
    secret = str(office.home / key / "recipient.key")
    return ["open", str(file), "--key", secret, "--trust", trust, "--to", str(to)]


@pytest.mark.parametrize("place", [0.0005, 0.1, 0.3, 0.5, 0.7, 0.9, 0.9999])
def test_a_package_with_one_wrong_byte_is_not_opened(
    broken: Office, tmp_path: Path, place: float
) -> None:
    flipped(package(broken), place)
    no = refused(broken, *opening(broken, package(broken), tmp_path / "to"))
    assert no.exit == 6
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 0.9999])
def test_a_truncated_package_is_not_opened(broken: Office, tmp_path: Path, share: float) -> None:
    content = package(broken).read_bytes()
    package(broken).write_bytes(content[: int(len(content) * share)])
    no = refused(broken, *opening(broken, package(broken), tmp_path / "to"))
    assert no.exit == 6
    assert not (tmp_path / "to").exists()


def test_a_package_with_something_after_it_is_not_opened(broken: Office, tmp_path: Path) -> None:
    with package(broken).open("ab") as file:
        file.write(bytes(512))
    assert refused(broken, *opening(broken, package(broken), tmp_path / "to")).exit == 6


def test_a_package_for_another_key_is_not_opened(broken: Office, tmp_path: Path) -> None:
    words = opening(broken, package(broken), tmp_path / "to", key=borough.UNIT)
    no = refused(broken, *words)
    assert no.exit == 6
    assert not (tmp_path / "to").exists()


def test_a_package_is_opened_once(broken: Office, tmp_path: Path) -> None:
    broken.must(*opening(broken, package(broken), tmp_path / "first"))
    no = refused(broken, *opening(broken, package(broken), tmp_path / "second"))
    assert no.exit == 6
    assert not (tmp_path / "second").exists()


def test_nothing_is_opened_without_the_sender_s_descriptor(broken: Office, tmp_path: Path) -> None:
    words = opening(broken, package(broken), tmp_path / "to")
    at = words.index("--trust")
    no = refused(broken, *words[:at], *words[at + 2 :])
    assert no.exit == 7
    assert not (tmp_path / "to").exists()


def test_the_sender_s_descriptor_of_somebody_else_opens_nothing(
    broken: Office, tmp_path: Path
) -> None:
    other = Office(tmp_path / "other")
    other.home.mkdir(mode=0o700)
    other.must("init", "--name", "someone-else")
    shutil.copy(other.trust(), broken.home / "trust.json")
    assert refused(broken, *opening(broken, package(broken), tmp_path / "to")).exit == 6


@pytest.mark.parametrize("mode", [0o644, 0o440])
def test_a_recipient_s_key_that_others_read_is_not_used(
    broken: Office, tmp_path: Path, mode: int
) -> None:
    (broken.home / borough.RESEARCH / "recipient.key").chmod(mode)
    assert refused(broken, *opening(broken, package(broken), tmp_path / "to")).exit == 7


# How the command is called: in a process of its own, as a shell calls it.

Called = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def called(base: Office) -> Called:
    def call(
        *words: str, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        office = Office(base.home, base.policies, dict(settings or {}))
        with office.apart(*words) as running:
            out, err = running.communicate(timeout=60)
        assert "Traceback" not in err
        return subprocess.CompletedProcess(words, running.returncode, out, err)

    return call


def test_a_misspelt_setting_is_refused_by_name(called: Called) -> None:
    answer = called("releases", settings={"GATEWAY_DATABSE_URL": "sqlite://"})
    assert answer.returncode == 2
    assert "settings/unknown-name" in answer.stderr
    assert "Did you mean GATEWAY_DATABASE_URL?" in answer.stderr


def test_a_day_is_for_dry_runs_only(called: Called) -> None:
    answer = called(*SHARE, "--on", "2026-12-01")
    assert answer.returncode == 2
    assert "--on is for dry runs only" in answer.stderr
    assert called(*SHARE, "--dry-run", "--on", "soon").returncode == 2


def test_an_unknown_command_is_wrong_usage(called: Called) -> None:
    assert called("shere").returncode == 2
