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
from gateway.adapters.register_trust import ENTRIES
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


def test_a_name_alone_that_could_mean_anybody_is_not_promised_to_be_kept(
    run: Run, tmp_path: Path
) -> None:
    for told in ("forename: Анна\nsurname: Иванов\n", "surname: Test\n"):
        said = run("object", "--purpose", STUDY, *TRAFFORD, told=told)
        assert said.exit_code == 4
        assert "objections/details" in said.stderr
        assert "date of birth" in said.stderr
        assert "Иванов" not in said.output
    assert in_force(tmp_path) == []
    dated = "forename: Анна\nsurname: Иванов\ndate_of_birth: 2001-02-03\n"
    assert run("object", "--purpose", STUDY, *TRAFFORD, told=dated).exit_code == 0
    assert in_force(tmp_path) == ["objection"]


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


def receipt_of(run: Run, *words: str, told: object = ANNA) -> str:
    said = run("object", "--purpose", STUDY, *TRAFFORD, *words, "--json", told=told)
    assert said.exit_code == 0, said.output
    receipt: str = json.loads(said.stdout)["receipt"]
    return receipt


def the_register(run: Run) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(run("objections", "--json").stdout)["entries"]
    return listed


def test_what_was_said_is_listed_by_receipt_with_the_day_an_answer_is_owed(run: Run) -> None:
    receipt = receipt_of(run)
    (entry,) = the_register(run)
    assert (entry["receipt"], entry["state"], entry["people"]) == (receipt, "unanswered", 1)
    assert str(entry["answer_by"]) > str(entry["received"])
    assert "Testerson" not in run("objections").output


def test_an_answer_not_to_uphold_ends_an_objection_and_another_brings_it_back(
    run: Run, tmp_path: Path
) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    receipt = receipt_of(run)
    answer = ("objections", "answer", receipt, "--as", "rita", "--state")
    assert run(*answer, "considered").exit_code == 0
    assert in_force(tmp_path) == ["objection"]
    assert run(*answer, "not-upheld").exit_code == 0
    assert in_force(tmp_path) == []
    assert the_register(run)[0]["state"] == "not-upheld"
    assert the_register(run)[0]["answer_by"] == ""
    assert run(*answer, "upheld").exit_code == 0
    assert in_force(tmp_path) == ["objection"]


def test_only_a_rights_officer_answers_that_an_objection_is_not_upheld(
    run: Run, tmp_path: Path
) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    run("operators", "add", "rolf", "--role", "release-officer")
    answer = ("objections", "answer", receipt_of(run), "--state")
    assert run(*answer, "not-upheld", "--as", "rolf").exit_code == 3
    assert run(*answer, "considered", "--as", "rolf").exit_code == 0
    assert in_force(tmp_path) == ["objection"]


def test_an_opt_out_is_not_weighed(run: Run, tmp_path: Path) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    answer = ("objections", "answer", receipt_of(run, "--kind", "opt-out"), "--as", "rita")
    no = run(*answer, "--state", "not-upheld")
    assert (no.exit_code, "objections/not-weighed" in no.stderr) == (3, True)
    assert in_force(tmp_path) == ["opt-out"]


def test_an_objection_to_all_purposes_is_answered_for_one(run: Run, tmp_path: Path) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    said = run("object", "--purpose", "*", *TRAFFORD, "--json", told=ANNA)
    receipt = json.loads(said.stdout)["receipt"]
    answer = ("objections", "answer", receipt, "--state", "not-upheld", "--as", "rita")
    assert run(*answer, "--purpose", "nothing-of-the-kind").exit_code == 3
    assert run(*answer, "--purpose", STUDY).exit_code == 0
    assert in_force(tmp_path) == []
    assert in_force(tmp_path, "local-research") == ["objection"]


def test_where_consent_is_the_rule_an_objection_is_not_weighed(run: Run) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    knowsley = ("--agreement", "knowsley-stronger-families")
    for purpose in (STUDY, "*"):
        said = run("object", "--purpose", purpose, *knowsley, "--json", told=ANNA)
        receipt = json.loads(said.stdout)["receipt"]
        answer = ("objections", "answer", receipt, "--as", "rita", "--state")
        assert run(*answer, "not-upheld").exit_code == 3
        assert run(*answer, "upheld").exit_code == 0


def test_what_lets_more_leave_is_answered_one_person_at_a_time(run: Run, tmp_path: Path) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    listed = tmp_path / "list.csv"
    listed.write_text("forename,surname,dob\nAnna,Testerson,2001-02-03\nBen,Quill,\n")
    receipt = receipt_of(run, "--file", str(listed))
    answer = ("--state", "not-upheld", "--as", "rita")
    no = run("objections", "answer", receipt, *answer)
    assert (no.exit_code, "objections/one-at-a-time" in no.stderr) == (3, True)
    assert run("objections", "answer", "2", *answer).exit_code == 0
    assert in_force(tmp_path) == ["objection"]
    assert [entry["state"] for entry in the_register(run)] == ["unanswered", "not-upheld"]


def test_an_answer_that_somebody_wrote_into_the_database_stops_every_release(
    run: Run, tmp_path: Path
) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    run("objections", "answer", receipt_of(run), "--state", "upheld", "--as", "rita")
    database = Database(read_settings(tmp_path / "var").database_url)
    with database.begin() as connection:
        connection.execute(ENTRIES.update().values(status="not-upheld"))
    database.close()
    no = run("objections")
    assert (no.exit_code, "register/not-trustworthy" in no.stderr) == (7, True)


def test_a_reference_that_nobody_has_is_wrong_usage(run: Run) -> None:
    run("operators", "add", "rita", "--role", "rights-officer")
    words = ("--state", "upheld", "--as", "rita")
    assert run("objections", "answer", "reg-nothing", *words).exit_code == 2
    assert run("objections", "settle", "match-nothing", "--same").exit_code == 2
    receipt = receipt_of(run, "--kind", "consent", "--as", "rita")
    assert run("objections", "answer", receipt, *words).exit_code == 2
