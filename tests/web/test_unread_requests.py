"""What cannot be read as a request is answered in our form, and nothing of it is repeated."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.service.serving import Service

CANARY = b"Jane-Canary"


def answered(service: Service, sent: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to some bytes."""
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        told = b""
        while piece := line.recv(65536):
            told += piece
    head, _, body = told.partition(b"\r\n\r\n")
    return head, body


def test_what_is_no_request_is_a_problem_without_its_words(service: Service) -> None:
    start = b"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\n"
    for status, code, sent in (
        (400, "bad-request", b"GET /" + CANARY + b" what HTTP/9.9\r\n\r\n"),
        (400, "bad-request", b"GET / HTTP/1.1\r\n" + CANARY + b"\r\n\r\n"),
        (414, "address-too-long", b"GET /" + CANARY * 500 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        (431, "headers-too-long", start + b"X-A: " + CANARY * 900 + b"\r\n\r\n"),
        (501, "transfer-coding", start + b"Transfer-Encoding: " + CANARY + b"\r\n\r\n"),
    ):
        head, body = answered(service, sent)
        assert head.startswith(f"HTTP/1.1 {status} ".encode()), (code, head)
        assert b"Content-Type: application/problem+json" in head
        assert json.loads(body)["code"] == f"http/{code}"
        assert CANARY not in head + body


@pytest.mark.parametrize("fault", ["InvalidResponseHeader", "InvalidResponseHeaderName"])
def test_a_fault_of_our_own_is_not_called_the_callers(fault: str) -> None:
    from gunicorn.http import errors

    from gateway.service.gunicorn_worker import unread

    assert unread(getattr(errors, fault)("x")) is None
    assert unread(RuntimeError()) is None


@pytest.mark.parametrize("chunked", [False, True])
def test_who_is_refused_before_the_body_was_read_reads_the_answer(
    service: Service, chunked: bool
) -> None:
    place = urlsplit(service.url)
    address = "/api/v1/extracts?dataset=x"
    body = b"x" * (12 << 20)
    pieces = iter([body[: 4 << 20]] * 3) if chunked else body
    line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    with contextlib.closing(line):
        line.request("POST", address, pieces, encode_chunked=chunked)
        with line.getresponse() as told:
            assert (told.status, told.headers["Connection"]) == (401, "close")
            assert json.loads(told.read())["status"] == 401
        # http.client comes back on a new connection: the answer said that the old one ends.
        line.request("POST", address, b"small")
        with line.getresponse() as told:
            assert (told.status, told.headers["Connection"]) == (401, "keep-alive")
            told.read()
        kept = line.sock
        line.request("GET", "/healthz")
        with line.getresponse() as told:
            assert (told.status, line.sock is kept) == (200, True)
            told.read()


def test_what_is_thrown_away_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.service import gunicorn_worker

    monkeypatch.setattr(gunicorn_worker, "REST_SECONDS", 0.5)
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.05):
            theirs.send(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    begun = time.monotonic()
    gunicorn_worker.take_rest(ours)
    took = time.monotonic() - begun
    over.set()
    dripping.join()
    ours.close()
    theirs.close()
    assert 0.4 < took < 10


def test_silence_and_too_much_end_it_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.service import gunicorn_worker

    monkeypatch.setattr(gunicorn_worker, "REST_SECONDS", 60.0)
    monkeypatch.setattr(gunicorn_worker, "REST_SILENCE", 0.1)
    monkeypatch.setattr(gunicorn_worker, "REST_BYTES", 10)
    ours, theirs = socket.socketpair()
    begun = time.monotonic()
    gunicorn_worker.take_rest(ours)
    theirs.send(b"x" * 20)
    gunicorn_worker.take_rest(ours)
    assert time.monotonic() - begun < 30
    ours.close()
    theirs.close()
