"""The same doors of the running service: real processes, real sockets.

Source: docs/explanation/service.md, "Callers".
"""

from __future__ import annotations

import re

import httpx

from tests.service.serving import Service
from tests.web.office import PASSWORD, bearer, shown_code


def test_a_person_and_a_machine_come_into_the_running_service(service: Service) -> None:
    headers = bearer(service.url, "police-nightly")
    assert headers["Authorization"].startswith("Bearer ey")
    with httpx.Client(base_url=service.url, follow_redirects=True) as browser:
        step = sent(browser, browser.get("/account"), login="rosa", password=PASSWORD)
        home = sent(browser, step, code=shown_code("rosa"))
        assert str(home.url) == f"{service.url}/account"
        assert "release-officer" in home.text
        assert browser.post("/sign-out").status_code == 403


def sent(browser: httpx.Client, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send the form of a page with its hidden fields."""
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert action is not None, page.text
    return browser.post(action[1], data={**hidden, **fields})
