"""An approver reads what differs from what their agreement was last approved for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from gateway.adapters import policy_versions, recipients
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from tests.journeys.office import Office
from tests.web.office import Browser
from tests.web.test_workshop import TRAFFORD, said

Clients = Callable[[str], Browser]
KIRKLEES = "kirklees-stronger-families"
WIDER = ('programme_arm = ["PROG", "COMP"]', 'programme_arm = ["PROG", "COMP", "ASSESSED"]')
STARTS = ("starts = 2026-04-01", "starts = 2027-01-15")


def staff(office: Office) -> None:
    for name, role, controller in (
        ("zed", "editor", "trafford-council"),
        ("kap", "approver", "kirklees-council"),
    ):
        bound = ("--role", role, "--controller", controller, "--as", "ada")
        office.must("operators", "add", name, *bound)


def exported(office: Office, folder: Path, path: str, old: str, new: str, after: str = "") -> str:
    """A document as the store has it, with one change; its place in the folder."""
    office.must("policy", "export", str(folder))
    text = (folder / path).read_text(encoding="utf-8")
    at = text.index(after)
    assert old in text[at:]
    (folder / path).write_text(text[:at] + text[at:].replace(old, new, 1), encoding="utf-8")
    return str(folder / path)


def test_a_cohort_that_another_agreement_widened_is_told_with_its_writer(
    office: Office, data: Settings, client_as: Clients, tmp_path: Path
) -> None:
    staff(office)
    cohort = "[cohorts.programme-and-comparison]"
    vocabulary = exported(office, tmp_path / "theirs", "vocabulary.toml", *WIDER, after=cohort)
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "edith")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    page = said(client_as("approver").get(f"/agreements/{TRAFFORD}/proposal").text)
    assert "This is what differs from version 3 as it was approved." in page
    assert "ASSESSED" in page[: page.index("The whole agreement as it would be")]
    assert "Written by edith." in page
    office.must("policy", "approve", TRAFFORD, "--as", "april")
    database = Database(data.database_url)
    with database.read() as connection:
        newest = policy_versions.versions(connection, TRAFFORD)[0].number
    database.close()
    page = said(client_as("auditor").get(f"/agreements/{TRAFFORD}/versions/{newest}").text)
    assert "ASSESSED" in page


def test_a_version_that_begins_later_is_said_to_wait(office: Office, client_as: Clients) -> None:
    staff(office)
    place = "agreements/trafford.toml"
    path = exported(office, office.policies, place, *STARTS)
    text = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(text.replace("\nversion = 3\n", "\nversion = 4\n", 1), encoding="utf-8")
    told = "It begins on 15 January 2027; until then version 3 goes on."
    assert told in office.must("policy", "propose", path, "--as", "zed").out
    page = said(client_as("approver").get(f"/agreements/{TRAFFORD}/proposal").text)
    assert told in page
    assert told in office.must("policy", "approve", TRAFFORD, "--as", "april").out
    page = said(client_as("auditor").get(f"/agreements/{TRAFFORD}").text)
    assert "In force" in page
    assert f"Version 4 is approved. {told}" in page
    assert "Version 3" in page
    assert f"{TRAFFORD}: Version 4 is approved. {told}" in office.must("policy", "status").out
    page = said(client_as("auditor").get(f"/agreements/{TRAFFORD}/versions").text)
    assert page.index("Begins later") < page.index("Version 3") < page.index("Approved")
    assert "Replaced" not in page


def test_a_version_that_cannot_begin_any_more_waits_for_an_editor(
    office: Office, client_as: Clients, tmp_path: Path
) -> None:
    staff(office)
    path = exported(office, office.policies, "agreements/trafford.toml", *STARTS)
    text = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(text.replace("\nversion = 3\n", "\nversion = 4\n", 1), encoding="utf-8")
    office.must("policy", "propose", path, "--as", "zed")
    office.must("policy", "approve", TRAFFORD, "--as", "april")
    cannot = "it does not begin until it is proposed and approved again"
    assert cannot not in said(client_as("editor").get("/waiting").text)
    cohort = "[cohorts.programme-and-comparison]"
    vocabulary = exported(office, tmp_path / "theirs", "vocabulary.toml", *WIDER, after=cohort)
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "edith")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    page = said(client_as("editor").get("/waiting").text)
    assert cannot in page[page.index("Approved versions that cannot begin as they are") :]
    assert cannot in said(client_as("auditor").get(f"/agreements/{TRAFFORD}").text)


def test_a_recipients_new_key_is_told_before_it_is_signed(
    office: Office, data: Settings, client_as: Clients, tmp_path: Path
) -> None:
    database = Database(data.database_url)
    with database.read() as connection:
        then = recipients.find(connection, "ons-research").fingerprint
    office.must("recipient-key", "new", "--to", str(tmp_path / "new"))
    office.confirm("ons-research", str(tmp_path / "new" / "recipient.pub"))
    with database.read() as connection:
        now = recipients.find(connection, "ons-research").fingerprint
    sentence = (
        "which opens what is released to it: the fingerprint then was "
        f"{then}, the fingerprint now is {now}"
    )
    office.must("policy", "propose", TRAFFORD, "--as", "edith")
    page = closed_up(client_as("approver").get(f"/agreements/{TRAFFORD}/proposal").text)
    told = page[page.index("What it changes") : page.index("Who has to sign")]
    assert f"(ons-research), {sentence}" in told
    assert "Nothing differs" not in page
    with database.read() as connection:
        newest = policy_versions.versions(connection, TRAFFORD)[0].number
    database.close()
    auditor, path = client_as("auditor"), f"/agreements/{TRAFFORD}/versions/{newest}"
    assert sentence in closed_up(auditor.get(path).text)
    office.must("policy", "approve", TRAFFORD, "--as", "april")
    assert sentence in closed_up(auditor.get(path).text)
    assert "Nothing differs" in said(auditor.get(f"/agreements/{TRAFFORD}/proposal").text)


def closed_up(page: str) -> str:
    """What a page says, without the spaces that its marks leave."""
    return re.sub(r" (?=[),:])|(?<=\() ", "", " ".join(said(page).split()))
