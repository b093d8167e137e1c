"""Administrators add, reset and close accounts and clients; each act stands in the ledger.

Source: security points 1, 4, 20, 21.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.adapters import client_keys
from gateway.adapters.assertions import thumbprint
from gateway.adapters.database import Database
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.settings import Settings
from gateway.errors import InputRejected
from tests.journeys.office import Office
from tests.web.office import LOGINS, MACHINES, POLICE

ADD = ("accounts", "add", "police-desk-2", "--party", POLICE, "--role", "uploader", "--as", "ada")


def ledger_of(settings: Settings) -> str:
    """Everything that the ledger says."""
    database = Database(settings.database_url)
    with database.read() as connection:
        said = " ".join(bytes(row.entry).decode() for row in connection.execute(LEAVES.select()))
    database.close()
    return said


def code_of(office: Office, *words: str) -> str:
    """The code by which a command refuses."""
    answer = office.run(*words, "--json")
    assert answer.code != 0, words
    code: str = answer.document["error"]["code"]
    return code


def test_an_added_account_gets_a_first_password_that_is_kept_nowhere(
    office: Office, data: Settings
) -> None:
    told = office.ask(*ADD)
    assert told["login"] == "police-desk-2"
    assert told["state"] == "granted", "a single administrator adds accounts alone"
    assert len(told["first_password"]) == 24
    listed = {row["login"]: row for row in office.ask("accounts", "list")["accounts"]}
    assert listed["police-desk-2"] == {
        "login": "police-desk-2",
        "operator": "",
        "party": POLICE,
        "roles": ["uploader"],
        "state": "not set up yet",
        "asked": [],
    }
    for path in office.data.rglob("*"):
        if path.is_file():
            assert told["first_password"].encode() not in path.read_bytes(), path
    said = ledger_of(data)
    assert '"account-added"' in said
    assert '"account":"police-desk-2"' in said


def test_reset_and_disable_stand_in_the_ledger(office: Office, data: Settings) -> None:
    first = office.ask("accounts", "reset", "police-desk", "--as", "ada")["first_password"]
    again = office.ask("accounts", "reset", "police-desk", "--as", "ada")["first_password"]
    assert first != again
    office.must("accounts", "disable", "police-desk", "--as", "ada")
    listed = {row["login"]: row for row in office.ask("accounts", "list")["accounts"]}
    assert listed["police-desk"]["state"] == "closed"
    said = ledger_of(data)
    assert said.count('"account-reset"') == 2
    assert said.count('"account-disabled"') == 1
    for words in (("reset", "police-desk"), ("disable", "police-desk")):
        assert code_of(office, "accounts", *words, "--as", "ada") == "accounts/disabled"
    assert code_of(office, *[w.replace("-desk-2", "-desk") for w in ADD]) == "accounts/exists"


def test_only_an_administrator_changes_accounts_and_clients(office: Office) -> None:
    for name in set(LOGINS.values()) - {"ada", "police-desk", "council-desk", "ons-desk"}:
        assert code_of(office, *ADD[:-1], name) == "operators/not-permitted"
        revoke = ("clients", "revoke", "police-nightly", "--as", name)
        assert code_of(office, *revoke) == "operators/not-permitted"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("Police Desk", "--party", POLICE, "--role", "uploader"), "accounts/malformed-login"),
        (("x", "--party", "nobody-known", "--role", "uploader"), "accounts/unknown-party"),
        (("x", "--party", POLICE), "accounts/role"),
        (("x",), "accounts/binding"),
        (("x", "--party", POLICE, "--operator", "ada", "--role", "uploader"), "accounts/binding"),
        (("x", "--operator", "ada"), "accounts/operator-taken"),
        (("x", "--operator", "nobody"), "operators/unknown"),
        (("x", "--operator", "kora", "--role", "uploader"), "accounts/operator-roles"),
    ],
)
def test_an_account_that_does_not_hold_together_is_refused(
    office: Office, words: tuple[str, ...], code: str
) -> None:
    assert code_of(office, "accounts", "add", *words, "--as", "ada") == code


def test_an_operator_who_left_an_account_may_get_another(office: Office) -> None:
    office.must("accounts", "disable", "rosa", "--as", "ada")
    office.must("accounts", "add", "rosa-2", "--operator", "rosa", "--as", "ada")


def test_a_partner_makes_a_key_and_the_council_registers_its_public_half(
    office: Office, data: Settings, tmp_path: Path
) -> None:
    made = office.ask("clients", "key", "--to", str(tmp_path / "key"))
    private = Path(made["private"])
    assert private.stat().st_mode & 0o777 == 0o400
    words = ("police-weekly", made["public"], "--party", POLICE, "--role", "uploader")
    told = office.ask("clients", "add", *words, "--as", "ada")
    assert told["key"] == made["key"] == client_keys.read_private(private).kid
    assert code_of(office, "clients", "add", *words, "--as", "ada") == "clients/exists"
    other = ("police-other", *words[1:])
    assert code_of(office, "clients", "add", *other, "--as", "ada") == "clients/key-known"
    assert code_of(office, "clients", "key", "--to", str(tmp_path / "key")) == "keys/exists"
    assert '"client-added"' in ledger_of(data)


def test_a_client_is_revoked_by_its_id_or_by_one_key(
    office: Office, data: Settings, tmp_path: Path
) -> None:
    made = office.ask("clients", "key", "--to", str(tmp_path / "key"))
    office.must("clients", "add-key", "police-nightly", made["public"], "--as", "ada")
    by_key = ("clients", "revoke", "police-nightly", "--key", made["key"], "--as", "ada")
    assert len(office.ask(*by_key)["keys"]) == 1
    assert code_of(office, *by_key) == "clients/unknown-key"
    assert office.ask("clients", "revoke", "police-nightly", "--as", "ada")["revoked"]
    assert code_of(office, "clients", "revoke", "police-nightly", "--as", "ada") == (
        "clients/revoked"
    )
    said = ledger_of(data)
    for event in ("client-key-added", "client-key-revoked", "client-revoked"):
        assert f'"{event}"' in said
    listed = {row["client"]: row["state"] for row in office.ask("clients", "list")["clients"]}
    assert listed == {
        client: "revoked" if client == "police-nightly" else "in use"
        for client, _ in MACHINES.values()
    }


def test_the_web_changes_the_key_that_signs_its_tokens(office: Office) -> None:
    first = office.ask("clients", "rotate")["key"]
    assert len(list((office.data / "web").glob("token-*.key"))) == 2
    assert len(first) == 43


def good_jwk() -> dict[str, str]:
    """A public key as JWK."""
    return client_keys.public_jwk(bytes(range(32)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        json.dumps({**good_jwk(), "d": "AAAA"}).encode(),
        json.dumps({**good_jwk(), "crv": "X25519"}).encode(),
        json.dumps({**good_jwk(), "kty": "EC"}).encode(),
        json.dumps({**good_jwk(), "x": "AAAA"}).encode(),
        json.dumps({**good_jwk(), "kid": "another"}).encode(),
        json.dumps({**good_jwk(), "x": "\u00e9" * 43}).encode(),
        json.dumps(good_jwk()).encode().replace(b'"kty"', b'"kty": "OKP", "kty"'),
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ],
)
def test_what_is_not_exactly_one_public_ed25519_key_is_refused(content: bytes) -> None:
    with pytest.raises(InputRejected, match="clients/not-a-public-key"):
        client_keys.read_public(content)


def test_a_public_key_is_read_as_jwk_and_as_pem(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    made = client_keys.make_pair(tmp_path / "key")
    private = load_pem_private_key((tmp_path / "key/client.key").read_bytes(), None)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = (tmp_path / "key/client.jwk").read_bytes()
    assert client_keys.read_public(pem) == client_keys.read_public(jwk) == made.public
    assert made.kid == thumbprint(made.public)
    with pytest.raises(InputRejected, match="clients/not-a-public-key"):
        client_keys.read_public((tmp_path / "key/client.key").read_bytes())


def test_a_private_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    from gateway.errors import Unavailable

    client_keys.make_pair(tmp_path / "key")
    (tmp_path / "key/client.key").chmod(0o444)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        client_keys.read_private(tmp_path / "key/client.key")
