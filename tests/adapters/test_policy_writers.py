"""Everyone who wrote of a text is its editor: they neither sign it nor grant or release by it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import ledger_search, operators, policy_drafts, policy_store, schema
from gateway.adapters.apartness import require_apart_from_policy
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.keyring import KeyRing, open_ring
from gateway.adapters.policy_tables import PROPOSALS
from gateway.adapters.settings import read_settings
from gateway.errors import RefusedError
from gateway.service import policy_tasks
from gateway.web.draft_forms import next_version
from tests.adapters.keys_process import REPOSITORY, Office, Offices

TRAFFORD = "trafford-stronger-families"
PLACE = "agreements/trafford.toml"
AT = dt.datetime.now(dt.UTC)
STAFF = {
    "ana": ("editor",),
    "ben": ("approver",),
    # The writer may do everything else, and is bound to the controller.
    "wes": ("editor", "approver", "release-officer", "custodian"),
    "rosa": ("release-officer",),
    "carol": ("custodian",),
}


@pytest.fixture(scope="module")
def template(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    home = tmp_path_factory.mktemp("template")
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    office = offices.new(home, policies=home / "policies")
    office.must("init", "--name", "trafford-council")
    office.must("operators", "add", "ada", "--role", "administrator")
    bound = ("--controller", "trafford-council", "--as", "ada")
    for name, roles in STAFF.items():
        flags = [word for role in roles for word in ("--role", role)]
        office.must("operators", "add", name, *flags, *bound)
    return office


@pytest.fixture
def office(offices: Offices, template: Office, tmp_path: Path) -> Office:
    return offices.copied(template, tmp_path / "home")


@pytest.fixture
def database(office: Office) -> Iterator[Database]:
    with office.database() as opened:
        yield opened


@pytest.fixture
def ring(office: Office) -> KeyRing:
    opened = open_ring(read_settings(office.data, environ=office.environment()))
    opened.unlock()
    return opened


def drafted(database: Database) -> policy_drafts.Draft:
    """A draft that wes writes: begun and saved by him, its last word by ana."""
    with database.begin() as connection:
        documents = policy_store.bundle(connection)
        text = next_version(documents, PLACE)
        draft = policy_drafts.begin(
            *(connection, "draft-1"),
            title="A change",
            agreement=TRAFFORD,
            changes={PLACE: text},
            by="wes",
            at=AT,
        )
        return policy_drafts.save(
            *(connection, draft.id),
            revision=1,
            changes={PLACE: text + "# ana's\n"},
            reason="Mine.",
            by="ana",
            at=AT,
        )


def task(database: Database, ring: KeyRing, kind: JobKind, by: str, **asked: Any) -> Any:
    """What a worker says of a job."""
    act = {JobKind.PROPOSE: policy_tasks.propose, JobKind.APPROVE: policy_tasks.approve}[kind]
    job = Job(
        id="job-1",
        kind=kind,
        subject="draft-1",
        by=by,
        request={"agreement": TRAFFORD, **asked},
        state=JobState.RUNNING,
        created=AT.isoformat(),
    )
    return policy_tasks.said(act, database, ring, job)


@pytest.fixture
def proposed(database: Database, ring: KeyRing) -> Mapping[str, Any]:
    """The draft, proposed by ana."""
    told = task(database, ring, JobKind.PROPOSE, "ana", revision=drafted(database).revision)
    assert told["state"] == "proposed", told
    found: Mapping[str, Any] = told
    return found


def newest(database: Database) -> Any:
    with database.read() as connection:
        return policy_store.latest(connection, TRAFFORD)


def editors_told(database: Database) -> list[object]:
    with database.read() as connection:
        found = ledger_search.naming(connection, {"policy-proposed"}, document=TRAFFORD)
        return [entry.facts.get("editors") for _, entry in found]


def test_a_proposal_carries_all_who_saved_its_draft(
    database: Database, proposed: Mapping[str, Any]
) -> None:
    proposal = newest(database)
    assert (proposal.editor, proposal.writers) == ("ana", ("ana", "wes"))
    assert editors_told(database) == ["ana,wes"]


def test_a_proposal_from_files_has_one_editor(office: Office, database: Database) -> None:
    told = office.must("policy", "propose", TRAFFORD, "--as", "wes")
    assert (told["editor"], told["writers"]) == ("wes", [])
    assert editors_told(database) == [None]
    office.refused("operators/same-person", 3, "policy", "approve", TRAFFORD, "--as", "wes")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")


def test_no_writer_approves_neither_by_command_nor_by_a_worker(
    office: Office, database: Database, ring: KeyRing, proposed: Mapping[str, Any]
) -> None:
    own = ("policy", "approve", TRAFFORD, "--as", "wes")
    office.refused("operators/same-person", 3, *own)
    digest = {"policy_digest": proposed["policy_digest"]}
    told = task(database, ring, JobKind.APPROVE, "wes", **digest)
    assert [each["code"] for each in told["refusal"]] == ["operators/same-person"]
    assert newest(database).approvals == ()
    told = task(database, ring, JobKind.APPROVE, "ben", **digest)
    assert told["state"] == "approved"


def test_no_writer_approves_their_text_when_another_proposes_it_again(
    office: Office, database: Database, proposed: Mapping[str, Any]
) -> None:
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    office.must("policy", "withdraw", TRAFFORD, "--as", "wes")
    again = office.must("policy", "propose", TRAFFORD, "--as", "ana")
    assert again["policy_digest"] == proposed["policy_digest"]
    assert newest(database).writers == ()
    office.refused("operators/same-person", 3, "policy", "approve", TRAFFORD, "--as", "wes")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")


def test_an_approval_of_a_writer_that_was_written_past_the_gateway_counts_nothing(
    database: Database, ring: KeyRing, proposed: Mapping[str, Any]
) -> None:
    proposal = newest(database)
    message = proposal.approver_message("trafford-council", "wes")
    with database.begin() as connection:
        policy_store.add_approval(
            *(connection, proposal),
            controller="trafford-council",
            approver="wes",
            signature=ring.sign_as("wes", message),
            at=AT,
        )
    assert newest(database).approvals == ()


@pytest.mark.parametrize("written", [None, "", "ana", "ben\nana"])
def test_a_writer_who_is_left_out_past_the_gateway_undoes_the_proposal(
    office: Office, database: Database, proposed: Mapping[str, Any], written: str | None
) -> None:
    with database.begin() as connection:
        connection.execute(sa.update(PROPOSALS).values(writers=written))
        assert policy_store.proposals(connection, TRAFFORD) == ()
    office.refused("policy/not-proposed", 2, "policy", "approve", TRAFFORD, "--as", "wes")


def test_no_writer_grants_a_key_or_releases_under_it(
    office: Office, database: Database, proposed: Mapping[str, Any]
) -> None:
    digest = str(proposed["policy_digest"])
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    new = ("keys", "new", "--kind", "study", "--study", "nis", "--epoch", "2026-1")
    office.must(*new, "--as", "carol")
    grant = ("--purpose", "national-impact-study", "--policy", digest, "--until", "2999-01-01")
    own = ("keys", "grant", "study-nis-2026-1", *grant, "--as")
    office.refused("operators/same-person", 3, *own, "wes")
    office.must(*own, "carol")
    with database.read() as connection:
        wes, rosa = (operators.find(connection, name) for name in ("wes", "rosa"))
        require_apart_from_policy(connection, rosa, digest)
        with pytest.raises(RefusedError, match="operators/not-apart"):
            require_apart_from_policy(connection, wes, digest)


def test_what_was_proposed_before_writers_were_kept_stands_as_it_was(
    office: Office, offices: Offices, tmp_path: Path
) -> None:
    """The column comes to the rows that are there; none of them names a writer."""
    office.must("policy", "propose", TRAFFORD, "--as", "ana")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    with office.database() as opened, opened.read() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(PROPOSALS)).mappings()]
    older = Database(offices.new(tmp_path / "older").database_url or f"sqlite:///{tmp_path}/older")
    with older.begin_migration() as connection:
        schema.upgrade_to(connection, "0017")
        for row in rows:
            assert row.pop("writers") is None
            assert row.pop("begins") is None, "a column of a later day still"
            columns = [sa.column(name) for name in row]
            connection.execute(sa.insert(sa.table("policy_proposals", *columns)).values(**row))
    assert schema.migrate(older) == "0017"
    with older.read() as connection:
        assert policy_store.actors(connection, rows[0]["policy_digest"]) == {"ana"}
        assert [row.writers for row in connection.execute(sa.select(PROPOSALS))] == [None]
    older.close()
