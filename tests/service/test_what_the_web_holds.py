"""The web process cannot open what it stores: its memory and its files are searched.

Source: security points 2, 7 and 8; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from gateway.adapters import extract_list, sessions
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_core import SECRET_FORMS
from gateway.adapters.keyring_passphrase import read_passphrase
from gateway.model.keys import FORMS, MONTHLY
from gateway.web import create_app
from gateway.web.cookies import SESSION
from gateway.web.desk import desk_of
from gateway.wiring import common
from tests.journeys.office import Office
from tests.service import memory, serving
from tests.service.partner import Partner
from tests.service.serving import Service
from tests.silence import canary
from tests.web import office as offices

REGISTER = "family_register"
HOLDS = """
import sys
kept = [bytes.fromhex(each) for each in sys.stdin.readline().split()]
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.built(tmp_path_factory.mktemp("web") / "office")


@pytest.fixture(scope="module")
def after(office: Office) -> Iterator[Service]:
    """A service that has taken in, checked and answered for an extract with the canary."""
    with serving.serving(office) as service:
        partner = Partner(service.url, offices.MACHINES[offices.COUNCIL][0])
        upload = partner.send(canary.register([canary.row()]), REGISTER, piece=4096)
        told = serving.until(
            lambda: partner.upload(upload), lambda each: each["state"] in ("done", "failed")
        )
        assert told["state"] == "done", told
        yield service


def secrets(office: Office) -> Mapping[bytes, str]:
    """Every secret of the ring, and its passphrase -> what it is."""
    settings = serving.settings_of(office)
    passphrase = read_passphrase(settings)
    ring = KeyRing(settings.ring, lambda: passphrase)
    found = {passphrase: "the passphrase"}
    for record in ring.records():
        if FORMS[record.kind] in SECRET_FORMS:
            found[ring.secret(record.id, record.kind)] = record.id
    for monthly in MONTHLY:
        assert sum(name.startswith(f"{monthly}-") for name in found.values()) > 2
    return found


def web_processes(service: Service) -> list[int]:
    web = service.processes["web"]
    return [web, *serving.children_of(web)]


def test_no_secret_of_the_ring_stands_in_the_memory_of_the_web(
    after: Service, office: Office
) -> None:
    hidden = secrets(office)
    everyone = web_processes(after)
    assert len(everyone) > 1
    for process in (after.process.pid, *everyone):
        assert memory.sightings(process, hidden) == set()


def test_the_search_finds_the_secrets_where_they_are(office: Office) -> None:
    """Else the test above would prove nothing: here is a process that does hold them."""
    hidden = secrets(office)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(" ".join(needle.hex() for needle in hidden).encode() + b"\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"ready\n"
        found = memory.sightings(holder.pid, hidden)
        holder.stdin.close()
    assert found == set(hidden.values())


def test_no_file_that_the_web_can_write_holds_a_person_or_a_key(
    after: Service, office: Office
) -> None:
    """Everything below the data directory, and what the processes have open elsewhere."""
    needles = {**canary.needles(), **secrets(office)}
    written = [path for path in office.data.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".age") for path in written)
    for process in web_processes(after):
        written += [path for path in opened(process) if path.is_file()]
    for path in written:
        content = path.read_bytes()
        assert {name for needle, name in needles.items() if needle in content} == set(), path.name


def test_nothing_in_the_web_names_the_file_of_the_passphrase(after: Service) -> None:
    for process in web_processes(after):
        assert b"PASSPHRASE" not in Path(f"/proc/{process}/environ").read_bytes()


def test_the_web_writes_nothing_outside_the_data_directory(after: Service, office: Office) -> None:
    """Open for writing: its own files, its log, its pipes and sockets, and empty heart-beats."""
    for process in web_processes(after):
        for path in opened(process):
            inside = path.is_relative_to(office.data) or path.is_relative_to("/dev")
            assert inside or path == after.log or not path.stat().st_size, path


def test_no_process_of_the_web_loads_a_library_of_tables(after: Service, office: Office) -> None:
    """After an upload, and after every page and list that its people can ask for."""
    for login in offices.LOGINS.values():
        for path in plain_addresses(office):
            assert asked(after, office, login, path).status_code < 500, path
    with serving.database_of(office) as database, database.read() as connection:
        (extract, *_) = extract_list.listed(connection)
    assert asked(after, office, "council-desk", f"/sent/{extract.id}").status_code == 200
    importlib.import_module("polars")
    assert tables_in(os.getpid()) >= {"polars"}, "this very process has it now"
    for process in web_processes(after):
        assert tables_in(process) == set()


def plain_addresses(office: Office) -> list[str]:
    """What can be asked for without naming one thing."""
    app = create_app(serving.settings_of(office))
    found = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    desk_of(app).database.close()
    assert len(found) > 20
    return found


def asked(service: Service, office: Office, login: str, path: str) -> httpx.Response:
    """The answer to somebody who is signed in."""
    with serving.database_of(office) as database, database.begin() as connection:
        session = sessions.begin(connection, login, sessions.Stage.WHOLE, at=common.now())
    return httpx.get(f"{service.url}{path}", cookies={SESSION: session}, timeout=60)


def tables_in(process: int) -> set[str]:
    """The libraries of tables that a process has loaded."""
    mapped = Path(f"/proc/{process}/maps").read_text()
    return {
        name for name in ("polars", "numpy", "pyarrow") if re.search(f"/_?{name}[^/]*/", mapped)
    }


def opened(process: int) -> list[Path]:
    """The files that a process has open."""
    found = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        target = os.readlink(link)
        if target.startswith("/") and not target.endswith("(deleted)"):
            found.append(Path(target))
    return found
