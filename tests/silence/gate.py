"""A gateway of its own for the silence tests, driven as people drive it: by its commands."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
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
            "GATEWAY_POLICIES": str(self.home / "policies"),
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
    """A new gateway in an empty directory, with the shipped documents in force today."""
    home.chmod(0o700)
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    for document in (home / "policies").rglob("*.toml"):
        document.write_text(in_time(document.read_text(encoding="utf-8")), encoding="utf-8")
    gate = Gate(home)
    gate.must("init", "--name", sender)
    return gate


def in_time(document: str) -> str:
    """The same document with its ends ahead of today, so that no test ends with an agreement."""
    today = dt.date.today()  # noqa: DTZ011 - a day, as the documents have them
    for name, days in (("review", 180), ("ends", 300), ("retain_until", 700), ("expires", 900)):
        later = today + dt.timedelta(days=days)
        document = re.sub(
            rf"^{name} = \d{{4}}-\d\d-\d\d", f"{name} = {later}", document, flags=re.M
        )
    return document
