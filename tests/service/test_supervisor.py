"""The service starts whole or not at all, and what dies is started again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.adapters.jobs import JobKind, JobState
from tests.journeys.office import Office
from tests.service import serving
from tests.service.serving import until

# Codes of faults that stop the start; each within the time that people wait for an answer.
SECONDS_TO_REFUSE = 20
# More callers than a process of the web has threads.
CALLERS = 40


def refused(office: Office, *words: str, **more: str) -> tuple[int, str]:
    """Start the service where it must not start: its exit code, and what it said."""
    log = office.home / "refused.log"
    with serving.started(office, *(words or ("serve", "--port", "0")), log=log, **more) as process:
        code = process.wait(SECONDS_TO_REFUSE)
        assert process.stdout is not None
        assert process.stdout.read() == ""
    return code, log.read_text("utf-8")


def test_the_service_answers_where_it_says_it_listens(office: Office) -> None:
    with serving.serving(office, workers=2) as service:
        assert set(service.processes) == {"web", "worker-1", "worker-2"}
        assert service.get("/static/nothing")[0] == 404
        assert service.stop() == 0
    assert "Traceback" not in service.said()


@pytest.mark.parametrize("command", ["serve", "web", "worker"])
def test_nothing_starts_without_a_data_directory(tmp_path: Path, command: str) -> None:
    office = Office(tmp_path / "none")
    office.home.mkdir(mode=0o700)
    code, said = refused(office, command)
    assert (code, "store/no-data-directory" in said) == (7, True), said


@pytest.mark.parametrize("command", ["serve", "web", "worker"])
def test_nothing_starts_on_a_directory_that_was_not_founded_to_its_end(
    office: Office, command: str
) -> None:
    (office.data / "founded").unlink()
    code, said = refused(office, command)
    assert (code, "store/not-founded" in said) == (7, True), said


def test_nothing_starts_without_the_key_ring(office: Office) -> None:
    shutil.rmtree(office.data / "keys")
    code, said = refused(office)
    assert (code, "keys/" in said) == (7, True), said


def test_nothing_starts_on_a_database_of_a_newer_gateway(office: Office) -> None:
    with serving.database_of(office) as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version_num = '9999'")
    code, said = refused(office)
    assert (code, "store/schema-newer" in said) == (7, True), said


def test_a_wrong_passphrase_stops_the_whole_service(office: Office) -> None:
    wrong = office.home / "wrong"
    wrong.write_text("this-is-not-the-passphrase")
    wrong.chmod(0o400)
    code, said = refused(office, GATEWAY_PASSPHRASE_FILE=str(wrong))
    assert code in (6, 7), said
    assert "keys/" in said
    assert serving.children_of(os.getpid()) == [] or "web ended" not in said


def test_a_port_that_is_taken_is_said_so(office: Office) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = refused(office, "serve", "--port", str(taken.getsockname()[1]))
    assert (code, "service/address" in said) == (7, True), said


def test_a_malformed_setting_is_refused_by_name(office: Office) -> None:
    code, said = refused(office, GATEWAY_PORT="everywhere")
    assert (code, "settings/port" in said) == (2, True), said


def test_a_killed_web_process_is_started_again_on_the_same_port(office: Office) -> None:
    with serving.serving(office) as service:
        os.kill(service.processes["web"], signal.SIGKILL)
        # Who asks meanwhile waits: the socket is the supervisor's and is never closed.
        assert service.get("/static/nothing")[0] == 404
        until(service.said, lambda said: '"name":"web","exit":-9' in said)
        assert service.stop() == 0


def test_a_killed_worker_is_started_again_and_does_its_jobs(office: Office) -> None:
    with serving.serving(office) as service:
        os.kill(service.processes["worker-1"], signal.SIGKILL)
        job = serving.ask(office, JobKind.REHEARSE)
        assert serving.finished(office, job).state is JobState.DONE
        assert service.stop() == 0


def test_nothing_lives_on_when_the_supervisor_is_killed(office: Office) -> None:
    with serving.serving(office, workers=2) as service:
        leader = service.process.pid
        os.kill(leader, signal.SIGKILL)
        service.process.wait()
        until(lambda: serving.session(leader), lambda left: not left)


def test_heads_that_never_end_keep_nobody_out_and_nothing_alive(office: Office) -> None:
    with serving.serving(office) as service, contextlib.ExitStack() as open_until:
        place = urlsplit(service.url)
        for _ in range(CALLERS):
            line = socket.create_connection((place.hostname, place.port), timeout=60)
            open_until.enter_context(line).sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        time.sleep(1)
        assert httpx.get(f"{service.url}/healthz", timeout=120).status_code == 200
        late = open_until.enter_context(socket.create_connection((place.hostname, place.port)))
        late.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
        until(lambda: serving.session(service.process.pid), lambda left: not left)


def test_an_orderly_stop_leaves_no_process_and_says_nothing_wrong(office: Office) -> None:
    with serving.serving(office, web=2, workers=2) as service:
        leader = service.process.pid
        assert service.stop() == 0
        assert serving.session(leader) == []


def test_the_web_process_alone_never_hears_of_the_passphrase_file(office: Office) -> None:
    with serving.started(office, "web", "--port", "0", "--web", "1", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["listening"].startswith("http://127.0.0.1:")
        everyone = until(
            lambda: [process.pid, *serving.children_of(process.pid)], lambda found: len(found) > 1
        )
        for each in everyone:
            seen = Path(f"/proc/{each}/environ").read_bytes()
            assert b"GATEWAY_DATA=" in seen
            assert b"PASSPHRASE" not in seen


def test_one_certificate_option_without_the_other_is_refused(office: Office) -> None:
    there = office.home / "passphrase"
    code, said = refused(office, "serve", "--certfile", str(there))
    assert (code, "--keyfile" in said) == (2, True), said
