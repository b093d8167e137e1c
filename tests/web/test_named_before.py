"""What leaves is named before it leaves, what cannot is said, and who is away is not named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from gateway import policy
from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from gateway.model import Plan
from gateway.web import problems
from gateway.web.release_columns import of_plan
from gateway.wiring import open_bundle
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web.office import Browser

TABLES = "published-stats"


def test_the_slot_is_named_before_a_release(office: Office, data: Settings) -> None:
    told = office.ask("explain", borough.STUDY, "--agreement", borough.AGREEMENT)
    linked = [each for each in told["outputs"] if each["tokens"]]
    assert linked
    assert all(each["beside_tokens"] == ["link_id", "slot"] for each in linked)
    others = [each for each in told["outputs"] if not each["tokens"]]
    assert all(each["beside_tokens"] == [] for each in others)
    assert any('carries "slot"' in each for each in told["sentences"])
    database = Database(data.database_url)
    bundle = open_bundle(database)
    database.close()
    request = policy.decision.SharingRequest(purpose=borough.STUDY, agreement=borough.AGREEMENT)
    plan = policy.decide(request, bundle, on=dt.datetime.now(dt.UTC).date())
    assert isinstance(plan, Plan)
    shown = {
        output.name: [column.name for column in output.columns] for output in of_plan(plan, bundle)
    }
    for output in plan.outputs:
        assert ("slot" in shown[output.name]) is bool(output.tokens)


def test_a_purpose_of_tables_is_no_choice_and_says_why(
    client_as: Callable[[str], Browser],
) -> None:
    officer = client_as("release-officer")
    page = officer.get("/releases/new").text
    possible, _, refused = page.partition("Not possible now")
    assert f"/{TABLES}" not in possible
    assert "only rows are made and forwarded yet" in refused
    asked = officer.post("/releases/new", data={"what": f"{borough.AGREEMENT}/{TABLES}"})
    assert asked.status_code == 422


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/extracts"])
def test_a_database_that_is_away_is_not_named_to_callers(
    app: Flask, data: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT secret", {}, Exception("host=db.internal"))

    monkeypatch.setattr(jobs, "tally", away)
    if path == "/metrics":
        answer = app.test_client().get(path)
    else:
        database = Database(data.database_url)
        with pytest.raises(problems.Unavailable) as caught, database.read():
            away()
        database.close()
        assert caught.value.facts["fault"] == "OperationalError"
        with app.test_request_context(path):
            answer = problems._gateway_error(caught.value)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    for word in ("OperationalError", "PostgreSQL", "SELECT", "db.internal", "disk"):
        assert word not in answer.get_data(as_text=True)
