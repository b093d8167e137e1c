"""Runs the real command on a real data directory: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.adapters.database import Database
from gateway.cli import main
from tests.databases import Server

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one run left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One gateway: its data directory, its passphrase file, its policies."""

    home: Path
    policies: Path = REPOSITORY / "policies"
    database_url: str = ""

    @property
    def data(self) -> Path:
        return self.home / "var"

    @property
    def passphrase(self) -> Path:
        return self.home / "passphrase"

    def environment(self) -> dict[str, str]:
        elsewhere = {"GATEWAY_DATABASE_URL": self.database_url} if self.database_url else {}
        return {
            "GATEWAY_PASSPHRASE_FILE": str(self.passphrase),
            "GATEWAY_POLICIES": str(self.policies),
            "COLUMNS": "200",
            **elsewhere,
        }

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """Its database, past every command."""
        found = Database(self.database_url or f"sqlite:///{self.data / 'gateway.sqlite'}")
        try:
            yield found
        finally:
            found.close()

    def run(self, *words: str | Path) -> Answer:
        """Run the command in this process: the same code, without a second of imports."""
        arguments = ["--data", str(self.data), *map(str, words)]
        done = CliRunner().invoke(main, arguments, env=self.environment(), input="")
        return Answer(code=done.exit_code, out=done.stdout, err=done.stderr)

    def spawn(self, *words: str | Path) -> Answer:
        """Run the command in a process of its own, as people do."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "--data", str(self.data), *map(str, words)],
            check=False,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)} | self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Answer(code=done.returncode, out=done.stdout, err=done.stderr)

    def must(self, *words: str | Path) -> Any:
        """Run with --json; anything but success fails the test with its own words."""
        answer = self.run(*words, "--json")
        assert answer.code == 0, (words, answer.code, answer.out, answer.err)
        return answer.json

    def refused(self, code: str, exit_code: int, *words: str | Path) -> Answer:
        answer = self.run(*words)
        assert (answer.code, answer.err.partition(":")[0]) == (exit_code, code), answer.err
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Offices:
    """Offices on one back end; on PostgreSQL each has a database of its own."""

    server: Server | None

    def new(self, home: Path, *, policies: Path | None = None) -> Office:
        """An office that is not founded yet."""
        url = self.server.create() if self.server else ""
        return Office(home=home, policies=policies or REPOSITORY / "policies", database_url=url)

    def copied(self, office: Office, home: Path) -> Office:
        """The same office elsewhere, its database included, to be changed at will."""
        shutil.copytree(office.home, home)
        own = office.policies.is_relative_to(office.home)
        policies = home / office.policies.relative_to(office.home) if own else office.policies
        url = self.server.copy(office.database_url) if self.server else ""
        return Office(home=home, policies=policies, database_url=url)


def founded(
    home: Path,
    *,
    name: str = "trafford-council",
    policies: Path | None = None,
    offices: Offices | None = None,
) -> Office:
    """A fresh gateway with an administrator `ada` and a custodian `carol`."""
    office = (offices or Offices(server=None)).new(home, policies=policies)
    office.must("init", "--name", name)
    office.must("operators", "add", "ada", "--role", "administrator")
    office.must("operators", "add", "carol", "--role", "custodian", "--as", "ada")
    return office
