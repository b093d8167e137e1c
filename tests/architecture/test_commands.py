"""The commands that habits rely on are there, say how to use them, and start at once."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from gateway.cli import main
from tests.architecture import house

# docs/reference/commands.md holds them all; these are the ones that stay put.
PROMISED = """
demo
init
synth
receive
extracts
share
releases
explain
policy check
policy cases
policy compare
policy schema
policy propose
policy approve
policy withdraw
policy export
object
open
ledger verify
ledger export
ledger checkpoint
ledger prove
keys list
keys new
keys offer
keys accept
keys confirm
keys grant
keys rotate
keys destroy
recipient-key new
trust export
operators add
operators list
pseudonym vectors
pseudonym tokens
settings
bench
""".strip().splitlines()

# Commands that only make or show something for people to read need no document for programs.
NO_DOCUMENT = {"demo"}

HEAVY = ("polars", "sqlalchemy", "pydantic", "great_expectations", "pyarrow", "pandas", "pyrage")


def found(path: str) -> click.Command | None:
    """The command of that name, whatever group it stands in."""
    command: click.Command | None = main
    for name in path.split():
        if not isinstance(command, click.Group):
            return None
        try:
            command = command.get_command(click.Context(command), name)
        except ImportError:
            return None
    return command


@pytest.mark.parametrize("path", PROMISED)
def test_a_promised_command_is_there_and_shows_an_example(path: str) -> None:
    command = found(path)
    assert command is not None, f"gateway {path} is missing"
    assert "Example" in (command.help or ""), f"gateway {path} --help shows no example"
    assert "gateway " in (command.help or "")


@pytest.mark.parametrize("path", [path for path in PROMISED if path not in NO_DOCUMENT])
def test_a_promised_command_answers_programs_too(path: str) -> None:
    command = found(path)
    assert command is not None, f"gateway {path} is missing"
    options = {name for parameter in command.params for name in parameter.opts}
    assert "--json" in options


def test_no_command_asks_for_a_person_in_its_arguments() -> None:
    """Arguments are seen by everyone on the machine and kept in histories."""
    personal = {"--surname", "--forename", "--name-of", "--dob", "--date-of-birth", "--postcode"}
    personal |= {"--nhs-number", "--nhs", "--nino", "--upn", "--passphrase", "--password"}
    for path in PROMISED:
        command = found(path)
        if command is not None:
            options = {name for parameter in command.params for name in parameter.opts}
            assert not options & personal, path


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """The half second of `gateway --help` is won here, not by a stopwatch."""
    program = (
        "import json, sys\n"
        "from gateway.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=house.REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout.splitlines()[-1]) == []


def test_the_help_of_no_command_loads_anything_heavy() -> None:
    """One process asks every command for its help and looks after each what has been loaded."""
    program = (
        "import json, sys\n"
        "from gateway.cli import COMMANDS, main\n"
        "blamed = {}\n"
        "for name in COMMANDS:\n"
        "    main([name, '--help'], standalone_mode=False)\n"
        f"    heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "    if heavy and not blamed: blamed[name] = heavy\n"
        "print(json.dumps(blamed))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=house.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-500:]
    assert json.loads(run.stdout.splitlines()[-1]) == {}
