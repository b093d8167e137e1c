"""No edit of a draft is lost, however many people edit it at once."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from gateway.adapters import policy_drafts as drafts
from gateway.adapters import policy_store
from gateway.adapters.database import Database
from gateway.adapters.policy_drafts import DraftState
from gateway.errors import HeldForPerson, InputRejected, UsageError

AT = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
PATH = "agreements/trafford.toml"
TEXT = (Path(__file__).parents[2] / "policies" / PATH).read_text(encoding="utf-8")


@pytest.fixture
def begun(database: Database) -> Database:
    with database.begin() as connection:
        policy_store.seed(connection, {PATH: TEXT}, at=AT)
        drafts.begin(
            connection,
            "draft-1",
            title="Add the intensity of support",
            agreement="trafford-stronger-families",
            changes={PATH: TEXT},
            by="edith",
            at=AT,
        )
    return database


def saved(
    database: Database, revision: int, text: str, by: str = "edith", reason: str = "Because."
) -> drafts.Draft:
    with database.begin() as connection:
        return drafts.save(
            *(connection, "draft-1"),
            revision=revision,
            changes={PATH: text},
            reason=reason,
            by=by,
            at=AT,
        )


def test_a_saved_draft_is_the_next_revision_and_its_history_is_kept(begun: Database) -> None:
    draft = saved(begun, 1, TEXT + "# more\n")
    assert (draft.revision, draft.changes[PATH]) == (2, TEXT + "# more\n")
    with begun.begin() as connection:
        assert [each[0] for each in drafts.history(connection, "draft-1")] == [2, 1]
        assert [each.id for each in drafts.listed(connection)] == ["draft-1"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("  Asked for by\r\nthe study  ", "Asked for by the study"),
        ("only for \u202etnemecrofne\u202c families", "only for tnemecrofne families"),
        ("ze\u200bro\u0007 width", "zero width"),
        ("\u2066\u2069 \u200b", "No reason given."),
        ("b" * 900, "b" * 400),
    ],
)
def test_a_reason_reads_to_an_approver_as_it_was_written(
    begun: Database, typed: str, read: str
) -> None:
    saved(begun, 1, TEXT + "# more\n", reason=typed)
    with begun.begin() as connection:
        assert drafts.history(connection, "draft-1")[0][3] == read


def test_who_started_from_an_older_revision_writes_nothing(begun: Database) -> None:
    saved(begun, 1, TEXT + "# hers\n", by="erin")
    with pytest.raises(HeldForPerson, match="policy/draft-moved") as told:
        saved(begun, 1, TEXT + "# his\n")
    assert "erin" in told.value.sentence
    with begun.begin() as connection:
        assert drafts.find(connection, "draft-1").changes[PATH].endswith("# hers\n")


def test_twenty_editors_of_twenty_edits_lose_none(begun: Database) -> None:
    editors, edits = 20, 20

    def work(editor: int) -> None:
        for edit in range(edits):
            while True:
                with begun.begin() as connection:
                    draft = drafts.find(connection, "draft-1")
                try:
                    saved(begun, draft.revision, draft.changes[PATH] + f"# {editor}/{edit}\n")
                except HeldForPerson:
                    continue
                break

    threads = [threading.Thread(target=work, args=(n,)) for n in range(editors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with begun.begin() as connection:
        draft = drafts.find(connection, "draft-1")
    remarks = [line for line in draft.changes[PATH].splitlines() if line.count("/") == 1]
    assert {f"# {n}/{m}" for n in range(editors) for m in range(edits)} <= set(remarks)
    assert draft.revision == 1 + editors * edits


def test_a_change_underneath_is_noticed(begun: Database) -> None:
    with begun.begin() as connection:
        draft = drafts.find(connection, "draft-1")
        assert draft.moved(policy_store.bundle(connection)) == ()
        assert draft.moved({PATH: TEXT + "# other\n"}) == (PATH,)


def test_a_closed_draft_is_edited_no_more(begun: Database) -> None:
    with begun.begin() as connection:
        drafts.close(connection, "draft-1", DraftState.DROPPED, revision=1)
        assert drafts.listed(connection) == ()
    with pytest.raises(UsageError, match="policy/draft-closed"):
        saved(begun, 1, TEXT)


def test_a_draft_of_ten_megabytes_is_refused(begun: Database) -> None:
    with pytest.raises(InputRejected, match="policy/draft-too-large"):
        saved(begun, 1, "x" * 10_000_000)


def test_an_unknown_draft_is_said_to_be_unknown(begun: Database) -> None:
    with begun.begin() as connection, pytest.raises(UsageError, match="policy/unknown-draft"):
        drafts.find(connection, "draft-2")
