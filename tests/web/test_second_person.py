"""Once there have been two administrators, a way in that one gives waits for another person.

Source: security point 4; docs/adr/0282.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from gateway.adapters import client_keys
from gateway.adapters.access_tokens import assertion
from gateway.adapters.settings import Settings
from gateway.web.api.oauth import BEARER, GRANT
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.web.office import ADDRESS, POLICE, Browser, proof_of, signed_in
from tests.web.test_account_commands import ADD, code_of, ledger_of
from tests.web.test_signing_in import proved

NEW = "police-desk-2"


@pytest.fixture
def office(office: Office) -> Office:
    """The office with a second administrator, bea."""
    office.must("operators", "add", "bea", "--role", "administrator", "--as", "ada")
    return office


def state_of(office: Office, login: str) -> tuple[str, list[dict[str, str]]]:
    """What the list says of an account."""
    (row,) = [each for each in office.ask("accounts", "list")["accounts"] if each["login"] == login]
    return row["state"], row["asked"]


def comes_in(app: Flask, login: str, password: str) -> bool:
    """Whether the first step of signing in is passed."""
    return proved(app.test_client(), login, password).status_code == 303


def token_status(app: Flask, proof: str) -> int:
    """How the token endpoint answers an assertion."""
    form = {
        "grant_type": GRANT,
        "client_assertion_type": BEARER,
        "client_assertion": proof,
    }
    return app.test_client().post("/oauth/token", data=form).status_code


def proof_by(app: Flask, client: str, private: Path) -> str:
    """An assertion of a client under a key of a file."""
    key = client_keys.read_private(private)
    at = desk_of(app).now()
    return assertion(
        key.secret, client=client, kid=key.kid, address=ADDRESS, jti=str(at.timestamp()), at=at
    )


def test_an_added_account_lets_nobody_in_before_another_person_confirms_it(
    office: Office, app: Flask, data: Settings
) -> None:
    told = office.ask(*ADD)
    assert told["state"] == "asked"
    assert state_of(office, NEW) == ("asked", [{"what": "account", "asked_by": "ada"}])
    assert not comes_in(app, NEW, told["first_password"])
    confirm = ("accounts", "confirm", NEW, "--as")
    assert code_of(office, *confirm, "ada") == "accounts/same-person"
    assert code_of(office, *confirm, "rosa") == "operators/not-permitted"
    assert not comes_in(app, NEW, told["first_password"])
    assert office.ask(*confirm, "bea") == {"login": NEW, "confirmed": ["account"]}
    assert state_of(office, NEW) == ("not set up yet", [])
    assert comes_in(app, NEW, told["first_password"])
    assert code_of(office, *confirm, "bea") == "accounts/nothing-asked"
    said = ledger_of(data)
    for event, who in (("asked", "ada"), ("confirmed", "bea")):
        assert said.count(f'"account-{event}"') == 1
        facts = f'"account":"{NEW}","approver":"{who}","code":"account","party":"{POLICE}"'
        assert facts in said


def test_an_administrator_who_is_left_alone_does_not_let_in_alone_again(office: Office) -> None:
    office.must("operators", "revoke", "bea", "--role", "administrator", "--as", "ada")
    assert office.ask(*ADD)["state"] == "asked"
    assert code_of(office, "accounts", "confirm", NEW, "--as", "ada") == "accounts/same-person"
    office.must("accounts", "confirm", NEW, "--as", "kit")


def test_nobody_confirms_their_own_account(office: Office) -> None:
    assert office.ask("accounts", "add", "bea", "--operator", "bea", "--as", "ada")["state"] == (
        "asked"
    )
    assert code_of(office, "accounts", "confirm", "bea", "--as", "bea") == "accounts/same-person"
    office.must("accounts", "confirm", "bea", "--as", "aude")


def test_a_new_first_password_serves_nobody_before_it_is_confirmed(
    office: Office, app: Flask
) -> None:
    first = office.ask("accounts", "reset", "police-desk", "--as", "ada")["first_password"]
    assert state_of(office, "police-desk") == ("asked", [{"what": "reset", "asked_by": "ada"}])
    assert not comes_in(app, "police-desk", first)
    again = office.ask("accounts", "reset", "police-desk", "--as", "bea")["first_password"]
    for name in ("ada", "bea"):
        words = ("accounts", "confirm", "police-desk", "--as", name)
        assert code_of(office, *words) == "accounts/same-person"
    office.must("accounts", "confirm", "police-desk", "--as", "kora")
    assert comes_in(app, "police-desk", again)


def test_somebody_bound_to_an_account_waits_and_its_owner_goes_on(
    office: Office, app: Flask
) -> None:
    office.settings["GATEWAY_OIDC_ISSUER"] = "https://id.example"
    bound = office.ask("accounts", "bind", "rosa", "--subject", "4f1c9e", "--as", "ada")
    assert bound["state"] == "asked"
    assert state_of(office, "rosa") == ("in use", [{"what": "subject", "asked_by": "ada"}])
    assert b"Signed in as" in signed_in(app, "rosa").get("/").data
    assert code_of(office, "accounts", "confirm", "rosa", "--as", "rosa") == (
        "operators/not-permitted"
    )
    office.must("accounts", "confirm", "rosa", "--as", "bea")
    assert state_of(office, "rosa") == ("in use", [])


def test_a_session_of_an_account_that_waits_is_nobodys(office: Office, app: Flask) -> None:
    office.must("accounts", "reset", "police-desk", "--as", "ada")
    assert b"Signed in as" not in signed_in(app, "police-desk").get("/").data
    office.must("accounts", "confirm", "police-desk", "--as", "bea")
    assert b"Signed in as" in signed_in(app, "police-desk").get("/").data


def test_a_closed_account_waits_for_nobody(office: Office) -> None:
    office.must(*ADD)
    office.must("accounts", "disable", NEW, "--as", "ada")
    assert state_of(office, NEW) == ("closed", [])
    assert code_of(office, "accounts", "confirm", NEW, "--as", "bea") == "accounts/disabled"


def test_a_program_is_not_known_before_another_person_confirms_its_key(
    office: Office, app: Flask, data: Settings, tmp_path: Path
) -> None:
    made = office.ask("clients", "key", "--to", str(tmp_path / "key"))
    words = ("police-weekly", made["public"], "--party", POLICE, "--role", "uploader")
    assert office.ask("clients", "add", *words, "--as", "ada")["state"] == "asked"
    private = Path(made["private"])
    assert token_status(app, proof_by(app, "police-weekly", private)) == 401
    (row,) = [c for c in office.ask("clients", "list")["clients"] if c["client"] == words[0]]
    assert row["state"] == "asked"
    assert row["asked"] == [{"key": made["key"], "asked_by": "ada"}]
    confirm = ("clients", "confirm", "police-weekly", "--as")
    assert code_of(office, *confirm, "ada") == "accounts/same-person"
    assert code_of(office, *confirm, "rosa") == "operators/not-permitted"
    assert office.ask(*confirm, "bea")["confirmed"] == [made["key"]]
    assert token_status(app, proof_by(app, "police-weekly", private)) == 200
    assert code_of(office, *confirm, "bea") == "accounts/nothing-asked"
    said = ledger_of(data)
    assert (said.count('"client-asked"'), said.count('"client-confirmed"')) == (1, 1)


def test_a_key_that_waits_serves_nothing_and_the_old_one_goes_on(
    office: Office, app: Flask, tmp_path: Path
) -> None:
    keys = [office.ask("clients", "key", "--to", str(tmp_path / name)) for name in ("a", "b")]
    for key in keys:
        add = ("clients", "add-key", "police-nightly", key["public"], "--as", "ada")
        assert office.ask(*add)["state"] == "asked"
    assert token_status(app, proof_of("police-nightly")) == 200
    first, second = (Path(key["private"]) for key in keys)
    office.must(*("clients", "confirm", "police-nightly", "--key", keys[0]["key"], "--as", "bea"))
    assert token_status(app, proof_by(app, "police-nightly", first)) == 200
    assert token_status(app, proof_by(app, "police-nightly", second)) == 401
    office.must("clients", "revoke", "police-nightly", "--key", keys[1]["key"], "--as", "ada")
    assert code_of(office, "clients", "confirm", "police-nightly", "--as", "bea") == (
        "accounts/nothing-asked"
    )


def test_what_waits_stands_on_the_page_of_those_who_confirm(
    office: Office, client_as: Callable[[str], Browser]
) -> None:
    office.must(*ADD)
    page = client_as("auditor").get("/waiting").text
    assert f"{NEW}: added" in page
    assert "gateway accounts confirm LOGIN --as YOU" in page
    assert "You may settle" in page
    assert "You may settle" not in client_as("release-officer").get("/waiting").text
