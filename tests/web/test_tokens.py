"""Machines prove themselves; whoever forges gets one same answer, byte for byte.

Source: RFC 7515, 7519, 7523, 8725, 9068; security point 9.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.adapters import clients
from gateway.adapters.access_tokens import ASSERTION_TYPE, TYPE
from gateway.adapters.account_desk import AccountDesk
from gateway.adapters.assertions import Expected, encoded, read, thumbprint, write
from gateway.adapters.keyring_signing import public_of, raw_public
from gateway.adapters.sign_in_limits import PER_NETWORK, SIGN_IN_TRIES
from gateway.web.api.oauth import BEARER, GRANT
from gateway.web.desk import desk_of
from gateway.web.signing_in import desk_of_sign_in
from tests.web.forgeries import Good, forgeries
from tests.web.office import ADDRESS, CHEAP, POLICE, Machine, access_token, proof_of, secret_of

CLIENT = "police-nightly"


def now() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp())


def kid_of(client: str) -> str:
    return thumbprint(raw_public(public_of(secret_of(client))))


def good_assertion() -> Good:
    claims = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": f"{ADDRESS}/oauth/token",
        "jti": secrets.token_hex(8),
        "iat": now(),
        "nbf": now(),
        "exp": now() + 120,
    }
    header = {"alg": "EdDSA", "kid": kid_of(CLIENT), "typ": ASSERTION_TYPE}
    return Good(header, claims, secret_of(CLIENT), secret_of("ons-inbox"))


def good_access_token(app: Flask) -> Good:
    key = desk_of_sign_in(app).keys.token_keys(dt.datetime.now(dt.UTC))[0]
    claims = {
        "iss": ADDRESS,
        "sub": CLIENT,
        "aud": f"{ADDRESS}/api/v1",
        "client_id": CLIENT,
        "jti": secrets.token_hex(8),
        "iat": now(),
        "nbf": now(),
        "exp": now() + 600,
    }
    header = {"alg": "EdDSA", "kid": key.kid, "typ": TYPE}
    return Good(header, claims, key.secret, secret_of(CLIENT))


def asked(app: Flask, assertion: str, **fields: str) -> TestResponse:
    form = {
        "grant_type": GRANT,
        "client_assertion_type": BEARER,
        "client_assertion": assertion,
        **fields,
    }
    return app.test_client().post("/oauth/token", data=form)


def whole(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything that an answer says."""
    return answer.status_code, answer.data, sorted(answer.headers.items())


def known_to_api(app: Flask, token: str, scheme: str = "Bearer") -> bool:
    """Whether the service takes an access token."""
    from flask import request

    from gateway.web import signing_in

    with app.test_request_context(environ_overrides={"HTTP_AUTHORIZATION": f"{scheme} {token}"}):
        return signing_in.machine(request) is not None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_known_in_any_case(app: Flask, scheme: str) -> None:
    token = asked(app, good_assertion().signed()).get_json()["access_token"]
    assert known_to_api(app, token, scheme)
    assert not known_to_api(app, token, f"{scheme}s")


def test_a_good_assertion_gets_a_token_that_the_api_takes(app: Flask) -> None:
    answer = asked(app, good_assertion().signed())
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.get_json()
    assert told["token_type"] == "Bearer"
    assert 300 <= told["expires_in"] <= 600
    assert known_to_api(app, told["access_token"])


NAMES = [name for name, _ in forgeries(good_assertion())]


