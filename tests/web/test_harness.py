"""The harness itself: somebody signed in is known, a stranger is not."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.web.office import POLICE, Browser, Machine


def test_the_start_page_greets_who_is_signed_in(
    app: Flask, client_as: Callable[[str], Browser]
) -> None:
    assert b"Signed in as" not in app.test_client().get("/").data
    assert b"Signed in as rosa" in client_as("release-officer").get("/").data


def test_a_machine_is_known_by_its_access_token(
    app: Flask, machine: Callable[[str], Machine]
) -> None:
    from gateway.web import signing_in

    with app.test_request_context(headers=machine(POLICE).headers):
        from flask import request

        caller = signing_in.machine(request)
    assert caller is not None
    assert (caller.name, caller.party) == ("police-nightly", POLICE)
