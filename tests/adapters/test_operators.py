"""Operators, the permission table, and the commands around a data directory."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyrage import x25519

from gateway.adapters import founding, ledger_check
from gateway.adapters.database import Database
from gateway.adapters.settings import MARK
from gateway.cli import main
from gateway.errors import RefusedError
from gateway.model.permissions import (
    APART,
    PERMISSIONS,
    Action,
    Operator,
    apart,
    authorise,
    permits,
)
from gateway.model.words import PartyRole
from tests.adapters.keys_process import REPOSITORY, Office, Offices, founded


def holding(*roles: PartyRole) -> Operator:
    return Operator(name="pat", roles=frozenset((role, "") for role in roles), keys=())


def test_every_action_stands_in_the_table_and_names_a_role() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert all(PERMISSIONS.values())


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", list(PartyRole))
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    action: Action, role: PartyRole
) -> None:
    if role in PERMISSIONS[action]:
        authorise(holding(role), action)
    else:
        with pytest.raises(RefusedError, match="operators/not-permitted"):
            authorise(holding(role), action)


@pytest.mark.parametrize("action", list(Action))
def test_a_stranger_may_do_nothing(action: Action) -> None:
    assert not permits(action, [])
    with pytest.raises(RefusedError, match="operators/not-permitted"):
        authorise(holding(), action)


# What people and machines of other organisations may do, and nothing besides: an uploader
# sends and reads its own receipts, a recipient is handed packages and says that it has them.
OUTSIDE = {
    PartyRole.UPLOADER: {
        Action.EXTRACT_UPLOAD,
        Action.RECEIPT_READ,
        Action.FINDINGS_READ,
        Action.JOB_READ,
        Action.PACKAGE_DELIVER,
        Action.OWN_ACCOUNT,
    },
    PartyRole.RECIPIENT: {
        Action.PACKAGE_DELIVER,
        Action.DELIVERY_ACKNOWLEDGE,
        Action.OWN_ACCOUNT,
    },
}


@pytest.mark.parametrize("role", OUTSIDE)
def test_an_uploader_and_a_recipient_may_do_their_own_part_and_nothing_besides(
    role: PartyRole,
) -> None:
    assert {action for action in Action if permits(action, [role])} == OUTSIDE[role]


def test_a_data_protection_officer_reads_what_was_done_and_does_none_of_it() -> None:
    """UK GDPR Art 38(6), 39(1)(b): to monitor, without a task that would conflict with it."""
    may = {action for action in Action if permits(action, [PartyRole.DATA_PROTECTION_OFFICER])}
    assert may == {
        Action.AGREEMENT_READ,
        Action.AUDIT_READ,
        Action.EMERGENCY_READ,
        Action.EMERGENCY_REASON,
        Action.NOTICE_READ,
        Action.OWN_ACCOUNT,
        Action.RELEASE_READ,
        Action.RELEASE_RECORD_READ,
        Action.REVIEW_ADVISE,
    }


def test_editing_approving_releasing_and_granting_are_apart() -> None:
    acts = (Action.POLICY_PROPOSE, Action.POLICY_APPROVE, Action.RELEASE, Action.KEY_GRANT)
    for first in acts:
        for second in acts:
            assert apart(first, second) is (first is not second)
    assert all(len(pair) == 2 for pair in APART)


@pytest.fixture(scope="module")
def office(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return founded(tmp_path_factory.mktemp("office"), offices=offices)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("x", "--role", "editor"), "operators/name-missing"),
        (("ada", "--role", "editor", "--as", "ada"), "operators/exists"),
        (("x", "--role", "approver", "--as", "ada"), "operators/controller-missing"),
        (("X Y", "--role", "editor", "--as", "ada"), "operators/malformed-name"),
        (("x", "--role", "editor", "--as", "nobody"), "operators/unknown"),
    ],
)
def test_an_operator_that_cannot_be_added_is_refused_by_code(
    office: Office, words: tuple[str, ...], code: str
) -> None:
    office.refused(code, 2, "operators", "add", *words)
    assert len(office.must("operators", "list")["operators"]) == 2


def test_only_an_administrator_adds_people(office: Office) -> None:
    words = ("operators", "add", "x", "--role", "editor", "--as", "carol")
    office.refused("operators/not-permitted", 3, *words)


def test_a_revoked_role_ends_with_the_next_act_and_the_last_administrator_stays(
    offices: Offices, tmp_path: Path
) -> None:
    office = founded(tmp_path, offices=offices)
    new = ("keys", "new", "--kind", "register", "--controller", "x", "--as", "carol")
    office.must(*new)
    revoke = ("operators", "revoke")
    office.refused(
        "operators/not-permitted", 3, *revoke, "ada", "--role", "editor", "--as", "carol"
    )
    gone = ("carol", "--role", "custodian", "--as", "ada")
    assert office.must(*revoke, *gone)["roles"] == []
    office.refused("operators/not-permitted", 3, *new)
    office.refused("operators/role-not-held", 2, *revoke, *gone)
    last = ("ada", "--role", "administrator", "--as", "ada")
    office.refused("operators/last-administrator", 3, *revoke, *last)


def test_a_passphrase_is_asked_for_on_a_terminal_and_never_shown(tmp_path: Path) -> None:
    office = founded(tmp_path)
    secret = office.passphrase.read_bytes().strip()
    words = ["--data", str(office.data), "keys", "new", "--kind", "study"]
    words += ["--study", "s", "--epoch", "1", "--as", "carol"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = str(REPOSITORY)
        os.execv(sys.executable, [sys.executable, "-m", "gateway", *words])
    shown = b""
    while b"Passphrase" not in shown:
        shown += os.read(terminal, 1024)
    time.sleep(0.3)
    os.write(terminal, secret + b"\n")
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 1024):
            shown += piece
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"Made study-s-1" in shown
    assert secret not in shown


def test_a_recipient_key_is_usable_after_two_people_and_again_after_a_change(
    tmp_path: Path,
) -> None:
    office = founded(tmp_path)
    public = tmp_path / "r.pub"
    public.write_text(f"{x25519.Identity.generate().to_public()}\n")
    office.must("recipients", "add", "ons-research", public, "--as", "carol")
    confirm = ("recipients", "confirm", "ons-research", "--as")
    assert not office.must(*confirm, "carol")["usable"]
    assert office.must(*confirm, "ada")["usable"]
    public.write_text(f"{x25519.Identity.generate().to_public()}\n")
    office.must("recipients", "add", "ons-research", public)
    assert not office.must("recipients", "list")["recipients"][0]["usable"]
    public.write_text("age1nonsense\n")
    office.refused("recipients/not-a-public-key", 4, "recipients", "add", "x", public)
    office.refused("recipients/unknown", 2, "recipients", "confirm", "nobody", "--as", "ada")


def test_every_command_of_custody_has_help_with_an_example() -> None:
    commands = [
        *(("keys", name) for name in ("list", "new", "offer", "accept", "confirm")),
        *(("keys", name) for name in ("grant", "rotate", "destroy")),
        *(("operators", name) for name in ("add", "revoke", "list")),
        *(("recipients", name) for name in ("add", "confirm", "list")),
        *(("policy", name) for name in ("propose", "approve", "withdraw", "status", "export")),
        ("settings",),
        ("init",),
    ]
    for words in commands:
        done = CliRunner().invoke(main, [*words, "--help"])
        assert done.exit_code == 0, words
        assert "Example: gateway" in done.stdout, words


def test_init_makes_a_private_directory_and_refuses_a_second_time(tmp_path: Path) -> None:
    office = Office(home=tmp_path)
    made = office.spawn("init", "--name", "trafford-council", "--json")
    assert made.code == 0, made.err
    assert made.json["passphrase_made"] is True
    assert made.json["documents"] == len(list((REPOSITORY / "policies").rglob("*.toml")))
    assert stat.S_IMODE(office.data.stat().st_mode) == 0o700
    before = {path: path.read_bytes() for path in (office.data / "keys").iterdir()}
    assert office.spawn("init").code == 2
    assert {path: path.read_bytes() for path in (office.data / "keys").iterdir()} == before


def test_an_init_that_was_killed_anywhere_is_finished_by_repeating_it(tmp_path: Path) -> None:
    for number, delay in enumerate((0.9, 1.3, 1.5, 1.7, 1.9)):
        office = Office(home=tmp_path / str(number))
        office.home.mkdir()
        words = [sys.executable, "-m", "gateway", "--data", str(office.data), "init"]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
        begun = subprocess.Popen(
            words,
            env=environ | office.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        begun.send_signal(signal.SIGKILL)
        begun.wait()
        if not (office.data / MARK).exists():
            assert office.run("init").code == 0
        listed = office.must("keys", "list")
        assert listed["storage_months_left"] == 13
        assert len(listed["keys"]) == 31
        with Database(f"sqlite:///{office.data / 'gateway.sqlite'}").begin() as connection:
            assert ledger_check.verify(connection, keys={}).ok


def test_a_data_directory_that_others_can_enter_is_not_founded(tmp_path: Path) -> None:
    office = Office(home=tmp_path)
    office.data.mkdir()
    (office.data / "something").write_text("x")
    office.data.chmod(0o755)
    office.refused("keys/unsafe-mode", 7, "init")


def test_a_malformed_sender_name_founds_nothing(tmp_path: Path) -> None:
    office = Office(home=tmp_path)
    office.refused("init/malformed-name", 2, "init", "--name", "Trafford Council")
    assert not office.data.exists()


def test_every_module_that_declares_tables_is_made_at_init() -> None:
    adapters = REPOSITORY / "gateway" / "adapters"
    declaring = {
        path.stem
        for path in adapters.glob("*.py")
        if "METADATA," in path.read_text() and path.stem != "database"
    }
    assert declaring == set(founding.TABLES)


def test_an_unknown_setting_stops_every_command_by_name(tmp_path: Path) -> None:
    environ = {"GATEWAY_DATTA": str(tmp_path)}
    done = CliRunner().invoke(main, ["settings", "--json"], env=environ)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["facts"] == {"setting": "GATEWAY_DATTA"}


def test_settings_are_printed_with_source_and_meaning(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--data", str(tmp_path), "settings"])
    assert done.exit_code == 0
    assert "GATEWAY_PASSPHRASE_FILE" in done.stdout


@pytest.fixture(scope="module")
def two_chiefs(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = founded(tmp_path_factory.mktemp("chiefs"), offices=offices)
    office.must("operators", "add", "bea", "--role", "administrator", "--as", "ada")
    return office


@pytest.fixture
def chiefs(offices: Offices, two_chiefs: Office, tmp_path: Path) -> Office:
    return offices.copied(two_chiefs, tmp_path / "chiefs")


def roles_of(office: Office, name: str) -> set[str]:
    people = office.must("operators", "list")["operators"]
    (person,) = [each for each in people if each["operator"] == name]
    return {each["role"] for each in person["roles"]}


def test_the_first_two_administrators_and_their_people_are_added_by_one(chiefs: Office) -> None:
    assert roles_of(chiefs, "bea") == {"administrator"}
    assert roles_of(chiefs, "carol") == {"custodian"}


def test_from_the_second_administrator_on_a_role_takes_two_people(chiefs: Office) -> None:
    add = ("operators", "add", "rosa", "--role", "release-officer", "--as", "ada")
    assert chiefs.must(*add)["state"] == "asked"
    assert roles_of(chiefs, "rosa") == set()
    confirm = ("operators", "confirm", "rosa", "--as")
    chiefs.refused("operators/same-person", 3, *confirm, "ada")
    chiefs.refused("operators/not-permitted", 3, *confirm, "rosa")
    assert chiefs.must(*confirm, "bea")["roles"] == ["release-officer"]
    assert roles_of(chiefs, "rosa") == {"release-officer"}
    chiefs.refused("operators/nothing-asked", 2, *confirm, "carol")


def test_nobody_confirms_their_own_role(chiefs: Office) -> None:
    both = ("--role", "administrator", "--role", "auditor")
    chiefs.must("operators", "add", "olu", *both, "--as", "ada")
    chiefs.must("operators", "confirm", "olu", "--as", "carol")
    assert roles_of(chiefs, "olu") == {"administrator", "auditor"}


def test_an_administrator_who_is_left_alone_does_not_grant_alone_again(chiefs: Office) -> None:
    chiefs.must("operators", "revoke", "bea", "--role", "administrator", "--as", "ada")
    add = ("operators", "add", "rosa", "--role", "release-officer", "--as", "ada")
    assert chiefs.must(*add)["state"] == "asked"
    assert roles_of(chiefs, "rosa") == set()


def test_a_role_that_was_taken_away_is_given_back_by_two_people(chiefs: Office) -> None:
    back = ("operators", "add", "carol", "--role", "custodian", "--as", "ada")
    chiefs.refused("operators/exists", 2, *back)
    chiefs.must("operators", "revoke", "carol", "--role", "custodian", "--as", "ada")
    other = ("operators", "add", "carol", "--role", "auditor", "--as", "ada")
    chiefs.refused("operators/exists", 2, *other)
    both = ("operators", "add", "carol", "--role", "custodian", "--role", "auditor", "--as", "ada")
    chiefs.refused("operators/exists", 2, *both)
    told = chiefs.must(*back)
    assert (told["state"], told["roles"]) == ("asked", ["custodian"])
    assert roles_of(chiefs, "carol") == set()
    chiefs.refused("operators/exists", 2, *back)
    confirm = ("operators", "confirm", "carol", "--as")
    for alone, code in (("ada", "same-person"), ("carol", "not-permitted")):
        chiefs.refused(f"operators/{code}", 3, *confirm, alone)
    chiefs.must(*confirm, "bea")
    assert roles_of(chiefs, "carol") == {"custodian"}
    new = ("keys", "new", "--kind", "register", "--controller", "x", "--as", "carol")
    chiefs.must(*new)
    chiefs.refused("operators/exists", 2, *back)


def test_a_role_given_back_beside_another_waits_as_it_says(chiefs: Office) -> None:
    both = ("--role", "editor", "--role", "auditor")
    chiefs.must("operators", "add", "olu", *both, "--as", "ada")
    chiefs.must("operators", "confirm", "olu", "--as", "bea")
    chiefs.must("operators", "revoke", "olu", "--role", "editor", "--as", "ada")
    told = chiefs.must("operators", "add", "olu", "--role", "editor", "--as", "ada")
    assert told["state"] == "asked"
    assert roles_of(chiefs, "olu") == {"auditor"}
