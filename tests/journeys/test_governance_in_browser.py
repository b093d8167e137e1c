"""A lead writes a change in the browser, others approve, the next release follows, it is proved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.standalone import verify_release
from tests.journeys import borough, borough_pages
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.service.serving import Service, serving

TRAFFORD = "/agreements/trafford-stronger-families"
OVER = 60_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    office = borough_pages.ready(tmp_path_factory.mktemp("pages"))
    with serving(office) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def test_a_change_is_written_approved_released_and_proved(
    service: Service, browser: Any, tmp_path: Path
) -> None:
    office = service.office
    _share(office)
    with visiting(browser, service.url) as lead:
        lead.sign_in("edith", office)
        _write_a_change(lead)
    with visiting(browser, service.url) as approver:
        approver.sign_in("april", office)
        digest = _approve(approver)
    with office.open():
        office.grant("study-nis-2026-1", borough.STUDY, digest)
    released = _share(office)
    if released["state"] == "held":
        with visiting(browser, service.url) as approver:
            approver.sign_in("april", office)
            _accept(approver, str(released["release"]))
        released = _share(office)
    assert released["state"] == "forwarded", released
    with visiting(browser, service.url) as lead:
        lead.sign_in("edith", office)
        lead.go(f"{TRAFFORD}/notice")
        assert "intensity of the support" in lead.text()
        lead.picture("lead-notice")
        lead.go("/traces?agreement=trafford-stronger-families&column=intensity")
        lead.check("lead-traces")
    with visiting(browser, service.url) as auditor:
        auditor.sign_in("aude", office)
        file = _prove(auditor, office, str(released["release"]), tmp_path)
    with office.open():
        trust = office.trust()
    assert verify_release.main([str(file), "--trust", str(trust)]) == 0


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
    page.select_option("#column", "family_register.intensity")
    page.check("input[name=treat][value=keep]")
    page.fill("#clause", "4.2(c)iv")
    page.fill("#reason", "The study asks how much support each family had.")
    lead.picture("lead-field")
    page.click("text=Save the draft")
    assert "adds intensity to national-impact-study" in lead.text()
    page.click("a:has-text('Change age_band') >> nth=0")
    page.check("input[name=treat][value=age-band-10]")
    page.fill("#reason", "Wider ages, because the new field makes groups smaller.")
    lead.picture("lead-coarsen")
    page.click("text=Save the draft")
    assert "age_band" in lead.page.inner_text("#changes + ul")
    lead.picture("lead-draft")
    _write_as_text(lead)
    page.click("text=Propose it to the approvers")
    page.wait_for_selector(".govuk-panel__title", timeout=OVER)
    lead.picture("lead-proposed")


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


def _approve(approver: Visitor) -> str:
    page = approver.page
    page.click("nav >> text=What waits")
    assert "You may settle 1 of these" in approver.text()
    approver.picture("lead-waiting")
    page.click("main .govuk-inset-text a")
    told = approver.text()
    assert "adds intensity to national-impact-study" in told
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
