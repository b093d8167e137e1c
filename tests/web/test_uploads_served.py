"""Uploads over real connections: cut, slow, racing, by somebody else's client."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient

from gateway.adapters import uploads
from gateway.adapters.keyring import kept_open, open_ring
from gateway.adapters.settings import Settings
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.served import Served, serving

DATASET = "police_incidents"
CONTENT = os.urandom(1_000_000)


@pytest.fixture(scope="module")
def home(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.copied(office_template, tmp_path_factory.mktemp("served") / "office")


@pytest.fixture(scope="module")
def served(home: Office) -> Iterator[Served]:
    with serving(home, GATEWAY_UPLOADS_OPEN="1000") as up:
        yield up


@pytest.fixture(scope="module")
def asking(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {served.token()}", "Tus-Resumable": "1.0.0"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def settings(home: Office) -> Settings:
    return offices.settings_of(home)


def metadata(dataset: str = DATASET) -> str:
    return f"dataset {base64.b64encode(dataset.encode()).decode()}"


def begun(asking: httpx.Client, length: int = len(CONTENT)) -> str:
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata()}
    answer = asking.post("/api/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def head(asking: httpx.Client, place: str) -> int:
    return int(asking.head(place).headers["Upload-Offset"])


def lines(asking: httpx.Client, place: str, offset: int, length: int, *more: str) -> bytes:
    """The head of a PATCH, written by hand."""
    wanted = [
        f"PATCH {place} HTTP/1.1",
        "Host: gateway",
        f"Authorization: {asking.headers['Authorization']}",
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        f"Upload-Offset: {offset}",
        *([f"Content-Length: {length}"] if length >= 0 else ["Transfer-Encoding: chunked"]),
        *more,
    ]
    return ("\r\n".join(wanted) + "\r\n\r\n").encode()


def stored(settings: Settings, place: str) -> bytes:
    """What the worker would read of a whole upload."""
    with (
        kept_open(settings),
        uploads.opened(settings, open_ring(settings), place.rpartition("/")[2]) as source,
    ):
        return source.read()


def settled(asking: httpx.Client, place: str, *, wanted: int = -1) -> int:
    """The offset once the server has seen that a connection broke."""
    same, before = 0, -1
    for _ in range(600):
        now = head(asking, place)
        same = same + 1 if now == before else 0
        if now == wanted or (wanted < 0 and same > 8):
            return now
        before = now
        time.sleep(0.01)
    return now


def test_somebody_elses_client_sends_a_file(
    served: Served, asking: httpx.Client, settings: Settings
) -> None:
    client = TusClient(
        f"{served.url}/api/v1/uploads", headers={"Authorization": asking.headers["Authorization"]}
    )
    uploader = client.uploader(
        file_stream=io.BytesIO(CONTENT),
        chunk_size=300_000,
        metadata={"dataset": DATASET, "filename": "Jane Canary.csv"},
        upload_checksum=True,
    )
    uploader.upload()
    place = str(uploader.url).removeprefix(served.url)
    assert asking.get(place).json()["state"] == "complete"
    assert stored(settings, place) == CONTENT
    assert [p for p in Path(settings.data).rglob("*") if "Canary" in p.name] == []


@pytest.mark.parametrize("how", ["end", "reset"])
def test_an_upload_that_is_cut_at_every_hundredth_arrives_whole(
    served: Served, asking: httpx.Client, settings: Settings, how: str
) -> None:
    place = begun(asking)
    for hundredth in range(1, 100):
        offset, target = head(asking, place), len(CONTENT) * hundredth // 100
        with served.connect() as wire:
            wire.sendall(lines(asking, place, offset, len(CONTENT) - offset))
            wire.sendall(CONTENT[offset:target])
            if how == "reset":
                linger = struct.pack("ii", 1, 0)
                time.sleep(0.02)
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        arrived = settled(asking, place, wanted=target if how == "end" else -1)
        assert offset <= arrived <= target
        assert how == "reset" or arrived == target, "what was sent before an orderly end is kept"
    offset = head(asking, place)
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    assert asking.patch(place, content=CONTENT[offset:], headers=headers).status_code == 204
    assert stored(settings, place) == CONTENT


def test_a_cut_upload_with_a_checksum_keeps_nothing_of_the_piece(
    served: Served, asking: httpx.Client
) -> None:
    place = begun(asking)
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    with served.connect() as wire:
        wire.sendall(lines(asking, place, 0, len(CONTENT), f"Upload-Checksum: sha256 {digest}"))
        wire.sendall(CONTENT[:500_000])
    assert settled(asking, place) == 0


def test_a_slow_client_is_served_and_keeps_what_it_sent(
    served: Served, asking: httpx.Client
) -> None:
    place = begun(asking, 3000)
    with served.connect() as wire:
        wire.sendall(lines(asking, place, 0, 3000))
        for start in range(0, 2000, 100):
            wire.sendall(CONTENT[start : start + 100])
            time.sleep(0.01)
            assert head(asking, place) == 0, "others are answered meanwhile"
    assert settled(asking, place) == 2000


def test_a_body_in_chunks_needs_no_length(served: Served, asking: httpx.Client) -> None:
    place = begun(asking)
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    pieces = (CONTENT[start : start + 70_000] for start in range(0, len(CONTENT), 70_000))
    answer = asking.patch(place, content=pieces, headers=headers)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(CONTENT)))


def test_a_body_in_chunks_that_breaks_keeps_what_arrived(
    served: Served, asking: httpx.Client
) -> None:
    place = begun(asking)
    with served.connect() as wire:
        wire.sendall(lines(asking, place, 0, -1))
        for _ in range(3):
            wire.sendall(b"400\r\n" + CONTENT[:1024] + b"\r\n")
        wire.sendall(b"400\r\n" + CONTENT[:100])
    assert 2048 <= settled(asking, place) <= 3172


def test_of_two_writers_at_one_offset_one_wins_and_the_other_is_told(
    served: Served, asking: httpx.Client, settings: Settings
) -> None:
    for _ in range(10):
        place = begun(asking)
        headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        told: list[int] = []

        def write(place: str, headers: dict[str, str], told: list[int]) -> None:
            with httpx.Client(base_url=served.url, headers=asking.headers, timeout=60) as mine:
                told.append(mine.patch(place, content=CONTENT, headers=headers).status_code)

        both = [threading.Thread(target=write, args=(place, headers, told)) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert sorted(told) == [204, 409]
        assert stored(settings, place) == CONTENT


@pytest.mark.parametrize("chunked", [False, True])
def test_one_post_that_breaks_leaves_nothing(
    served: Served, asking: httpx.Client, settings: Settings, chunked: bool
) -> None:
    length = ["Transfer-Encoding: chunked"] if chunked else [f"Content-Length: {len(CONTENT)}"]
    wanted = [
        f"POST /api/v1/extracts?dataset={DATASET} HTTP/1.1",
        "Host: gateway",
        f"Authorization: {asking.headers['Authorization']}",
        "Content-Type: text/csv",
        "Connection: close",
        *length,
    ]
    before = set(settings.data.glob("uploads/*"))
    with served.connect() as wire:
        wire.sendall(("\r\n".join(wanted) + "\r\n\r\n").encode())
        wire.sendall(b"1000\r\n" + CONTENT[:4096] if chunked else CONTENT[:4096])
        wire.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"upload/broken" in answer
    assert set(settings.data.glob("uploads/*")) == before


def with_bytes(asking: httpx.Client, key: str, body: bytes, length: int) -> httpx.Response:
    """An upload that is made with its first bytes, under a key."""
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata(), "Idempotency-Key": key}
    headers["Content-Type"] = "application/offset+octet-stream"
    return asking.post("/api/v1/uploads", headers=headers, content=body)


@pytest.mark.parametrize("whole", [True, False])
def test_a_creation_that_is_repeated_with_other_bytes_is_no_repetition(
    asking: httpx.Client, whole: bool
) -> None:
    """Else its sender would think that the other file had arrived."""
    key = str(uuid.uuid4())
    length = len(CONTENT) if whole else 2 * len(CONTENT)
    first = with_bytes(asking, key, CONTENT, length)
    assert (first.status_code, first.headers["Upload-Offset"]) == (201, str(len(CONTENT)))
    again = with_bytes(asking, key, CONTENT, length)
    assert (again.status_code, again.headers["Location"]) == (201, first.headers["Location"])
    assert again.headers["Upload-Offset"] == str(len(CONTENT))
    asked = with_bytes(asking, key, b"", length)
    assert (asked.status_code, asked.headers["Location"]) == (201, first.headers["Location"])
    first_byte, last_byte = (bytes((CONTENT[place] ^ 1,)) for place in (0, -1))
    for other in (CONTENT[:-1] + last_byte, first_byte + CONTENT[1:], CONTENT[:-1], first_byte):
        refused = with_bytes(asking, key, other, length)
        assert refused.status_code == 422, other[:4]
        assert refused.json()["code"] == "idempotency/other-request"
    assert with_bytes(asking, key, CONTENT, length).status_code == 201


def test_bytes_that_come_along_with_a_repetition_alone_are_not_counted_as_others(
    asking: httpx.Client,
) -> None:
    key = str(uuid.uuid4())
    first = with_bytes(asking, key, b"", len(CONTENT))
    assert first.headers["Upload-Offset"] == "0"
    late = with_bytes(asking, key, CONTENT, len(CONTENT))
    assert (late.status_code, late.headers["Upload-Offset"]) == (201, "0"), "to be sent by PATCH"
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    asking.patch(first.headers["Location"], headers=headers, content=CONTENT[:1000])
    assert with_bytes(asking, key, CONTENT, len(CONTENT)).status_code == 422


def test_a_creation_that_was_cut_goes_on_by_its_repetition(
    served: Served, asking: httpx.Client
) -> None:
    key, begin = str(uuid.uuid4()), CONTENT[: 300 << 10]
    host, port = served.url.removeprefix("http://").split(":")
    head = (
        "POST /api/v1/uploads HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {asking.headers['Authorization']}",
        "Tus-Resumable: 1.0.0",
        f"Upload-Length: {len(CONTENT)}",
        f"Upload-Metadata: {metadata()}",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {len(CONTENT)}",
        f"Idempotency-Key: {key}",
    )
    with socket.create_connection((host, int(port))) as cut:
        cut.sendall("\r\n".join((*head, "", "")).encode() + begin)
        cut.shutdown(socket.SHUT_WR)
        while cut.recv(1 << 16):
            pass
    again = with_bytes(asking, key, CONTENT, len(CONTENT))
    assert again.status_code == 201
    offset = int(again.headers["Upload-Offset"])
    assert 0 < offset <= len(begin)
    other = bytes((CONTENT[0] ^ 1,)) + CONTENT[1:]
    assert with_bytes(asking, key, other, len(CONTENT)).status_code == 422
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    rest = asking.patch(again.headers["Location"], headers=headers, content=CONTENT[offset:])
    assert (rest.status_code, rest.headers["Upload-Offset"]) == (204, str(len(CONTENT)))
