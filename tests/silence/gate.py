"""A gateway of its own for the silence tests, driven as people drive it: by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that a person at the terminal could have seen."""
        return self.out + self.err

    @property
    def document(self) -> Any:
        """The one JSON document of `--json`."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Gate:
    """One data directory and its passphrase file."""

    home: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    def run(self, *arguments: str, given: str = "") -> Answer:
        """Run one command in a process of its own."""
        passphrase = self.home / "passphrase"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "NO_COLOR": "1",
            "GX_ANALYTICS_ENABLED": "false",
            "GATEWAY_PASSPHRASE_FILE": str(passphrase),
        }
        ended = subprocess.run(
            [sys.executable, "-m", "gateway", "--data", str(self.data), *arguments],
            cwd=REPOSITORY,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    def must(self, *arguments: str, given: str = "") -> Answer:
        """Run one command that has to succeed."""
        answer = self.run(*arguments, given=given)
        assert answer.code == 0, (arguments[:3], answer.code, answer.said[-600:])
        return answer


def founded(home: Path, sender: str = "trafford-council") -> Gate:
    """A new gateway in an empty directory."""
    home.chmod(0o700)
    gate = Gate(home)
    gate.must("init", "--name", sender)
    return gate
