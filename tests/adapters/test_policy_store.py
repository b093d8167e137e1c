"""The life of a policy version on the real store, with real signatures."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pytest

from gateway import policy
from gateway.adapters import ledger_search, policy_drafts, policy_store
from gateway.adapters.policy_reading import decision_inputs
from gateway.cli.policy_review import problem_lines
from gateway.errors import InputRejected
from gateway.model import Refusal, SharingRequest
from gateway.policy import Remark, Weight
from tests.adapters.keys_process import REPOSITORY, Office, Offices

TRAFFORD = "trafford-stronger-families"
PLACE = "agreements/trafford.toml"


@pytest.fixture(scope="module")
def template(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    home = tmp_path_factory.mktemp("template")
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    office = offices.new(home, policies=home / "policies")
    office.must("init", "--name", "trafford-council")
    office.must("operators", "add", "ada", "--role", "administrator")
    bound = ("--controller", "trafford-council", "--as", "ada")
    for name, *roles in (
        ("ana", "editor"),
        ("ben", "approver"),
        ("both", "editor", "approver"),
        ("carol", "custodian"),
    ):
        flags = [word for role in roles for word in ("--role", role)]
        office.must("operators", "add", name, *flags, *bound)
    elsewhere = ("--controller", "kirklees-council", "--as", "ada")
    office.must("operators", "add", "kim", "--role", "approver", *elsewhere)
    return office


@pytest.fixture
def office(offices: Offices, template: Office, tmp_path: Path) -> Office:
    return offices.copied(template, tmp_path / "home")


def in_force(office: Office) -> bool:
    """Whether the present Trafford agreement counts as approved for a decision."""
    with office.database() as database, database.begin() as connection:
        found = decision_inputs(connection)
    answer = policy.decide(
        SharingRequest(purpose="national-impact-study", agreement=TRAFFORD),
        found.bundle,
        on=dt.date(2026, 11, 1),
        approved=found.approved,
        recipient_keys=found.recipient_keys,
        tables=found.tables,
    )
    codes = {reason.code for reason in answer.reasons} if isinstance(answer, Refusal) else set()
    return "sharing/not-approved" not in codes


def propose(office: Office, what: str | Path = TRAFFORD, *more: str | Path) -> str:
    return office.must("policy", "propose", what, *more, "--as", "ana")["policy_digest"]


def approve(office: Office) -> None:
    assert office.must("policy", "approve", TRAFFORD, "--as", "ben")["state"] == "approved"


def newer(office: Office, version: int = 0) -> Path:
    """The Trafford agreement with another title, one version further."""
    file = office.policies / PLACE
    text = file.read_text()
    there = next(
        int(line.partition("=")[2]) for line in text.splitlines() if line.startswith("version")
    )
    text = text.replace(f"version = {there}", f"version = {version or there + 1}", 1)
    title = next(line for line in text.splitlines() if line.startswith("title"))
    file.write_text(text.replace(title, 'title = "Another title"', 1))
    return file


def test_what_is_seeded_is_not_in_force_until_it_is_proposed_and_approved(office: Office) -> None:
    assert not in_force(office)
    propose(office)
    assert not in_force(office)
    approve(office)
    assert in_force(office)


def test_each_approval_is_written_down_with_the_controllers_it_is_for(office: Office) -> None:
    file = newer(office)
    one, three = (
        '["trafford-council"]',
        '["trafford-council", "kirklees-council", "devon-county-council"]',
    )
    text = file.read_text()
    assert f"controllers = {one}" in text
    file.write_text(text.replace(f"controllers = {one}", f"controllers = {three}"))
    both = ("--controller", "kirklees-council", "--controller", "devon-county-council")
    office.must("operators", "add", "kit", "--role", "approver", *both, "--as", "ada")
    propose(office, file)
    told = [office.must("policy", "approve", TRAFFORD, "--as", name) for name in ("ben", "kit")]
    assert [each["state"] for each in told] == ["proposed", "approved"]
    with office.database() as database, database.begin() as connection:
        found = list(ledger_search.naming(connection, {"policy-approved"}, document=TRAFFORD))
    assert [(entry.facts["operator"], entry.facts["controllers"]) for _, entry in found] == [
        ("ben", "trafford-council"),
        ("kit", "devon-county-council,kirklees-council"),
    ]


def test_a_proposal_says_what_refuses_a_purpose_even_when_it_is_approved(office: Office) -> None:
    file = newer(office)
    assert office.must("policy", "propose", file, "--as", "ana")["problems"] == []
    file.write_text(file.read_text().replace('"UKGDPR-9-2-j", ', ""))
    problems = office.must("policy", "propose", file, "--as", "ana")["problems"]
    assert "policy/article-9-missing" in {each["code"] for each in problems}
    assert all(each["remedy"] for each in problems)


def test_the_first_problems_are_printed_and_how_to_see_all() -> None:
    said = Remark(
        weight=Weight.PROBLEM,
        code="policy/clear-recipient",
        agreement=TRAFFORD,
        purpose="p",
        clause="5",
        sentence="S.",
        remedy="R.",
    )
    lines = list(problem_lines([said] * 5, TRAFFORD))
    assert lines[0].endswith(": 5.")
    assert len(lines) == 5
    assert lines[1].endswith("S. R. [policy/clear-recipient]")
    assert lines[-1].endswith(f"gateway policy review --agreement {TRAFFORD}")
    assert list(problem_lines([], TRAFFORD)) == []


def test_every_document_of_the_folder_seeds_the_store(office: Office) -> None:
    with office.database() as database, database.begin() as connection:
        stored = policy_store.bundle(connection)
    there = {
        str(path.relative_to(office.policies)): path.read_text()
        for path in office.policies.rglob("*.toml")
    }
    assert stored == there


def test_a_store_that_holds_documents_is_not_seeded_again(office: Office) -> None:
    at = dt.datetime.now(dt.UTC)
    with office.database() as database, database.begin() as connection:
        before = policy_store.bundle(connection)
        assert policy_store.seed(connection, {"agreements/x.toml": "x"}, at=at) == 0
        assert policy_store.bundle(connection) == before


def test_nobody_approves_their_own_proposal(office: Office) -> None:
    office.must("policy", "propose", TRAFFORD, "--as", "both")
    own = ("policy", "approve", TRAFFORD, "--as", "both")
    office.refused("operators/same-person", 3, *own)
    assert not in_force(office)


@pytest.mark.parametrize(
    ("words", "name", "code", "exit_code"),
    [
        (("policy", "propose", TRAFFORD), "ben", "operators/not-permitted", 3),
        (("policy", "approve", TRAFFORD), "carol", "operators/not-permitted", 3),
        (("policy", "approve", TRAFFORD), "kim", "policy/not-your-controller", 3),
        (("policy", "approve", TRAFFORD), "nobody", "operators/unknown", 2),
        (("policy", "withdraw", TRAFFORD), "carol", "operators/not-permitted", 3),
        (("policy", "propose", "no-such-agreement"), "ana", "policy/unknown-agreement", 2),
    ],
)
def test_only_the_right_person_acts(
    office: Office, words: tuple[str, ...], name: str, code: str, exit_code: int
) -> None:
    propose(office)
    office.refused(code, exit_code, *words, "--as", name)


def test_what_nobody_proposed_cannot_be_approved(office: Office) -> None:
    approve_it = ("policy", "approve", TRAFFORD, "--as", "ben")
    office.refused("policy/not-proposed", 2, *approve_it)


def test_a_new_text_changes_nothing_until_it_is_approved(office: Office) -> None:
    first = propose(office)
    approve(office)
    second = propose(office, newer(office))
    assert second != first
    assert in_force(office)
    with office.database() as database, database.begin() as connection:
        assert "Another title" not in policy_store.bundle(connection)[PLACE]
    approve(office)
    assert in_force(office)
    with office.database() as database, database.begin() as connection:
        assert "Another title" in policy_store.bundle(connection)[PLACE]


def test_a_change_of_what_the_digest_covers_makes_an_agreement_unapproved(office: Office) -> None:
    propose(office)
    approve(office)
    recipient = office.policies / "recipients" / "ons-research.toml"
    recipient.write_text(recipient.read_text().replace("2028-12-31", "2029-12-31"))
    kirklees = ("policy", "propose", "kirklees-stronger-families", recipient)
    told = office.must(*kirklees, "--as", "ana")
    assert told["ends_approval_of"] == [TRAFFORD]
    assert in_force(office)
    office.must("policy", "approve", "kirklees-stronger-families", "--as", "kim")
    assert not in_force(office)
    propose(office)
    approve(office)
    assert in_force(office)


def test_a_proposal_over_documents_that_moved_is_stale(office: Office) -> None:
    propose(office)
    recipient = office.policies / "recipients" / "ons-research.toml"
    recipient.write_text(recipient.read_text().replace("2028-12-31", "2029-12-31"))
    office.must("policy", "propose", "kirklees-stronger-families", recipient, "--as", "ana")
    office.must("policy", "approve", "kirklees-stronger-families", "--as", "kim")
    office.refused("policy/stale", 2, "policy", "approve", TRAFFORD, "--as", "ben")


KIRKLEES = "kirklees-stronger-families"


def noted(office: Office, word: str, *, over: str | None = None) -> Path:
    """A recipient's document with one more comment, which no digest of an agreement covers."""
    file = office.policies / "recipients" / "ons-research.toml"
    file.write_text((over or file.read_text()) + f"# {word}\n")
    return file


