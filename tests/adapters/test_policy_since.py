"""A shared document goes by anybody's proposal; each agreement's approvers are told what it is."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import (
    ledger_search,
    policy_drafts,
    policy_reading,
    policy_since,
    policy_states,
    policy_store,
    schema,
)
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.keyring import open_ring
from gateway.adapters.policy_tables import PROPOSALS, SAVED, STATES
from gateway.adapters.settings import read_settings
from gateway.service import policy_tasks
from gateway.web.draft_forms import next_version
from tests.adapters.keys_process import REPOSITORY, Office, Offices

TRAFFORD, KIRKLEES = "trafford-stronger-families", "kirklees-stronger-families"
PLACE = "agreements/trafford.toml"
AT = dt.datetime.now(dt.UTC)
STAFF = {
    "zed": (("editor",), "trafford-council"),
    "ben": (("approver",), "trafford-council"),
    # Writes, and approves for Trafford alone.
    "moe": (("editor", "approver", "release-officer"), "trafford-council"),
    "kap": (("approver",), "kirklees-council"),
}
# What Trafford's people would be by it.
WIDER = ('programme_arm = ["PROG", "COMP"]', 'programme_arm = ["PROG", "COMP", "ASSESSED"]')


@pytest.fixture(scope="module")
def template(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Both agreements are approved as they are shipped."""
    home = tmp_path_factory.mktemp("template")
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    office = offices.new(home, policies=home / "policies")
    office.must("init", "--name", "trafford-council")
    office.must("operators", "add", "ada", "--role", "administrator")
    for name, (roles, controller) in STAFF.items():
        flags = [word for role in roles for word in ("--role", role)]
        office.must(*("operators", "add", name, *flags, "--controller", controller, "--as", "ada"))
    for agreement, approver in ((TRAFFORD, "ben"), (KIRKLEES, "kap")):
        office.must("policy", "propose", agreement, "--as", "zed")
        office.must("policy", "approve", agreement, "--as", approver)
    return office


@pytest.fixture
def office(offices: Offices, template: Office, tmp_path: Path) -> Office:
    return offices.copied(template, tmp_path / "home")


@pytest.fixture
def database(office: Office) -> Iterator[Database]:
    with office.database() as opened:
        yield opened


def widened(office: Office, tmp_path: Path) -> None:
    """Moe widens Trafford's people with a proposal of Kirklees, and Kirklees signs it."""
    folder = tmp_path / "theirs"
    office.must("policy", "export", folder)
    vocabulary = folder / "vocabulary.toml"
    text = vocabulary.read_text()
    at = text.index("[cohorts.programme-and-comparison]")
    vocabulary.write_text(text[:at] + text[at:].replace(*WIDER, 1))
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "moe")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")


def told(office: Office) -> list[str]:
    found: list[str] = office.must("policy", "proposal", TRAFFORD)["changes"]
    return found


def test_what_came_with_another_agreement_is_told_and_its_writer_does_not_approve_it(
    office: Office, database: Database, tmp_path: Path
) -> None:
    widened(office, tmp_path)
    proposal = office.must("policy", "propose", TRAFFORD, "--as", "zed")
    version = proposal["version"]
    first, *changes = told(office)
    assert first == f"This is what differs from version {version} as it was approved."
    assert len(changes) == 1, changes
    assert "programme-and-comparison" in changes[0]
    assert "ASSESSED" in changes[0]
    assert proposal["changes"] == [first, *changes]
    assert proposal["writers"] == ["moe"]
    with database.read() as connection:
        entries = ledger_search.naming(connection, {"policy-proposed"}, document=TRAFFORD)
        assert [entry.facts.get("editors") for _, entry in entries] == [None, "moe,zed"]
        actors = policy_store.actors(connection, str(proposal["policy_digest"]))
    assert actors == {"moe", "zed"}
    office.refused("operators/same-person", 3, "policy", "approve", TRAFFORD, "--as", "moe")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert told(office)[1:] == [], "what was approved last has nothing new"


