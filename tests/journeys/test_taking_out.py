"""What is taken out as a whole was needed by nothing, and what once left stays traceable."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import policy_store, release_lineage
from gateway.adapters.database import Database
from gateway.adapters.release_store import RELEASES, ReleaseState
from gateway.adapters.settings import read_settings
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, COUNCIL, SHARE
from tests.journeys.office import Office

OWN, DOCUMENT = "own-research", "agreements/trafford.toml"
RECIPIENT, DATASET = f"recipients/{OWN}.toml", "datasets/spare_register.toml"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A release has gone to a recipient of its own; a dataset that nothing reads is stored."""
    people = borough.borough(tmp_path_factory.mktemp("people"), 1_500)
    home = tmp_path_factory.mktemp("out") / "office"
    home.mkdir(mode=0o700)
    made = Office(home, policies=borough.policies_in_time(home / "policies"))
    again(made.policies, "recipients/gm-research.toml", RECIPIENT, "gm-research", OWN)
    again(
        made.policies, "datasets/family_register.toml", DATASET, "family_register", "spare_register"
    )
    study = made.policies / DOCUMENT
    text = study.read_text("utf-8")
    study.write_text(text.replace('recipient = "ons-research"', f'recipient = "{OWN}"', 1), "utf-8")
    made.found(controllers=(COUNCIL,), recipients=(borough.UNIT, borough.RESEARCH, OWN))
    with made.open():
        borough.permit_study(made)
        for dataset, party in borough.EXTRACTS:
            borough.receive(made, people / f"{dataset}.csv", dataset, party)
        shutil.copy(people / "family_register.csv", home / "spare.csv")
        borough.receive(made, home / "spare.csv", "spare_register", COUNCIL)
        assert made.ask(*SHARE, "--to", str(home / "outbox"))["state"] == "forwarded"
        yield made


def again(folder: Path, old: str, new: str, was: str, name: str) -> None:
    text = (folder / old).read_text("utf-8")
    (folder / new).write_text(text.replace(f'id = "{was}"', f'id = "{name}"', 1), "utf-8")


def proposed(office: Office, *gone: str, without: bool) -> str:
    """Propose to take documents out; the agreement goes on without its recipient, or with it."""
    text = in_tables(office, policy_store.bundle)[DOCUMENT]
    if without:
        text = text.replace(f'recipient = "{OWN}"', 'recipient = "ons-research"')
    file = office.policies / DOCUMENT
    file.write_text(text.replace("version = 3", "version = 4", 1), "utf-8")
    words = [word for path in gone for word in ("--without", path)]
    told = office.run("policy", "propose", str(file), *words, "--as", "edith", "--json")
    error = told.document.get("error", {})
    assert told.code == (3 if error else 0), told
    return f"{error['code']} {error['sentence']}" if error else ""


def in_tables(office: Office, act: Any) -> Any:
    settings = read_settings(office.data, environ=dict(office.environment()))
    database = Database(settings.database_url)
    with database.begin() as connection:
        found = act(connection)
    database.close()
    return found


def release_is(office: Office, state: ReleaseState) -> None:
    """As if everything of the release were certified as destroyed, or not yet."""
    in_tables(office, lambda c: c.execute(RELEASES.update().values(state=state)))


def lineage(office: Office, release: str) -> Any:
    return in_tables(office, lambda connection: release_lineage.events_of(connection, release))


def test_what_was_released_stays_traceable_when_its_recipient_is_taken_out(office: Office) -> None:
    (release,) = in_tables(office, lambda c: c.scalars(sa.select(RELEASES.c.id)).all())
    before = lineage(office, release)
    assert "payload" in str(before)
    unknown = office.run("policy", "propose", AGREEMENT, "--without", "x.toml", "--as", "edith")
    assert (unknown.code, "The store has no document at that place" in unknown.err) == (2, True)
    needed = proposed(office, RECIPIENT, without=False)
    assert "policy/still-needed" in needed
    assert "national-impact-study" in needed
    needed = proposed(office, RECIPIENT, DATASET, without=True)
    assert f"packages for {OWN} that are not certified as destroyed: 1." in needed
    assert "extracts of spare_register that are stored: 1." in needed
    release_is(office, ReleaseState.CLOSED)
    assert proposed(office, RECIPIENT, without=True) == ""
    release_is(office, ReleaseState.FORWARDED)
    no = office.run("policy", "approve", AGREEMENT, "--as", "april", "--json")
    assert (no.code, no.document["error"]["code"]) == (3, "policy/still-needed")
    release_is(office, ReleaseState.CLOSED)
    office.must("policy", "approve", AGREEMENT, "--as", "april")
    assert RECIPIENT not in in_tables(office, policy_store.bundle)
    assert lineage(office, release) == before
    office.must("ledger", "checkpoint", "--as", "ada")
    office.must("prove", release, "--to", str(office.home / "proof.json"))
    office.must("ledger", "verify")
    office.must("policy", "check")