def test_of_two_changes_of_one_document_the_second_does_not_undo_the_first(office: Office) -> None:
    file = office.policies / "recipients" / "ons-research.toml"
    before = file.read_text()
    office.must("policy", "propose", KIRKLEES, noted(office, "first"), "--as", "ana")
    propose(office, TRAFFORD, noted(office, "second", over=before))
    office.must("policy", "approve", KIRKLEES, "--as", "kim")
    answer = office.refused("policy/stale", 2, "policy", "approve", TRAFFORD, "--as", "ben")
    assert "recipients/ons-research.toml" in str(answer)
    with office.database() as database, database.begin() as connection:
        kept = policy_store.bundle(connection)["recipients/ons-research.toml"]
    assert kept == before + "# first\n"
    propose(office, TRAFFORD, noted(office, "second", over=kept))
    approve(office)


def test_what_both_changes_say_alike_is_no_contradiction(office: Office) -> None:
    file = noted(office, "the same")
    office.must("policy", "propose", KIRKLEES, file, "--as", "ana")
    propose(office, TRAFFORD, file)
    office.must("policy", "approve", KIRKLEES, "--as", "kim")
    approve(office)


def test_a_proposal_from_an_exported_folder_knows_what_it_was_written_over(office: Office) -> None:
    office.must("policy", "export", office.policies)
    exported = (office.policies / "recipients" / "ons-research.toml").read_text()
    propose(office, TRAFFORD, noted(office, "mine"))
    approve(office)
    propose(office, TRAFFORD, noted(office, "mine again"))
    approve(office)

    shutil.copytree(office.policies, office.policies.parent / "theirs")
    theirs = dataclasses.replace(office, policies=office.policies.parent / "theirs")
    theirs.must("policy", "export", theirs.policies)
    theirs.must("policy", "propose", KIRKLEES, noted(theirs, "theirs"), "--as", "ana")
    theirs.must("policy", "approve", KIRKLEES, "--as", "kim")

    mine = noted(office, "mine over what was exported", over=exported)
    stale = ("policy", "propose", TRAFFORD, mine, "--as", "ana")
    office.refused("policy/stale", 2, *stale)
    office.must("policy", "export", office.policies)
    propose(office, TRAFFORD, noted(office, "mine at last"))
    approve(office)