def test_a_change_that_the_agreement_does_not_read_makes_nobody_its_editor(
    office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    office.must("policy", "export", folder)
    vocabulary = folder / "vocabulary.toml"
    text = vocabulary.read_text()
    vocabulary.write_text(text + "\n[cohorts.nobody-yet]\n" + _cohort(text))
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "moe")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    assert office.must("policy", "propose", TRAFFORD, "--as", "zed")["writers"] == []
    assert told(office)[1:] == []
    office.must("policy", "approve", TRAFFORD, "--as", "moe")


def _cohort(text: str) -> str:
    """The lines of a cohort, to stand under another name."""
    begun = text.index("[cohorts.programme-and-comparison]")
    lines = text[begun:].splitlines()[1:]
    end = next(i for i, line in enumerate(lines) if line.startswith("["))
    return "\n".join(lines[:end]) + "\n"


def test_what_an_agreement_comes_to_read_has_writers_from_before(
    office: Office, tmp_path: Path
) -> None:
    """It was approved meanwhile; but not for a cohort that it did not read then."""
    folder = tmp_path / "theirs"
    office.must("policy", "export", folder)
    vocabulary = folder / "vocabulary.toml"
    text = vocabulary.read_text()
    vocabulary.write_text(text + "\n[cohorts.everybody]\n" + _cohort(text))
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "moe")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    agreement = office.policies / PLACE
    for approver, writers, change in (
        ("moe", [], ('title = "', 'title = "The ')),
        ("ben", ["moe"], ('subjects = "programme-and-comparison"', 'subjects = "everybody"')),
    ):
        with office.database() as database, database.read() as connection:
            text = next_version(policy_store.bundle(connection), PLACE)
        assert change[0] in text
        agreement.write_text(text.replace(*change, 1))
        proposed = office.must("policy", "propose", TRAFFORD, agreement, "--as", "zed")
        assert proposed["writers"] == writers
        office.must("policy", "approve", TRAFFORD, "--as", approver)


def test_a_proposal_that_names_its_proposer_alone_is_made_again(
    office: Office, database: Database, tmp_path: Path
) -> None:
    """As one that waited when the gateway was renewed: nobody approves it as it is."""
    widened(office, tmp_path)
    settings = read_settings(office.data, environ=office.environment())
    ring = open_ring(settings)
    ring.unlock()
    with database.begin() as connection:
        bare = policy_store.proposals(connection, TRAFFORD)[-1]
        facts = _facts(connection)
        old = policy_store.Proposal(
            agreement=TRAFFORD,
            version=bare.version,
            controllers=bare.controllers,
            policy_digest=facts,
            editor="zed",
        )
        signature = ring.sign_as("zed", old.editor_message())
        policy_store.add_proposal(connection, old, changes={}, signature=signature, at=AT)
    for approver in ("ben", "moe"):
        office.refused("policy/stale", 2, "policy", "approve", TRAFFORD, "--as", approver)
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")


def _facts(connection: sa.Connection) -> str:
    documents = policy_store.bundle(connection)
    return policy_reading.agreements(connection, documents)[TRAFFORD].policy_digest


def test_who_saved_the_very_text_in_a_dropped_draft_is_its_editor(
    office: Office, database: Database
) -> None:
    with database.begin() as connection:
        text = next_version(policy_store.bundle(connection), PLACE)
    _saved(database, "draft-1", "moe", text + "# to be shared\n")
    with database.begin() as connection:
        policy_drafts.close(connection, "draft-1", policy_drafts.DraftState.DROPPED, revision=2)
    _saved(database, "draft-2", "zed", text + "# to be shared\n")
    ring = open_ring(read_settings(office.data, environ=office.environment()))
    ring.unlock()
    outcome = _proposed(database, ring, "draft-2", "zed")
    assert outcome["state"] == "proposed", outcome
    with database.read() as connection:
        assert policy_store.latest(connection, TRAFFORD).writers == ("moe", "zed")
    office.refused("operators/same-person", 3, "policy", "approve", TRAFFORD, "--as", "moe")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")


