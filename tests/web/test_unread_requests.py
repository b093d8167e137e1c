"""What cannot be read as a request is answered in our form, and nothing of it is repeated."""

from __future__ import annotations

import json
import socket
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
