"""The API keeps to its own description: no 5xx, no undocumented answer, whatever comes in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
import schemathesis.specs.openapi.checks as openapi_checks
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import checks as every_check

from gateway.web import create_app
from gateway.web.api.documentation import document, undocumented
from gateway.web.desk import desk_of
from gateway.web.statuses import STATUS_OF
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import POLICE, Machine, signed_in

STREAMED = ("application/offset+octet-stream", "text/csv", "application/vnd.gateway.package")


@schemathesis.serializer(*STREAMED)
def _octets(_context: object, value: object) -> bytes:
    """Whatever it makes up, as bytes."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


CHECKS = [
    every_check.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def app(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    office = offices.copied(office_template, tmp_path_factory.mktemp("openapi") / "office")
    made = create_app(offices.settings_of(office), passwords=offices.CHEAP)
    yield made
    desk_of(made).database.close()


def test_every_route_under_api_is_described(app: Flask) -> None:
    assert undocumented(app) == []


def test_the_description_is_served_and_names_every_guard(app: Flask) -> None:
    told = app.test_client().get("/api/openapi.json").get_json()
    assert told["openapi"] == "3.1.0"
    assert told == document(app)
    for path, methods in told["paths"].items():
        for method, each in methods.items():
            assert each["summary"], (path, method)
            assert each["security"] or method in {"options", "get"}
            guarded = bool(each["security"])
            assert ("401" in each["responses"]) == guarded, (path, method)


def test_each_method_of_an_upload_is_described_as_its_own(app: Flask) -> None:
    told = document(app)["paths"]
    one, every = told["/api/v1/uploads/{upload}"], told["/api/v1/uploads"]
    assert one["options"]["responses"]["204"] == every["options"]["responses"]["204"]
    assert set(one["options"]["responses"]["204"]["headers"]) > {"Tus-Max-Size", "Tus-Resumable"}
    assert not one["options"]["security"]
    assert one["head"]["security"]
    assert one["head"]["summary"] != one["options"]["summary"]
    ids = [each["operationId"] for methods in told.values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_a_file_may_come_as_the_kinds_that_its_refusal_recommends(app: Flask) -> None:
    told = document(app)["paths"]["/api/v1/extracts"]["post"]["requestBody"]["content"]
    assert set(told) == {"application/octet-stream", "text/csv"}


def test_every_status_of_our_codes_is_an_error() -> None:
    assert all(400 <= status < 500 for status in STATUS_OF.values())


def caller(app: Flask, who: str) -> dict[str, str]:
    """The headers by which somebody is known."""
    if who == "machine":
        return Machine(app, offices.MACHINES[POLICE][0], POLICE).headers
    if who == "stranger":
        return {}
    browser = signed_in(app, offices.LOGINS[who])
    cookie = browser.get_cookie("gateway-session")
    assert cookie is not None
    return {"Cookie": f"{cookie.key}={cookie.value}", "X-CSRF-Token": browser.token}


@pytest.mark.parametrize("who", ["machine", "release-officer", "stranger"])
def test_it_answers_as_described_whatever_is_asked(app: Flask, who: str) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    known = caller(app, who)
    examples = 8 if who == "stranger" else 25
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def asked(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=known, checks=CHECKS)

        given(operation.as_strategy())(asked)()