def test_of_two_exported_folders_the_second_does_not_undo_the_first(
    office: Office, tmp_path: Path
) -> None:
    """Wherever the folders lie: the list beside the files counts, not a setting."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        office.must("policy", "export", folder)
    first, second = (folder / "recipients" / "ons-research.toml" for folder in folders)
    first.write_text(first.read_text() + "# first\n")
    second.write_text(second.read_text() + "# second\n")
    propose(office, TRAFFORD, first)
    approve(office)
    office.refused("policy/stale", 2, "policy", "propose", KIRKLEES, second, "--as", "ana")


def test_what_another_took_back_is_not_put_in_again(office: Office, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    office.must("policy", "export", mine)
    place = Path("recipients") / "ons-research.toml"
    before = (mine / place).read_text()
    (mine / place).write_text(before + "# one\n")
    propose(office, TRAFFORD, mine / place)
    approve(office)
    office.must("policy", "export", theirs)
    (theirs / place).write_text(before)
    propose(office, TRAFFORD, theirs / place)
    approve(office)
    (mine / place).write_text(before + "# one\n# two\n")
    office.refused("policy/stale", 2, "policy", "propose", TRAFFORD, mine / place, "--as", "ana")


def test_what_nobody_approved_may_be_written_over_again(office: Office, tmp_path: Path) -> None:
    office.must("policy", "export", tmp_path / "mine")
    file = tmp_path / "mine" / "recipients" / "ons-research.toml"
    for word in ("one", "two", "three"):
        file.write_text(file.read_text() + f"# {word}\n")
        propose(office, TRAFFORD, file)
    approve(office)


@pytest.mark.parametrize("damage", ["binary", "word", "folder", "upper"])
def test_a_damaged_list_is_said_and_one_that_sha256sum_reads_is_none(
    office: Office, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "mine"
    office.must("policy", "export", folder)
    listed = folder / "exported.sha256"
    text = listed.read_text()
    if damage == "folder":
        listed.unlink()
        listed.mkdir()
    else:
        changes = {"binary": text.replace("  ", " *"), "word": text + "surprise\n"}
        listed.write_text(
            changes.get(damage, "".join(f"{a.upper()}  {b}\n" for a, b in pairs(text)))
        )
    propose(office, TRAFFORD, noted(office, "another"))
    approve(office)
    stale = ("policy", "propose", TRAFFORD, folder / "recipients" / "ons-research.toml")
    code = ("policy/list-damaged", 4) if damage in {"word", "folder"} else ("policy/stale", 2)
    office.refused(*code, *stale, "--as", "ana")


def pairs(text: str) -> list[list[str]]:
    return [line.split("  ") for line in text.splitlines()]


def test_one_agreement_does_not_change_another(office: Office) -> None:
    office.refused(
        *("policy/other-agreement", 3),
        *("policy", "propose", KIRKLEES, newer(office), "--as", "ana"),
    )


@pytest.mark.parametrize(
    "path",
    [
        "recipients/../../run-me.toml",
        "recipients/x",
        "/outside/run-me.sh",
        "keys/x.toml",
        "recipients/a\u202elmot.toml",
        "recipients/evil\nvocabulary.toml",
        f"recipients/{'a' * 200}.toml",
        "recipients/.toml",
        "agreements//x.toml",
    ],
)
def test_a_document_at_no_place_of_one_is_neither_saved_nor_proposed_nor_written(
    office: Office, tmp_path: Path, path: str
) -> None:
    said = {"title": "x", "agreement": TRAFFORD, "by": "ana", "at": dt.datetime.now(dt.UTC)}
    with office.database() as database:
        refused = pytest.raises(InputRejected, match="policy/unknown-document")
        with refused, database.begin() as connection:
            policy_drafts.begin(connection, "draft-x", changes={path: "x = 1\n"}, **said)
        if len(path) > 200:
            return
        # Past every check, as an older gateway could have stored it.
        with database.begin() as connection:
            policy_store.set_heads(connection, {path: "x = 1\n"}, at=said["at"])
    out = tmp_path / "out"
    office.refused("policy/unknown-document", 4, "policy", "export", out)
    assert not out.exists() or not list(out.rglob("*"))
    without = ("policy", "propose", TRAFFORD, f"--without={path}", "--as", "ana")
    office.must(*without)
    approve(office)
    office.must("policy", "export", out)


@pytest.mark.parametrize("version", [2, 3, 5])
def test_a_text_that_is_not_one_version_further_is_stale(office: Office, version: int) -> None:
    file = newer(office, version)
    office.refused("policy/stale", 2, "policy", "propose", file, "--as", "ana")


def test_a_text_that_does_not_load_is_not_proposed(office: Office) -> None:
    file = newer(office)
    file.write_text(file.read_text() + "\nsurprise = 1\n")
    answer = office.run("policy", "propose", file, "--as", "ana")
    assert answer.code == 3
    assert "surprise" in answer.err


def test_a_contract_is_proposed_with_the_agreement_that_it_is_for(office: Office) -> None:
    contract = office.policies / "datasets" / "family_register.toml"
    alone = ("policy", "propose", contract, "--as", "ana")
    office.refused("policy/agreement-missing", 2, *alone)
    assert propose(office, TRAFFORD, contract)


def test_withdrawal_takes_effect_at_once_and_a_new_proposal_brings_it_back(
    office: Office,
) -> None:
    propose(office)
    approve(office)
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    assert not in_force(office)
    office.refused("policy/not-proposed", 2, "policy", "withdraw", TRAFFORD, "--as", "ben")
    propose(office)
    approve(office)
    assert in_force(office)


def test_the_same_approver_cannot_sign_twice(office: Office) -> None:
    propose(office)
    approve(office)
    again = ("policy", "approve", TRAFFORD, "--as", "ben")
    office.refused("policy/approved-before", 2, *again)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE policy_approvals SET signature = '{'0' * 128}'",
        "UPDATE policy_approvals SET approver = 'kim'",
        "UPDATE policy_approvals SET controller = 'kirklees-council'",
        "UPDATE policy_proposals SET editor = 'both'",
        f"UPDATE policy_proposals SET policy_digest = '{'0' * 64}'",
        "UPDATE policy_proposals SET controllers = 'kirklees-council'",
        "UPDATE policy_proposals SET agreement = 'kirklees-stronger-families'",
        "UPDATE policy_texts SET text = replace(text, '2028-12-31', '2029-12-31')",
    ],
)
def test_a_row_written_past_the_gateway_approves_nothing(office: Office, statement: str) -> None:
    propose(office)
    approve(office)
    with office.database() as database, database.begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0
    assert not in_force(office)


def test_a_custodian_may_not_grant_keys_for_what_they_approved(office: Office) -> None:
    bound = ("--controller", "trafford-council", "--as", "ada")
    roles = ("--role", "approver", "--role", "custodian")
    office.must("operators", "add", "dora", *roles, *bound)
    digest = propose(office)
    office.must("policy", "approve", TRAFFORD, "--as", "dora")
    new = ("keys", "new", "--kind", "study", "--study", "nis", "--epoch", "2026-1")
    office.must(*new, "--as", "carol")
    grant = ("--purpose", "national-impact-study", "--policy", digest, "--until", "2999-01-01")
    own = ("keys", "grant", "study-nis-2026-1", *grant, "--as")
    office.refused("operators/same-person", 3, *own, "dora")
    office.must(*own, "carol")
    with office.database() as database, database.begin() as connection:
        assert policy_store.actors(connection, digest) == {"ana", "dora"}


def test_a_notice_published_less_than_28_days_ago_holds_an_addition_back(office: Office) -> None:
    file = newer(office)
    text = file.read_text()
    at = text.index("\n", text.index("[purposes.national-impact-study.notice]")) + 1
    today = dt.datetime.now(dt.UTC).date()
    for days, refused in ((27, True), (28, False)):
        published = today - dt.timedelta(days=days)
        file.write_text(f"{text[:at]}published = {published}\n{text[at:]}")
        propose(office, file)
        if refused:
            words = ("policy", "approve", TRAFFORD, "--as", "ben")
            office.refused("policy/notice-too-recent", 3, *words)
        else:
            approve(office)


def test_export_writes_back_what_is_in_the_store(office: Office, tmp_path: Path) -> None:
    propose(office)
    approve(office)
    propose(office, newer(office))
    approve(office)
    first = office.must("policy", "export", tmp_path / "out")
    assert first["documents"] == len(first["changed"])
    assert "Another title" in (tmp_path / "out" / PLACE).read_text()
    assert office.must("policy", "export", tmp_path / "out")["changed"] == []


def test_status_tells_draft_proposed_approved_and_changed(office: Office) -> None:
    def state() -> str:
        rows = office.must("policy", "status")["agreements"]
        return next(row["state"] for row in rows if row["agreement"] == TRAFFORD)

    assert state() == "draft"
    propose(office)
    assert state() == "proposed"
    approve(office)
    assert state() == "approved"
    office.must("policy", "withdraw", TRAFFORD, "--as", "ana")
    assert state() == "draft"


def test_status_shows_an_agreement_that_stands_in_no_document_yet(office: Office) -> None:
    """Before and after the first of two approvals; with the last it stands there as any other."""

    def line() -> dict[str, object]:
        rows = office.must("policy", "status")["agreements"]
        (found,) = (row for row in rows if row["agreement"] == "two-councils")
        assert "two-councils" in office.run("policy", "status").out
        return {key: found[key] for key in ("version", "state", "approved", "missing")}

    text = (office.policies / PLACE).read_text(encoding="utf-8")
    for old, new in (
        (f'id = "{TRAFFORD}"', 'id = "two-councils"'),
        ("version = 3", "version = 1"),
        ('["trafford-council"]', '["trafford-council", "kirklees-council"]'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    place = office.policies / "agreements" / "two.toml"
    place.write_text(text, encoding="utf-8")
    propose(office, place)
    by_ben = [{"controller": "trafford-council", "approver": "ben"}]
    both = ["kirklees-council", "trafford-council"]
    told = {"version": 1, "state": "proposed", "approved": [], "missing": both}
    assert line() == told
    office.must("policy", "approve", "two-councils", "--as", "ben")
    assert line() == told | {"approved": by_ben, "missing": both[:1]}
    office.must("policy", "approve", "two-councils", "--as", "kim")
    assert (line()["state"], line()["missing"]) == ("approved", [])