@pytest.fixture(scope="module")
def shared_app(office_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One application for all forgeries: none of them may change anything."""
    from gateway.web import create_app
    from tests.web import office as offices

    office = offices.copied(office_template, tmp_path_factory.mktemp("forged") / "office")
    app = create_app(offices.settings_of(office), passwords=CHEAP)
    yield app
    desk_of(app).database.close()


@pytest.fixture
def uncounted(shared_app: Flask) -> Flask:
    """The shared application with its count of failures at nought."""
    with desk_of(shared_app).database.begin() as connection:
        connection.execute(SIGN_IN_TRIES.delete())
    return shared_app


@pytest.mark.parametrize("name", NAMES)
def test_every_forged_assertion_gets_the_one_same_answer(uncounted: Flask, name: str) -> None:
    good = good_assertion()
    stranger = whole(asked(uncounted, "hello"))
    forged = dict(forgeries(good))[name]()
    assert whole(asked(uncounted, forged)) == stranger
    assert stranger[:2] == (401, b'{"error": "invalid_client"}')
    assert asked(uncounted, good.signed()).status_code == 200, "the good one is still good"


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if "jti" not in name or "twice" in name or "missing" in name],
)
def test_every_forged_access_token_is_a_stranger(uncounted: Flask, name: str) -> None:
    good = good_access_token(uncounted)
    assert known_to_api(uncounted, good.signed())
    assert not known_to_api(uncounted, dict(forgeries(good))[name]())


def test_an_assertion_is_no_access_token_and_the_other_way_round(app: Flask) -> None:
    assert not known_to_api(app, proof_of(CLIENT))
    assert asked(app, access_token(app, CLIENT)).status_code == 401


def test_a_client_may_name_itself_beside_its_assertion(app: Flask) -> None:
    assert asked(app, proof_of(CLIENT), client_id=CLIENT).status_code == 200
    stranger = whole(asked(app, "hello"))
    for said in ("council-nightly", "", CLIENT.upper()):
        assert whole(asked(app, proof_of(CLIENT), client_id=said)) == stranger
    assert whole(asked(app, proof_of(CLIENT), client_id=CLIENT, scope="api")) == stranger


def test_an_assertion_serves_once(app: Flask) -> None:
    assertion = proof_of(CLIENT)
    assert asked(app, assertion).status_code == 200
    replayed = asked(app, assertion)
    assert whole(replayed) == whole(asked(app, "hello"))


def test_one_jti_serves_two_clients_that_drew_it_by_chance(app: Flask) -> None:
    for client in (CLIENT, "council-nightly"):
        claims: dict[str, str | int] = {
            "iss": client,
            "sub": client,
            "aud": f"{ADDRESS}/oauth/token",
            "jti": "the-same",
            "iat": now(),
            "nbf": now(),
            "exp": now() + 60,
        }
        signed = write(secret_of(client), claims, typ=ASSERTION_TYPE, kid=kid_of(client))
        assert asked(app, signed).status_code == 200


def test_a_client_cannot_speak_for_another(app: Flask) -> None:
    good = good_assertion()
    claims = {**good.claims, "iss": "ons-inbox", "sub": "ons-inbox"}
    assert asked(app, good.signed(claims=claims)).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password"},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_secret": "x"},
        {"scope": "everything"},
    ],
)
def test_another_way_of_asking_gets_the_same_answer(app: Flask, form: dict[str, str]) -> None:
    assert whole(asked(app, good_assertion().signed(), **form)) == whole(asked(app, "hello"))


def test_fields_given_twice_elsewhere_or_not_at_all_get_the_same_answer(app: Flask) -> None:
    good, browser = good_assertion().signed(), app.test_client()
    form = {"grant_type": GRANT, "client_assertion_type": BEARER, "client_assertion": good}
    answers = [
        browser.post("/oauth/token", data={**form, "client_assertion": [good, good]}),
        browser.post("/oauth/token?scope=x", data=form),
        browser.post("/oauth/token", query_string=form),
        browser.post("/oauth/token", json=form),
        browser.post("/oauth/token", data={**form, "client_assertion": "x" * 20_000}),
        browser.post("/oauth/token"),
    ]
    assert {repr(whole(answer)) for answer in answers} == {repr(whole(asked(app, "hello")))}


def test_a_network_that_fails_too_often_gets_the_same_answer_for_a_good_assertion(
    app: Flask,
) -> None:
    for _ in range(PER_NETWORK):
        refused = asked(app, "hello")
    assert whole(asked(app, good_assertion().signed())) == whole(refused)
    with desk_of(app).database.begin() as connection:
        connection.execute(SIGN_IN_TRIES.delete())
    assert asked(app, good_assertion().signed()).status_code == 200


def test_a_revoked_client_ends_with_its_next_request(
    app: Flask, machine: Callable[[str], Machine]
) -> None:
    token = access_token(app, CLIENT)
    assert known_to_api(app, token)
    desk = AccountDesk(desk_of(app).database, acting="ada", at=desk_of(app).now(), passwords=CHEAP)
    desk.revoke_client(CLIENT)
    assert not known_to_api(app, token)
    assert whole(asked(app, proof_of(CLIENT))) == whole(asked(app, "hello"))


def test_a_client_changes_its_key_without_a_gap(app: Flask) -> None:
    desk = AccountDesk(desk_of(app).database, acting="ada", at=desk_of(app).now(), passwords=CHEAP)
    fresh = secret_of("a-new-key")
    kid = desk.add_client_key(CLIENT, public=raw_public(public_of(fresh)))
    good = good_assertion()
    by_new = good.signed(header={**good.header, "kid": kid}, secret=fresh)
    assert asked(app, by_new).status_code == 200
    assert asked(app, proof_of(CLIENT)).status_code == 200
    desk.revoke_client(CLIENT, kid=kid_of(CLIENT))
    assert asked(app, proof_of(CLIENT)).status_code == 401


def test_the_memory_of_taken_assertions_is_emptied_when_they_have_ended(app: Flask) -> None:
    for _ in range(3):
        asked(app, proof_of(CLIENT))
    later = desk_of(app).now() + dt.timedelta(minutes=10)
    with desk_of(app).database.begin() as connection:
        assert clients.forget_spent(connection, at=later) == 3


def test_roles_come_from_the_table_not_from_the_token(app: Flask) -> None:
    token = access_token(app, CLIENT)
    body = json.loads(_decoded(token.split(".")[1]))
    assert set(body) == {"iss", "sub", "aud", "client_id", "jti", "iat", "nbf", "exp"}


def test_a_rotated_key_verifies_its_tokens_until_they_have_ended(app: Flask) -> None:
    keys = desk_of_sign_in(app).keys
    before = access_token(app, CLIENT)
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    old = keys.token_keys(at)[0]
    fresh = keys.rotate(at)
    assert fresh.kid != old.kid
    assert [key.kid for key in keys.token_keys(at)] == [fresh.kid, old.kid]
    assert known_to_api(app, before)
    later = at + dt.timedelta(hours=1)
    assert [key.kid for key in keys.token_keys(later)] == [fresh.kid]
    keys.rotate(later)
    keys.rotate(later + dt.timedelta(hours=1))
    assert len(list(keys.folder.glob("token-*.key"))) == 2, "what verifies nothing is shredded"


def test_the_web_key_files_are_for_the_gateway_alone(app: Flask) -> None:
    folder = desk_of_sign_in(app).keys.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o400}


def test_the_key_set_publishes_public_halves_only(app: Flask) -> None:
    answer = app.test_client().get("/.well-known/jwks.json")
    told = answer.get_json()["keys"]
    assert {key["gateway_use"] for key in told} == {
        "access-token",
        "package-signing",
        "ledger-signing",
    }
    for key in told:
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg", "gateway_use"}
    secret = desk_of_sign_in(app).keys.token_keys(dt.datetime.now(dt.UTC))[0].secret
    assert encoded(secret) not in answer.get_data(as_text=True)


def test_no_secret_shows_in_a_repr(app: Flask) -> None:
    desk = desk_of_sign_in(app)
    key = desk.keys.token_keys(dt.datetime.now(dt.UTC))[0]
    shown = repr(desk) + repr(desk.keys) + repr(key) + repr(desk.tokens)
    assert repr(key.secret) not in shown
    assert repr(desk.keys.root) not in shown


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_whatever_is_sent_the_reader_answers_none_and_never_fails(text: str) -> None:
    expected = Expected(typ=TYPE, audience="x", life=dt.timedelta(minutes=5))
    at = dt.datetime.now(dt.UTC)
    assert read(text, expected, key_of=lambda _: bytes(32), at=at) is None


@given(st.data())
def test_no_single_changed_character_of_a_token_is_taken(data: st.DataObject) -> None:
    token = good_assertion().signed()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[place]))
    changed = token[:place] + letter + token[place + 1 :]
    expected = Expected(
        typ=ASSERTION_TYPE,
        audience=f"{ADDRESS}/oauth/token",
        life=dt.timedelta(minutes=5),
    )
    public = raw_public(public_of(secret_of(CLIENT)))
    keys = {kid_of(CLIENT): public}
    at = dt.datetime.now(dt.UTC)
    assert read(token, expected, key_of=keys.get, at=at) is not None
    assert read(changed, expected, key_of=keys.get, at=at) is None


def test_a_machine_of_the_harness_is_of_its_party(machine: Callable[[str], Machine]) -> None:
    assert machine(POLICE).client == CLIENT


def _decoded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
