"""A person says no, and from that moment it counts: the promise, as `gateway object` keeps it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import objections
from gateway.adapters import register_store
from gateway.adapters.database import Database
from gateway.adapters.keyring import open_ring
from gateway.adapters.register_store import RegisterMark
from gateway.adapters.settings import read_settings
from gateway.cli import main

STUDY = "national-impact-study"
TRAFFORD = ("--agreement", "trafford-stronger-families")
ANNA = {"forename": "Anna", "surname": "Testerson", "dob": "2001-02-03", "nhs": "9990000018"}

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A data directory as `gateway init` leaves it, made once."""
    home = tmp_path_factory.mktemp("founded")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GATEWAY_PASSPHRASE_FILE", str(home / "passphrase"))
        patched.setenv("GATEWAY_POLICIES", str(repository / "policies"))
        patched.setenv("GATEWAY_KEYS", str(repository / "keys"))
        made = CliRunner().invoke(main, ["--data", str(home / "var"), "init"])
    assert made.exit_code == 0, made.output
    return home


@pytest.fixture
def run(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    shutil.copytree(founded / "var", tmp_path / "var")
    monkeypatch.setenv("GATEWAY_PASSPHRASE_FILE", str(founded / "passphrase"))

    def command(*arguments: str, told: object = None) -> Result:
        text = told if isinstance(told, str) else json.dumps(told or {})
        return CliRunner().invoke(
            main, ["--data", str(tmp_path / "var"), *arguments], input=text, catch_exceptions=False
        )

    return command


def in_force(tmp_path: Path, purpose: str = STUDY) -> list[str]:
    """The kinds of the entries that a release for this purpose would read."""
    settings = read_settings(tmp_path / "var")
    database = Database(settings.database_url)
    with database.begin() as connection:
        register = register_store.open_register(
            connection,
            open_ring(settings),
            purpose,
            "trafford-council",
            mark=RegisterMark(settings.ring / "register.mark"),
        )
    database.close()
    return register.entries["kind"].to_list()


def test_anyone_may_say_no_on_standard_input(run: Run, tmp_path: Path) -> None:
    said = run("object", "--purpose", STUDY, *TRAFFORD, "--json", told=ANNA)
    assert said.exit_code == 0, said.output
    receipt = json.loads(said.stdout)
    assert receipt["kind"] == "objection"
    assert receipt["controllers"] == ["trafford-council"]
    assert receipt["effects"] == {f"{TRAFFORD[1]}: {STUDY}": "objection"}
    assert in_force(tmp_path) == ["objection"]
    assert in_force(tmp_path, "local-research") == []


def test_the_answer_for_people_says_what_it_does_and_names_nobody(run: Run) -> None:
    said = run("object", "--purpose", STUDY, told="surname: Testerson\nforename: Anna\n")
    assert "receipt reg-" in said.stdout
    assert "while the objection is considered" in said.stdout
    assert "Testerson" not in said.output


def test_a_no_to_all_purposes_counts_for_each(run: Run, tmp_path: Path) -> None:
    assert run("object", "--purpose", "*", *TRAFFORD, told=ANNA).exit_code == 0
    assert in_force(tmp_path) == ["objection"]
    assert in_force(tmp_path, "local-research") == ["objection"]


def test_many_may_be_recorded_from_a_file(run: Run, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("forename,surname,dob\nAnna,Testerson,2001-02-03\nBen,Quill,\n")
    asked = ("object", "--purpose", STUDY, *TRAFFORD, "--kind", "opt-out", "--file", str(listed))
    said = run(*asked, "--authority", "partner-extract", "--json")
    assert json.loads(said.stdout)["people"] == 2
    assert in_force(tmp_path) == ["opt-out", "opt-out"]


def test_malformed_details_are_refused_with_every_finding_and_no_value(
    run: Run, tmp_path: Path
) -> None:
    said = run("object", "--purpose", STUDY, told=ANNA | {"nhs": "9990000019", "dob": "Secretday"})
    assert said.exit_code == 4
    assert "nhs_number" in said.stderr
    assert "date_of_birth" in said.stderr
    assert "9990000019" not in said.output
    assert "Secretday" not in said.output
    assert in_force(tmp_path) == []


def test_a_purpose_that_no_agreement_has_is_wrong_usage(run: Run) -> None:
    assert run("object", "--purpose", "no-such", told=ANNA).exit_code == 2


def test_loosening_needs_a_rights_officer_an_authority_and_one_person(
    run: Run, tmp_path: Path
) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    run("operators", "add", "rolf", "--role", "release-officer")
    run("object", "--purpose", STUDY, *TRAFFORD, told=ANNA)
    withdraw = ("object", "--purpose", STUDY, *TRAFFORD, "--withdraw")
    assert run(*withdraw, told=ANNA).exit_code == 3
    assert run(*withdraw, "--as", "rolf", told=ANNA).exit_code == 3
    by_extract = (*withdraw, "--as", "rita", "--authority", "partner-extract")
    assert run(*by_extract, told=ANNA).exit_code == 3
    listed = tmp_path / "list.csv"
    listed.write_text("surname\nTesterson\nQuill\n")
    assert run(*withdraw, "--as", "rita", "--file", str(listed)).exit_code == 3
    other = ANNA | {"nhs": "9990000026", "forename": "Zoe", "dob": "1950-01-01"}
    assert run(*withdraw, "--as", "rita", told=other).exit_code == 5
    assert in_force(tmp_path) == ["objection"]
    lifted = run(*withdraw, "--as", "rita", "--json", told=ANNA)
    assert json.loads(lifted.stdout)["lifted"] == 1
    assert in_force(tmp_path) == []


def test_withdrawing_for_one_purpose_leaves_a_no_to_all_purposes(run: Run, tmp_path: Path) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    run("object", "--purpose", "*", *TRAFFORD, told=ANNA)
    asked = ("object", "--purpose", STUDY, *TRAFFORD, "--withdraw", "--as", "rita")
    assert run(*asked, told=ANNA).exit_code == 5
    assert in_force(tmp_path) == ["objection"]


def test_consent_is_recorded_by_a_rights_officer_and_withdrawn_by_anyone(
    run: Run, tmp_path: Path
) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    consent = ("object", "--purpose", STUDY, *TRAFFORD, "--kind", "consent")
    assert run(*consent, told=ANNA).exit_code == 3
    assert run(*consent, "--as", "rita", told=ANNA).exit_code == 0
    assert run(*consent, "--withdraw", told=ANNA).exit_code == 0
    assert in_force(tmp_path) == ["consent", "consent-withdrawn"]
    again = run(*consent, "--as", "rita", told=ANNA)
    assert "1 earlier entries no longer count" in again.stdout
    assert in_force(tmp_path) == ["consent", "consent"]


def test_the_register_is_marked_beside_the_key_ring(run: Run, tmp_path: Path) -> None:
    run("object", "--purpose", STUDY, *TRAFFORD, told=ANNA)
    number, chain = (tmp_path / "var" / "keys" / "register.mark").read_text().split()
    assert number == "1"
    assert len(chain) == 64
    assert run("keys", "list").exit_code == 0


def test_the_kinds_and_authorities_of_the_command_are_those_of_the_register() -> None:
    from gateway.cli.object_to import AUTHORITIES, KINDS

    assert set(KINDS) == {kind.value for kind in objections.WITHDRAWAL}
    assert set(AUTHORITIES) == {authority.value for authority in objections.Authority}
