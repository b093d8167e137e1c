"""A lead writes a change in the browser, others approve, the next release follows, it is proved."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error as PlaywrightError

from gateway.standalone import verify_release
from tests.journeys import borough, borough_pages
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.notices.listeners import Mailbox, mail_server
from tests.service.serving import Service, serving, until

TRAFFORD = "/agreements/trafford-stronger-families"
OVER = 60_000
TO = "april@trafford.example"
FIELD = "start_year"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Service]:
    office = borough_pages.ready(tmp_path_factory.mktemp("pages"))
    office.settings |= {
        "GATEWAY_SMTP_HOST": "127.0.0.1",
        "GATEWAY_SMTP_PORT": str(mailbox.port),
        "GATEWAY_SMTP_TLS": "none",
        "GATEWAY_SMTP_FROM": "gateway@trafford.example",
    }
    with serving(office) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def test_a_change_is_written_approved_released_and_proved(
    service: Service, mailbox: Mailbox, browser: Any, tmp_path: Path
) -> None:
    office = service.office
    assert _share(office)["state"] == "forwarded"
    with visiting(browser, service.url) as approver:
        approver.sign_in("april", office)
        _say_where_to_write(approver)
    with visiting(browser, service.url) as lead:
        lead.sign_in("edith", office)
        _write_a_change(lead)
    until(lambda: mailbox.to(TO), bool)
    with visiting(browser, service.url) as approver:
        approver.sign_in("april", office)
        digest = _approve(approver, mailbox)
    released = _released(service, browser, digest)
    with visiting(browser, service.url) as lead:
        lead.sign_in("edith", office)
        _what_changed_by_itself(lead)
    with visiting(browser, service.url) as auditor:
        auditor.sign_in("aude", office)
        file = _prove(auditor, office, released, tmp_path)
    with office.open():
        trust = office.trust()
    assert verify_release.main([str(file), "--trust", str(trust)]) == 0


def _say_where_to_write(approver: Visitor) -> None:
    page = approver.page
    page.click("text=Your account")
    page.fill("#address", "april@trafford.gcsx.gov.uk")
    page.click("text=Save the address")
    assert "closed in March 2019" in approver.text()
    page.fill("#address", TO)
    page.click("text=Save the address")
    assert "Notices now go where you said" in approver.text()
    approver.picture("lead-address")


def _released(service: Service, browser: Any, digest: str) -> str:
    """The next release: it is unusual, so another person accepts it first."""
    office = service.office
    with office.open():
        office.grant("study-nis-2026-1", borough.STUDY, digest)
    held = _share(office)
    assert held["state"] == "held", held
    with visiting(browser, service.url) as approver:
        approver.sign_in("april", office)
        _accept(approver, str(held["release"]))
    released = _share(office)
    assert released["state"] == "forwarded", released
    return str(released["release"])


def _what_changed_by_itself(lead: Visitor) -> None:
    lead.go(f"{TRAFFORD}/notice")
    assert "support began" in lead.text() or "start of" in lead.text()
    lead.picture("lead-notice")
    lead.go(f"/traces?agreement=trafford-stronger-families&column={FIELD}")
    assert "as the year" in lead.text() or "year" in lead.text()
    lead.check("lead-traces")
    register = lead.context.request.get(f"{lead.url}/register.csv").text()
    assert "trafford-stronger-families/national-impact-study" in register
    assert "support began" in register
    lead.go(f"{TRAFFORD}/versions")
    lead.picture("lead-versions")
    lead.page.click("main tbody a >> nth=0")
    assert f"({FIELD}) to National Impact Study" in lead.text()
    assert "Wider ages" in lead.text()
    assert "april for Trafford Council" in lead.text()
    lead.picture("lead-version")


def _write_a_change(lead: Visitor) -> None:
    page = lead.page
    page.click("nav >> text=Agreements")
    lead.picture("lead-agreements")
    page.click("main a[href$='/trafford-stronger-families']")
    lead.picture("lead-agreement")
    page.click("text=Write a change")
    page.click("a:has-text('Add a field to payload of National Impact Study') >> nth=0")
    page.click("text=Save the draft")
    assert "There is a problem" in lead.text()
    lead.check("lead-field-error")
    lead.go(urlsplit(page.url).path)
    page.select_option("#column", "family_register.start")
    page.fill("#name", FIELD)
    page.check("input[name=treat][value=year]")
    page.fill("#clause", "4.2(c)iv")
    page.fill("#reason", "The study asks in which year each family was first supported.")
    lead.picture("lead-field")
    page.click("text=Save the draft")
    assert f"({FIELD}) to National Impact Study" in lead.text()
    small, people = _preview(lead, "lead-preview")
    assert "The draft makes small groups" in lead.text()
    assert small > 0, "the new field makes small groups"
    assert people < 0, "and whoever is in one is not sent"
    page.click("text=Go to the draft")
    page.click("a:has-text('Change age_band') >> nth=0")
    page.check("input[name=treat][value=age-band-10]")
    page.fill("#reason", "Wider ages, because the new field makes groups smaller.")
    lead.picture("lead-coarsen")
    page.click("text=Save the draft")
    assert "age_band" in lead.page.inner_text("#changes + ul")
    fewer_small, more_people = _preview(lead, "lead-preview-again")
    assert fewer_small < small
    assert more_people > people
    page.click("text=Go to the draft")
    lead.picture("lead-draft")
    _write_as_text(lead)
    page.click("text=Propose it to the approvers")
    page.wait_for_selector(".govuk-panel__title", timeout=OVER)
    lead.picture("lead-proposed")


def _preview(lead: Visitor, name: str) -> tuple[int, int]:
    """Ask, wait, read: by how much the small groups and the people who are sent change."""
    page = lead.page
    page.click("text=Preview its impact")
    page.wait_for_selector("h1:has-text('Preview of a change')")
    with contextlib.suppress(PlaywrightError):
        page.wait_for_selector("text=Under way", timeout=8_000)
    lead.glimpse(f"{name}-asked")
    page.wait_for_selector("text=Nothing has left", timeout=OVER)
    lead.picture(name)
    return _difference(lead, "Groups of too few families"), _difference(lead, "People who are sent")


def _difference(lead: Visitor, measure: str) -> int:
    told = lead.page.inner_text(f"tr:has(th:text-is('{measure}')) td >> nth=2")
    count = int("".join(each for each in told if each.isdigit()))
    return -count if told.endswith("fewer") else count


def _write_as_text(lead: Visitor) -> None:
    """By keyboard: a fault is said at its line, words are completed, and Tab leads out."""
    page = lead.page
    page.click("text=Write it as text")
    page.wait_for_selector(".cm-content")
    lead.picture("lead-text")
    page.click("label[for=text]")
    page.keyboard.press("Control+Home")
    page.keyboard.type("inten")
    page.wait_for_selector(".cm-tooltip-autocomplete")
    page.keyboard.press("Escape")
    page.wait_for_selector("text=What stops it")
    lead.picture("lead-text-fault")
    for _ in range(5):
        page.keyboard.press("Backspace")
    page.wait_for_selector("h2:has-text('What it changes')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.click("nav[aria-label=Back] >> text=Draft")


def _approve(approver: Visitor, mailbox: Mailbox) -> str:
    page = approver.page
    page.click("nav >> text=What waits")
    assert "You may settle 1 of these" in approver.text()
    approver.picture("lead-waiting")
    written = mailbox.to(TO)[0].get_content()
    link = next(line for line in written.splitlines() if line.endswith("/proposal"))
    approver.go(urlsplit(link).path)
    told = approver.text()
    assert f"({FIELD}) to National Impact Study" in told
    assert "age_band" in told
    assert "The study asks in which year" in told, "the approver reads why"
    approver.picture("lead-proposal")
    digest = str(page.input_value("input[name=policy_digest]"))
    page.focus("text=Approve and sign")
    page.keyboard.press("Enter")
    page.wait_for_selector(".govuk-panel__title", timeout=OVER)
    approver.go(TRAFFORD)
    assert "In force" in approver.text()
    approver.go("/permissions")
    approver.picture("lead-permissions")
    return digest


def _accept(approver: Visitor, release: str) -> None:
    page = approver.page
    approver.go(f"/releases/{release}")
    approver.picture("lead-held")
    page.click("text=Say why it is as it should be")
    page.click("main button")
    assert "Enter why it is as it should be" in approver.text()
    page.fill("#reason", "The new column was approved this month.")
    approver.picture("lead-accept")
    page.click("main button")
    assert "Accepted by april" in approver.text()
    approver.check("lead-accepted")


def _prove(auditor: Visitor, office: Office, release: str, folder: Path) -> Path:
    page = auditor.page
    auditor.go(f"/releases/{release}")
    page.click("text=See the proof")
    assert "newer than the last signed checkpoint" in auditor.text()
    with office.open():
        office.must("ledger", "checkpoint", "--as", "ada")
    page.reload()
    assert "Broken" not in auditor.text()
    assert auditor.text().count("Kept") >= 9
    auditor.picture("lead-proof")
    lineage = auditor.context.request.get(f"{auditor.url}/releases/{release}/lineage.json").json()
    (payload,) = (each for each in lineage[-1]["outputs"] if each["name"].endswith(".payload"))
    (source,) = payload["facets"]["columnLineage"]["fields"][FIELD]["inputFields"]
    assert (source["name"], source["field"]) == ("family_register", "start")
    auditor.go(f"/traces/releases?column={FIELD}")
    assert "4.2(c)iv" in auditor.text()
    auditor.check("lead-released")
    auditor.go(f"/releases/{release}/proof")
    with page.expect_download() as downloading:
        page.click("text=Download the proof")
    file = folder / "proof.json"
    file.write_bytes(Path(downloading.value.path()).read_bytes())
    assert json.loads(file.read_bytes())["release"] == release
    page.click("nav >> text=Who did what")
    page.select_option("#operator", "april")
    page.click("main button")
    assert "Policy approved" in auditor.text()
    auditor.picture("lead-audit")
    return file


def _share(office: Office) -> dict[str, Any]:
    with office.open():
        answer = office.run(*borough.SHARE, "--to", str(office.home / "outbox"), "--json")
    return dict(json.loads(answer.out))
