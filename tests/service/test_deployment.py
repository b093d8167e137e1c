"""The unit and the container file name only what is there, and give the service what it needs.

Source: docs/how-to/run-the-service.md, "Under systemd, or in a container".
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from gateway.adapters.settings import KNOWN
from gateway.cli import main
from gateway.service import web_process
from gateway.service.supervisor import STOP_SECONDS
from tests.journeys.office import REPOSITORY

DEPLOY = REPOSITORY / "docs" / "deploy"
UNIT = (DEPLOY / "gateway.service").read_text("utf-8")
INSTALLED = "/opt/gateway/.venv/bin/gateway"
MOST_EXPOSED = 25  # tenths; 100 is a unit without any protection
CONFIGURED = "python:gateway.service.gunicorn_hooks"


def directives() -> list[tuple[str, str]]:
    lines = [line for line in UNIT.splitlines() if "=" in line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def container() -> list[list[str]]:
    """The instructions, each as its words."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    joined = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    lines = joined.replace("\\\n", " ").splitlines()
    return [[line.split()[0], *line.split()[1:]] for line in lines if line.strip()]


def understood(words: list[str]) -> None:
    """Let the command line read words without doing what they say."""
    context = main.make_context("gateway", list(words), resilient_parsing=False)
    name, command, rest = main.resolve_command(context, [*context._protected_args, *context.args])
    assert name is not None
    assert command is not None
    command.make_context(name, rest, parent=click.Context(main))


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the gateway where it is here."""
    path = tmp_path / "gateway.service"
    path.write_text(UNIT.replace(INSTALLED, f"{sys.executable} -m gateway"))
    return path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_understands_the_unit(unit: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_the_unit_exposes_little(unit: Path) -> None:
    words = ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}"]
    told = subprocess.run([*words, str(unit)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr


def test_the_unit_sets_only_what_the_gateway_knows() -> None:
    named = [value.partition("=")[0] for name, value in directives() if name == "Environment"]
    assert set(named) <= set(KNOWN)
    assert "GATEWAY_PASSPHRASE_FILE" in named
    assert not any(re.search("passphrase=[^/]", value) for _, value in directives())


def test_the_unit_runs_a_command_that_there_is() -> None:
    (command,) = [value for name, value in directives() if name == "ExecStart"]
    assert command.startswith(INSTALLED + " ")
    understood(shlex.split(command)[1:])


def test_the_unit_waits_for_an_orderly_end() -> None:
    (seconds,) = [value for name, value in directives() if name == "TimeoutStopSec"]
    assert int(seconds) > STOP_SECONDS
    assert ("KillMode", "mixed") in directives()


def test_the_unit_lets_the_checker_give_up_the_network() -> None:
    (allowed,) = [value for name, value in directives() if name == "RestrictNamespaces"]
    assert set(allowed.split()) == {"user", "net", "ipc"}


def test_what_the_container_copies_is_in_the_source() -> None:
    copied = [words[1:-1] for words in container() if words[0] == "COPY"]
    sources = [each for words in copied if not words[0].startswith("--from") for each in words]
    tracked = subprocess.run(
        ["git", "ls-files", *sources], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert sources
    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in tracked), source


def test_the_container_has_all_that_the_build_reads() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    build = [words for words in container() if words[0] == "COPY"]
    copied = {each for words in build for each in words[1:-1]}
    assert {"pyproject.toml", "setup.py", "gateway", project["readme"]} <= copied
    assert set(project["license-files"]) <= copied
    hashed = (REPOSITORY / "requirements/run.txt").read_text("utf-8")
    assert re.search(r"^setuptools==", hashed, re.MULTILINE), "built without isolation"


def test_the_container_sets_only_what_the_gateway_knows_and_runs_a_command_that_there_is() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    set_there = [
        word.partition("=")[0] for words in container() if words[0] == "ENV" for word in words[1:]
    ]
    assert {name for name in set_there if name.startswith("GATEWAY_")} <= set(KNOWN)
    (entry,) = [
        json.loads(" ".join(words[1:])) for words in container() if words[0] == "ENTRYPOINT"
    ]
    (command,) = [
        json.loads(" ".join(words[1:]))
        for words in container()
        if words[0] == "CMD" and words[1] == '["serve",'
    ]
    assert entry[0] in project["scripts"]
    understood(command)


def test_the_container_runs_as_somebody_without_rights() -> None:
    (user,) = [words[1] for words in container() if words[0] == "USER"]
    assert user == "10001:10001"


def test_nothing_that_lies_where_the_service_is_started_stands_for_a_library(
    tmp_path: Path,
) -> None:
    listening = web_process.Listening(host="127.0.0.1", port=0, processes=1, threads=1)
    for name in ("gateway", "gunicorn", "flask", "structlog"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    python, *words = web_process.command(listening, 0)
    start = [python, *words[: words.index("--config")], "--config", CONFIGURED, "--check-config"]
    done = subprocess.run(
        [*start, words[-1]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "a stranger ran" not in done.stdout + done.stderr
    # It came as far as our own code, which asks for a data directory.
    assert "store/no-data-directory" in done.stderr, done.stderr


def test_the_files_say_how_to_found_it_and_that_proxies_are_counted() -> None:
    head = UNIT.partition("[Unit]")[0]
    assert "runuser -u gateway" in head
    assert f"{INSTALLED} init" in head
    assert "GATEWAY_PROXIES=1" in UNIT
    image = (DEPLOY / "Containerfile").read_text("utf-8").partition("FROM")[0]
    assert "-e GATEWAY_PROXIES=1" in image
    how_to = (REPOSITORY / "docs/how-to/run-the-service.md").read_text("utf-8")
    step = how_to.partition("3. Stand a proxy")[2].partition("4. Stop it")[0]
    assert "GATEWAY_PROXIES" in step
