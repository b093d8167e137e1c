"""An approver signs for the recipients' keys, so each that is new is told with its fingerprint."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.adapters import policy_keys, policy_since, policy_store, recipients
from gateway.adapters.ledger_store import LEAVES
from gateway.adapters.recipient_keys import new_pair
from gateway.policy import quoted
from tests.adapters.keys_process import REPOSITORY, Office, Offices

TRAFFORD = "trafford-stronger-families"
TEAM = "ons-research"
AT = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def template(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The agreement is approved while its research team has no key."""
    home = tmp_path_factory.mktemp("template")
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    office = offices.new(home, policies=home / "policies")
    office.must("init", "--name", "trafford-council")
    office.must("operators", "add", "ada", "--role", "administrator")
    bound = ("--controller", "trafford-council", "--as", "ada")
    for name, role in (("zed", "editor"), ("ben", "approver")):
        office.must("operators", "add", name, "--role", role, *bound)
    approve(office)
    return office


@pytest.fixture
def office(offices: Offices, template: Office, tmp_path: Path) -> Office:
    return offices.copied(template, tmp_path / "home")


def approve(office: Office) -> None:
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")


def registered(office: Office, folder: Path, recipient: str = TEAM) -> str:
    """A new key of a recipient; its fingerprint."""
    public = new_pair(folder, at=AT).public_file
    office.must("recipients", "add", recipient, public, "--as", "ada")
    return recipients.fingerprint(recipients.read_public(public.read_bytes()))


def told(office: Office) -> list[str]:
    """What `gateway policy proposal` says, the same in text and as JSON."""
    found: list[str] = office.must("policy", "proposal", TRAFFORD)["changes"]
    out = office.run("policy", "proposal", TRAFFORD).out
    assert [line for line in found if quoted(line) not in out] == []
    return found[1:]


def test_an_approver_is_told_of_a_first_key_and_of_each_later_one(
    office: Office, tmp_path: Path
) -> None:
    first = registered(office, tmp_path / "first")
    assert office.must("policy", "propose", TRAFFORD, "--as", "zed")["changes"][1:] == told(office)
    (sentence,) = told(office)
    assert sentence.startswith("adds the key of recipient ")
    assert f"(*{TEAM}*)" in sentence
    assert f"none was approved before, the fingerprint now is *{first}*" in sentence
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert told(office) == []
    second = registered(office, tmp_path / "second")
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    (sentence,) = told(office)
    assert sentence.startswith("changes the key of recipient ")
    assert f"then was *{first}*, the fingerprint now is *{second}*" in sentence
    (signed,) = office.must("policy", "approve", TRAFFORD, "--as", "ben")["changes"][1:]
    assert signed == sentence
    registered(office, tmp_path / "elsewhere", "kirklees-partner-agencies")
    assert told(office) == [], "no output of this agreement is sealed for it"


def test_a_key_that_was_written_past_the_gateway_is_told_too(
    office: Office, tmp_path: Path
) -> None:
    first = registered(office, tmp_path / "first")
    approve(office)
    public = new_pair(tmp_path / "forged", at=AT).public_file
    other = recipients.read_public(public.read_bytes())
    with office.database() as database, database.begin() as connection:
        recipients.add(connection, TEAM, public=other, by="", at=AT)
    (sentence,) = told(office)
    assert first in sentence
    assert recipients.fingerprint(other) in sentence


def test_a_key_is_told_as_not_known_where_the_ledger_does_not_say_what_was_signed(
    office: Office, tmp_path: Path
) -> None:
    mark = registered(office, tmp_path / "first")
    with office.database() as database, database.begin() as connection:
        connection.execute(sa.delete(LEAVES).where(LEAVES.c.event == "policy-proposed"))
        proposal = policy_store.latest(connection, TRAFFORD)
        assert policy_keys.covered(connection, TRAFFORD, proposal.policy_digest) is None
        _, (_, sentence) = policy_since.told(connection, proposal, on=AT.date())
    assert f"the fingerprint then is not known, the fingerprint now is *{mark}*" in sentence


def test_a_digest_that_differs_through_no_document_and_no_key_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a new version of the gateway brings other tables of names."""
    tables = {"names": "0" * 64}
    monkeypatch.setattr("gateway.adapters.policy_reading.table_digests", lambda: tables)
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    assert told(office) == [policy_since.ELSE]
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert told(office) == []
