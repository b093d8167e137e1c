"""Uploads over HTTP: the tus protocol as its text says it, and the plain POST beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gateway.adapters.settings import Settings
from tests.web.office import COUNCIL, POLICE, RESEARCH, Browser, Machine

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}
CONTENT = b"reference,dob\r\n" + b"1,2001-02-03\r\n" * 500

Machines = Callable[[str], Machine]


def metadata(dataset: str, **more: str) -> str:
    pairs = {"dataset": dataset, **more}
    return ",".join(f"{key} {base64.b64encode(pairs[key].encode()).decode()}" for key in pairs)


def created(police: Machine, dataset: str, length: int = len(CONTENT)) -> str:
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata(dataset)}
    answer = police.post("/api/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.data
    return str(answer.headers["Location"])


def patched(police: Machine, place: str, offset: int, body: bytes, **more: str) -> Any:
    headers = PIECE | {"Upload-Offset": str(offset)} | more
    return police.patch(place, headers=headers, data=body)


@pytest.fixture
def dataset(app: Flask) -> str:
    """A dataset that the police send."""
    from gateway.web.documents import inputs

    with app.app_context():
        contracts = inputs().bundle.contracts
    return min(name for name, each in contracts.items() if POLICE in each.parties)


@pytest.mark.parametrize("place", ["/api/v1/uploads", "/api/v1/uploads/upl-none"])
def test_it_says_what_it_can_do(app: Flask, place: str) -> None:
    answer = app.test_client().options(place)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert int(answer.headers["Tus-Max-Size"]) > 0
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "checksum",
        "expiration",
        "termination",
    }
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_arrives_in_pieces(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    first = patched(police, place, 0, CONTENT[:100])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100")
    assert first.headers["Tus-Resumable"] == "1.0.0"
    assert first.headers["Upload-Expires"].endswith("GMT")
    asked = police.head(place, headers=TUS)
    assert asked.headers["Upload-Offset"] == "100"
    assert asked.headers["Upload-Length"] == str(len(CONTENT))
    assert asked.headers["Cache-Control"] == "no-store"
    last = patched(police, place, 100, CONTENT[100:])
    assert last.headers["Upload-Offset"] == str(len(CONTENT))
    told = police.get(place).get_json()
    assert (told["state"], told["offset"], told["dataset"]) == ("complete", len(CONTENT), dataset)
    assert told["job"].startswith("job-")


def test_the_first_bytes_may_come_with_the_creation(machine: Machines, dataset: str) -> None:
    headers = PIECE | {"Upload-Length": "300", "Upload-Metadata": metadata(dataset)}
    answer = machine(POLICE).post("/api/v1/uploads", headers=headers, data=CONTENT[:200])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "200")


def test_a_wrong_checksum_is_460_and_nothing_counts(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    for algorithm in ("sha1", "sha256"):
        digest = hashlib.new(algorithm, b"other", usedforsecurity=False).digest()
        said = f"{algorithm} {base64.b64encode(digest).decode()}"
        answer = patched(police, place, 0, CONTENT[:100], **{"Upload-Checksum": said})
        assert (answer.status_code, answer.get_json()["code"]) == (460, "upload/checksum")
    right = base64.b64encode(hashlib.sha256(CONTENT[:100]).digest()).decode()
    answer = patched(police, place, 0, CONTENT[:100], **{"Upload-Checksum": f"sha256 {right}"})
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "100")


@pytest.mark.parametrize("said", ["md5 AAAA", "sha256", "sha256 ???", "sha256 AAAA", ""])
def test_a_checksum_in_another_form_is_400(machine: Machines, dataset: str, said: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    answer = patched(police, place, 0, CONTENT, **{"Upload-Checksum": said})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "upload/checksum-form")


def test_another_offset_is_409(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    patched(police, place, 0, CONTENT[:100])
    for offset in (0, 99, 101):
        answer = patched(police, place, offset, CONTENT[:10])
        assert (answer.status_code, answer.get_json()["code"]) == (409, "upload/offset")


def test_what_was_ended_is_gone(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    assert police.delete(place, headers=TUS).status_code == 204
    assert police.head(place, headers=TUS).status_code == 410
    assert patched(police, place, 0, CONTENT).status_code == 410


def test_another_version_of_the_protocol_is_412(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = police.head(place, headers=headers)
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")


def test_a_proxy_that_lets_only_post_pass_is_no_obstacle(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    place = created(police, dataset)
    headers = PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = police.post(place, headers=headers, data=CONTENT[:100])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "100")
    answer = police.post(place, headers=TUS | {"X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 204
    assert police.post(place, headers=TUS).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Length": "-1"},
        {"Upload-Length": "010"},
        {"Upload-Length": "1e23"},
        {"Upload-Defer-Length": "1"},
        {"Upload-Length": "1", "Upload-Metadata": ""},
        {"Upload-Length": "1", "Upload-Metadata": "dataset ***"},
        {"Upload-Length": "1", "Upload-Metadata": metadata("Jane Canary")},
    ],
)
def test_a_malformed_header_is_400_and_not_repeated(
    machine: Machines, headers: dict[str, str]
) -> None:
    answer = machine(POLICE).post("/api/v1/uploads", headers=TUS | headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "upload/header")
    assert b"Canary" not in answer.data


@pytest.mark.parametrize("length", ["1" + "0" * 16, "1" + "0" * 23, "9" * 7000])
def test_a_length_beyond_every_file_is_413(machine: Machines, dataset: str, length: str) -> None:
    headers = TUS | {"Upload-Length": length, "Upload-Metadata": metadata(dataset)}
    answer = machine(POLICE).post("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "upload/too-long")


@pytest.mark.parametrize("name", ["family_register", "no_such_dataset"])
def test_a_dataset_of_another_party_and_none_are_refused_alike(
    machine: Machines, name: str
) -> None:
    headers = TUS | {"Upload-Length": "1", "Upload-Metadata": metadata(name)}
    answer = machine(POLICE).post("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "intake/not-a-sender")
    assert name.encode() not in answer.data


def test_too_long_is_413_and_too_many_429(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    headers = TUS | {"Upload-Length": str(1 << 50), "Upload-Metadata": metadata(dataset)}
    assert police.post("/api/v1/uploads", headers=headers).status_code == 413
    for _ in range(20):
        created(police, dataset)
    headers = TUS | {"Upload-Length": "1", "Upload-Metadata": metadata(dataset)}
    assert police.post("/api/v1/uploads", headers=headers).status_code == 429


def test_other_parties_and_roles_see_nothing_of_it(
    machine: Machines, client_as: Callable[[str], Browser], app: Flask, dataset: str
) -> None:
    place = created(machine(POLICE), dataset)
    theirs = machine(COUNCIL).get(place)
    none = machine(COUNCIL).get("/api/v1/uploads/upl-" + "0" * 32)
    assert (theirs.status_code, theirs.data) == (404, none.data)
    assert machine(RESEARCH).get(place).status_code == 403
    assert client_as("release-officer").get(place).status_code == 403
    assert app.test_client().get(place).status_code == 401
    assert client_as("uploader").get(place).status_code == 200


def test_a_page_sends_with_its_token_and_not_without(
    client_as: Callable[[str], Browser], dataset: str
) -> None:
    browser = client_as("uploader")
    headers = TUS | {"Upload-Length": "3", "Upload-Metadata": metadata(dataset)}
    assert browser.post("/api/v1/uploads", headers=headers).status_code == 201
    browser.token = ""
    answer = browser.post("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "access/form-expired")


def test_one_post_sends_a_file(machine: Machines, dataset: str) -> None:
    police = machine(POLICE)
    answer = police.post(
        f"/api/v1/extracts?dataset={dataset}",
        data=CONTENT,
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 202, answer.data
    told = answer.get_json()
    state = police.get(answer.headers["Location"]).get_json()
    assert (state["upload"], state["job"]) == (told["upload"], told["job"])
    assert (state["state"], state["length"]) == ("complete", len(CONTENT))


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_form_is_not_a_file(machine: Machines, dataset: str, kind: str) -> None:
    answer = machine(POLICE).post(
        f"/api/v1/extracts?dataset={dataset}", data=b"x", headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (415, "request/media-type")


def test_a_compressed_body_is_not_taken_for_the_file(machine: Machines, dataset: str) -> None:
    answer = machine(POLICE).post(
        f"/api/v1/extracts?dataset={dataset}", data=b"x", headers={"Content-Encoding": "gzip"}
    )
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (415, "request/compressed")
    assert "Content-Encoding" in json.dumps(told)


@pytest.mark.parametrize("query", ["", "?dataset=", "?dataset=A", "?dataset=a&dataset=b", "?x=1"])
def test_an_address_that_is_not_described_is_400(machine: Machines, query: str) -> None:
    answer = machine(POLICE).post(f"/api/v1/extracts{query}", data=b"x")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request/malformed")


def test_the_stored_pieces_hold_nothing_in_clear(
    machine: Machines, dataset: str, data: Settings
) -> None:
    canary = b"reference,name\r\n" + b"1,Zebedee Canary\r\n" * 1000
    machine(POLICE).post(f"/api/v1/extracts?dataset={dataset}", data=canary)
    stored = [path for path in Path(data.data).rglob("*") if path.is_file()]
    assert any(path.is_relative_to(data.data / "uploads") for path in stored)
    assert [path for path in stored if b"Zebedee" in path.read_bytes()] == []
