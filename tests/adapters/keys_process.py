"""Runs the real command on a real data directory: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.cli import main

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

    @property
    def data(self) -> Path:
        return self.home / "var"

    @property
    def passphrase(self) -> Path:
        return self.home / "passphrase"

    def environment(self) -> dict[str, str]:
        return {
            "GATEWAY_PASSPHRASE_FILE": str(self.passphrase),
            "GATEWAY_POLICIES": str(self.policies),
            "COLUMNS": "200",
        }

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


def founded(home: Path, *, name: str = "trafford-council", policies: Path | None = None) -> Office:
    """A fresh gateway with an administrator `ada` and a custodian `carol`."""
    office = Office(home=home, policies=policies or REPOSITORY / "policies")
    office.must("init", "--name", name)
    office.must("operators", "add", "ada", "--role", "administrator")
    office.must("operators", "add", "carol", "--role", "custodian", "--as", "ada")
    return office