def test_who_saved_another_text_or_the_same_later_is_no_editor(
    office: Office, database: Database
) -> None:
    with database.begin() as connection:
        text = next_version(policy_store.bundle(connection), PLACE)
    _saved(database, "draft-1", "moe", text + "# another\n")
    _saved(database, "draft-2", "zed", text + "# to be shared\n")
    ring = open_ring(read_settings(office.data, environ=office.environment()))
    ring.unlock()
    assert _proposed(database, ring, "draft-2", "zed")["state"] == "proposed"
    _saved(database, "draft-3", "moe", text + "# to be shared\n")
    with database.read() as connection:
        assert policy_store.latest(connection, TRAFFORD).writers == ("zed",)
    office.must("policy", "approve", TRAFFORD, "--as", "moe")


def _saved(database: Database, name: str, by: str, text: str) -> None:
    """A draft that somebody begins and saves once."""
    with database.begin() as connection:
        begun = {PLACE: next_version(policy_store.bundle(connection), PLACE)}
        policy_drafts.begin(
            connection, name, title="A change", agreement=TRAFFORD, changes=begun, by=by, at=AT
        )
        policy_drafts.save(
            *(connection, name), revision=1, changes={PLACE: text}, reason="Why.", by=by, at=AT
        )


def _proposed(database: Database, ring: Any, draft: str, by: str) -> Mapping[str, Any]:
    job = Job(
        id="job-1",
        kind=JobKind.PROPOSE,
        subject=draft,
        by=by,
        request={"agreement": TRAFFORD, "revision": 2},
        state=JobState.RUNNING,
        created=AT.isoformat(),
    )
    return policy_tasks.said(policy_tasks.propose, database, ring, job)


def test_an_upgrade_keeps_the_documents_of_its_day_and_who_saved_what(
    offices: Offices, office: Office, database: Database, tmp_path: Path
) -> None:
    with database.begin() as connection:
        text = next_version(policy_store.bundle(connection), PLACE) + "# moe's\n"
        heads = policy_store.heads(connection)
    _saved(database, "draft-1", "moe", text)
    names = ("policy_texts", "policy_heads", "policy_drafts", "policy_draft_revisions")
    older = Database(offices.new(tmp_path / "older").database_url or f"sqlite:///{tmp_path}/older")
    with database.read() as connection:
        rows = {
            n: connection.execute(sa.text(f"SELECT * FROM {n}")).mappings().all() for n in names
        }
        saved = {tuple(row) for row in connection.execute(sa.select(SAVED))}
    with older.begin_migration() as connection:
        schema.upgrade_to(connection, "0018")
        for name in names:
            columns = [sa.column(each) for each in rows[name][0]]
            table = sa.table(name, *columns)
            connection.execute(sa.insert(table), [dict(row) for row in rows[name]])
    assert schema.migrate(older) == "0018"
    with older.read() as connection:
        states = connection.execute(sa.select(STATES)).all()
        assert [(row.proposal, json.loads(row.heads)) for row in states] == [(None, heads)]
        assert {tuple(row) for row in connection.execute(sa.select(SAVED))} == saved
    assert {by for _, _, by in saved} == {"moe"}
    older.close()


@pytest.mark.parametrize("changed", [False, True])
def test_after_an_upgrade_an_approval_is_known_by_its_digest(
    office: Office, database: Database, tmp_path: Path, changed: bool
) -> None:
    """With no state of its own: the first one that is kept is compared, if it has its digest."""
    if changed:
        widened(office, tmp_path)
    with database.begin() as connection:
        connection.execute(sa.delete(STATES))
        policy_states.keep(connection, None)
        basis = policy_since.basis(connection, TRAFFORD)
        documents = policy_store.bundle(connection)
        wrote = policy_since.writers(connection, TRAFFORD, documents, {})
    assert basis.sure is not changed
    assert ("read the whole agreement" in basis.said) is changed
    assert wrote == ({"moe"} if changed else set())


def test_an_agreement_that_was_withdrawn_is_compared_with_what_it_was(
    office: Office, database: Database, tmp_path: Path
) -> None:
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    widened(office, tmp_path)
    assert office.must("policy", "propose", TRAFFORD, "--as", "zed")["writers"] == ["moe"]
    assert any("ASSESSED" in each for each in told(office))
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(PROPOSALS)) == 4
