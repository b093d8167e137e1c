"""Somebody changes documents, a purpose and what is expected of it by form, in a real browser.

Source: WCAG 2.2 AA; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.served import serving
from tests.web.test_workshop import PAYLOAD, STUDY, TRAFFORD


@pytest.fixture(scope="module")
def office(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.copied(office_template, tmp_path_factory.mktemp("browser") / "office")


@pytest.fixture(scope="module")
def url(office: Office) -> Iterator[str]:
    with serving(office) as served:
        yield served.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_field_and_its_column_are_added_without_a_line_of_text(
    office: Office, url: str, browser: Any, scripts: bool
) -> None:
    with visiting(browser, url, scripts=scripts) as lead:
        lead.sign_in(offices.LOGINS["editor"], office)
        lead.go(f"/agreements/{TRAFFORD}")
        _press(lead, "text=Write a change")
        draft = lead.page.url
        _add_a_field(lead)
        assert "support_kind" in lead.text()

        _press(lead, "text=Vocabulary, datasets, recipients and legal bases")
        lead.page.select_option("#dataset", "datasets/early_help.toml")
        _press(lead, "text=Change it: Datasets")
        lead.check("documents-dataset")
        _press(lead, "text=Add a column")
        lead.page.fill("#new-name", "support_kind")
        lead.page.select_option("#type", "codes")
        lead.check("documents-column")
        _press(lead, "text=Save the draft")
        assert lead.page.url == draft
        assert "It cannot be proposed yet" not in lead.text()
        _look_at_the_others(lead)


def test_back_after_a_late_save_shows_what_was_saved_and_not_what_was_typed(
    office: Office, url: str, browser: Any
) -> None:
    with visiting(browser, url, scripts=True) as lead:
        lead.sign_in(offices.LOGINS["editor"], office)
        lead.go(f"/agreements/{TRAFFORD}")
        _press(lead, "text=Write a change")
        address = f"{lead.page.url}/field/{STUDY}/{PAYLOAD}?field=sex"
        lead.page.goto(address)
        lead.page.fill("#clause", "4.2(c)mine")
        lead.page.fill("#reason", "Mine.")
        other = lead.context.new_page()
        other.goto(address)
        other.fill("#clause", "4.2(c)theirs")
        with other.expect_navigation():
            other.click("text=Save the draft")
        _press(lead, "text=Save the draft")
        assert "4.2(c)mine" in lead.text()
        assert "Mine." in lead.text()
        lead.check("drafts-moved")
        lead.page.go_back()
        assert lead.page.input_value("#clause") == "4.2(c)theirs", (
            "what was typed over an older revision is not sent as if made from the newest"
        )
        assert lead.page.input_value("#reason") == ""


@pytest.mark.parametrize("page", ["/agreements/new", "/traces/releases", "cases", "agreement"])
def test_a_page_is_no_wider_than_a_telephone(
    office: Office, url: str, browser: Any, page: str
) -> None:
    with visiting(browser, url, scripts=True) as lead:
        lead.sign_in(offices.LOGINS["editor"], office)
        lead.page.set_viewport_size({"width": 375, "height": 700})
        lead.go(f"/agreements/{TRAFFORD}")
        if not page.startswith("/"):
            _press(lead, "text=Write a change")
            page = lead.page.url.removeprefix(url) + "/" + page
        lead.go(page)
        assert lead.page.evaluate("document.documentElement.scrollWidth") <= 375


def _press(lead: Visitor, selector: str) -> None:
    """Press a link or a button that leads to a page, and wait for it."""
    with lead.page.expect_navigation():
        lead.page.click(selector)


def _add_a_field(lead: Visitor) -> None:
    _press(lead, "text=Vocabulary, datasets, recipients and legal bases")
    lead.check("documents")
    _press(lead, "text=Add a field")
    lead.check("documents-field")
    lead.page.fill("#new-name", "support_kind")
    lead.page.fill("#codes", "1 = visit\n2 = call")
    _press(lead, "text=Save the draft")
    lead.check("documents-field-faults")
    lead.page.click(".govuk-error-summary a")
    lead.page.fill("#meaning", "Kind of the support.")
    lead.page.select_option("#class", "plain")
    _press(lead, "text=Save the draft")


def _look_at_the_others(lead: Visitor) -> None:
    for kind in ("recipient", "basis", "cohort", "party", "duty"):
        _press(lead, "text=Vocabulary, datasets, recipients and legal bases")
        _press(lead, f".govuk-main-wrapper form[action$='/{kind}'] button")
        lead.picture(f"documents-{kind}")
        _press(lead, "text=Save the draft")
        assert "Draft" in lead.text()
    _take_out_a_rule(lead)


def _take_out_a_rule(lead: Visitor) -> None:
    """By keyboard; what something else needs is said, with what was typed."""
    _press(lead, "text=Vocabulary, datasets, recipients and legal bases")
    lead.page.select_option("#field", "sex")
    _press(lead, "text=Change it: Vocabulary")
    lead.page.fill("#reason", "Nobody asks for it.")
    with lead.page.expect_navigation():
        lead.page.press("#take-out", "Enter")
    assert "cannot be taken out while something needs it" in lead.text()
    assert lead.page.input_value("#reason") == "Nobody asks for it."
    lead.picture("documents-needed")
    _press(lead, ".govuk-back-link")
    lead.page.select_option("#dataset", "datasets/police_incidents.toml")
    _press(lead, "text=Change it: Datasets")
    lead.page.select_option("#rule", "abuse-has-risk")
    _press(lead, "text=Change the rule")
    lead.picture("documents-rule")
    with lead.page.expect_navigation():
        lead.page.press("#take-out", "Enter")
    assert "Draft" in lead.text()


def test_a_purpose_is_changed_and_what_is_expected_of_it_is_written_down(
    office: Office, url: str, browser: Any
) -> None:
    with visiting(browser, url, scripts=True) as lead:
        lead.sign_in(offices.LOGINS["editor"], office)
        lead.go(f"/agreements/{TRAFFORD}")
        _press(lead, "text=Write a change")
        draft = lead.page.url
        _press(lead, "a[href$='/purpose/national-impact-study']")
        lead.page.fill("#clause", "")
        _press(lead, "text=Save the draft")
        lead.picture("purpose-faults")
        lead.page.fill("#clause", "4.2")
        lead.page.fill("[name='k.payload']", "8")
        _press(lead, "text=Save the draft")
        assert lead.page.url == draft
        _press(lead, "text=What you expect")
        lead.page.select_option("#purpose", "national-impact-study")
        _press(lead, "text=Go on")
        lead.page.check("#expects-4")
        _press(lead, "text=Add the case")
        assert "Choose the legal basis that would be missing" in lead.text()
        lead.picture("cases-fault")
        lead.page.select_option("#basis", "UKGDPR-9-2-j")
        _press(lead, "text=Add the case")
        assert lead.page.url == draft
        assert "without UKGDPR-9-2-j" in lead.text()
        _press(lead, "text=What you expect")
        lead.picture("cases")
        assert "Otherwise" not in lead.text()
