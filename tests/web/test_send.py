"""A partner checks a file where it lies, sends it whatever breaks, and reads its findings."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.client_keys import PRIVATE, make_pair
from gateway.adapters.sending_memory import SendingMemory
from tests.journeys import borough
from tests.journeys.office import REPOSITORY, Office
from tests.service.serving import Service, serving

COUNCIL_CLIENT = "council-sender"
DATASET = "family_register"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 3_000)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    make_pair(folder)
    return folder / PRIVATE


@pytest.fixture(scope="module")
def office(office_template: Office, tmp_path_factory: pytest.TempPathFactory, key: Path) -> Office:
    from tests.web import office as offices

    made = offices.copied(office_template, tmp_path_factory.mktemp("send") / "office")
    with made.open():
        made.must(
            *("clients", "add", COUNCIL_CLIENT, str(key.with_name("client.jwk"))),
            *("--party", "trafford-council", "--role", "uploader", "--as", "ada"),
        )
    return made


@pytest.fixture(scope="module")
def service(office: Office) -> Iterator[Service]:
    with serving(office) as running:
        yield running


@pytest.fixture(scope="module")
def contracts(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    with office.open():
        office.must("contract", "kit", "--to", str(folder))
    return folder


def gateway(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The command on the partner's machine: no data directory, no key ring, no policies."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "GATEWAY_DATA": str(home / "none")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def sending(url: str, key: Path, file: Path, *more: str) -> list[str]:
    words = ["send", str(file), "--dataset", DATASET, "--to", url]
    return [*words, "--client", COUNCIL_CLIENT, "--key", str(key), "--json", *more]


def damaged(people: Path, folder: Path) -> Path:
    lines = (people / f"{DATASET}.csv").read_text().splitlines()
    column = lines[0].split(",").index("postcode")
    for number in range(3, 9):
        cells = lines[number].split(",")
        cells[column] = "NOWHERE"
        lines[number] = ",".join(cells)
    file = folder / "damaged.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_file_is_sent_checked_and_its_receipt_is_read(
    service: Service, key: Path, people: Path, tmp_path: Path
) -> None:
    done = gateway(*sending(service.url, key, people / f"{DATASET}.csv"), home=tmp_path)
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["state"], receipt["dataset"]) == ("accepted", DATASET)
    again = gateway(*sending(service.url, key, people / f"{DATASET}.csv"), home=tmp_path)
    assert json.loads(again.stdout)["extract"] == receipt["extract"]


def test_a_file_that_another_has_replaced_says_so_when_it_is_sent_again(
    service: Service, key: Path, people: Path, tmp_path: Path
) -> None:
    # Blank lines at the end tell these files from what other tests send.
    content = (people / f"{DATASET}.csv").read_bytes()
    older, newer = tmp_path / "older.csv", tmp_path / "newer.csv"
    older.write_bytes(content + b"\n")
    newer.write_bytes(content + b"\n\n")
    words = [word for word in sending(service.url, key, older) if word != "--json"]
    gateway(*words, home=tmp_path)
    replaced = json.loads(gateway(*sending(service.url, key, newer), home=tmp_path).stdout)
    again = gateway(*words, home=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"{replaced['extract']} has taken their place since" in again.stdout
    assert "ask the council's data team to take them in anew" in again.stdout


def test_the_check_at_the_partners_comes_to_the_gateways_verdict(
    service: Service, key: Path, people: Path, contracts: Path, tmp_path: Path
) -> None:
    file = damaged(people, tmp_path)
    rows = tmp_path / "rows.csv"
    checked = gateway(
        *("check", str(file), "--dataset", DATASET, "--contracts", str(contracts)),
        *("--rows", str(rows), "--json"),
        home=tmp_path,
    )
    sent = gateway(*sending(service.url, key, file), home=tmp_path)
    mine, theirs = json.loads(checked.stdout), json.loads(sent.stdout)
    for part in ("state", "rows", "accepted", "quarantined", "dropped_columns"):
        assert mine[part] == theirs[part], part
    told = [(f["code"], f["column"], f["rule"], f["rows"]) for f in theirs["findings"]]
    assert [(f["code"], f["column"], f["rule"], f["rows"]) for f in mine["findings"]] == told
    assert checked.returncode == sent.returncode
    assert "NOWHERE" not in checked.stdout + checked.stderr + rows.read_text()
    assert len(rows.read_text().splitlines()) > 6


def test_a_file_that_the_contract_rejects_is_not_sent(
    key: Path, contracts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    # Nobody listens there: had it been sent, the exit code would be another.
    url = "http://127.0.0.1:9"
    done = gateway(*sending(url, key, file, "--check", str(contracts)), home=tmp_path)
    assert done.returncode == 4
    assert "was not sent" in done.stderr


def test_a_service_out_of_reach_is_said_within_ones_patience(key: Path, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a\n")
    done = gateway(*sending("http://127.0.0.1:9", key, file, "--patience", "0"), home=tmp_path)
    assert done.returncode == 7
    assert json.loads(done.stdout)["error"]["code"] == "send/out-of-reach"


def test_a_key_that_nobody_registered_is_told_so(
    service: Service, people: Path, tmp_path: Path
) -> None:
    make_pair(tmp_path / "strange")
    words = sending(service.url, tmp_path / "strange" / PRIVATE, people / f"{DATASET}.csv")
    done = gateway(*words, home=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "send/not-known"


@pytest.mark.parametrize("address", ["http://data.council.example", "ftp://x", "nothing"])
def test_only_https_leaves_this_machine(address: str, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a\n")
    done = gateway(*sending(address, key, file), home=tmp_path)
    assert json.loads(done.stdout)["error"]["code"] == "send/not-https"


def test_a_stopped_command_goes_on_where_it_was(
    service: Service, key: Path, people: Path, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    lines = (people / f"{DATASET}.csv").read_text()
    # Empty rows make it long enough to be stopped in the middle.
    empty = "," * lines.split("\n", 1)[0].count(",") + "\n"
    file.write_text(lines + empty * 3_000_000)
    state = tmp_path / "state"
    words = sending(service.url, key, file, "--state", str(state))
    running = subprocess.Popen(
        [sys.executable, "-m", "gateway", *words],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pause = threading.Event()
    while not (state / "sending.json").exists() and running.poll() is None:
        pause.wait(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    begun = json.loads((state / "sending.json").read_text())
    done = gateway(*words, home=tmp_path)
    told = json.loads(done.stdout)
    assert told["upload"] in begun.values()
    assert done.returncode in (0, 4, 5)
    assert json.loads((state / "sending.json").read_text()) == {}


def test_an_upload_that_the_service_let_go_of_begins_anew(
    service: Service, key: Path, people: Path, tmp_path: Path
) -> None:
    file, memory = tmp_path / "anew.csv", SendingMemory(tmp_path / "state")
    file.write_bytes((people / f"{DATASET}.csv").read_bytes() + b"\n\n\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    mark = memory.mark(service.url, COUNCIL_CLIENT, DATASET, digest)
    memory.keep(mark, "upload-" + "a" * 26)
    done = gateway(*sending(service.url, key, file, "--state", str(memory.folder)), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "accepted"
    assert memory.recall(mark) == ""


def test_a_name_that_no_dataset_can_have_is_told_at_once(key: Path, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a\n1\n")
    words = sending("https://data.example.org", key, file)
    done = gateway(
        *["School Attendance" if word == DATASET else word for word in words], home=tmp_path
    )
    assert done.returncode == 2
    assert "school_attendance" in done.stderr
