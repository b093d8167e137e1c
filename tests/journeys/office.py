"""A council's office: one data directory, its staff, and every command through its own door.

Commands run in this process, with one key ring and one judge kept open; `apart` runs
one in a process of its own, for what only processes can show.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import wiring
from gateway.adapters.keyring import kept_open
from gateway.adapters.settings import read_settings
from gateway.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
STAFF = {
    "ada": "administrator",
    "edith": "editor",
    "april": "approver",
    "kit": "custodian",
    "kora": "custodian",
    "rosa": "release-officer",
    "rita": "rights-officer",
}


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Office:
    """One data directory in `home`."""

    home: Path
    policies: Path = REPOSITORY / "policies"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / "data"

    def environment(self) -> Mapping[str, str]:
        return {
            "GATEWAY_PASSPHRASE_FILE": str(self.home / "passphrase"),
            "GATEWAY_POLICIES": str(self.policies),
            **self.settings,
        }

    def run(self, *words: str, given: str = "") -> Answer:
        """Run one command here."""
        out, err = io.StringIO(), io.StringIO()
        with (
            _setting(self.environment()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _typed(given),
        ):
            try:
                told = main.main(["--data", str(self.data), *words], standalone_mode=False)
                code = told if isinstance(told, int) else 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
        return Answer(code, out.getvalue(), err.getvalue())

    def must(self, *words: str, given: str = "") -> Answer:
        """Run one command that has to succeed."""
        answer = self.run(*words, given=given)
        assert answer.code == 0, (words, answer.code, answer.out[-800:], answer.err[-800:])
        return answer

    def ask(self, *words: str) -> Any:
        """The JSON document of a command that has to succeed."""
        return self.must(*words, "--json").document

    def apart(self, *words: str) -> subprocess.Popen[str]:
        """Start one command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "--data", str(self.data), *words],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **self.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextlib.contextmanager
    def open(self) -> Iterator[Office]:
        """Keep the ring and a judge open within the block."""
        with (
            wiring.warm_judge(),
            _setting(self.environment()),
            kept_open(read_settings(self.data)),
        ):
            yield self

    def found(self, *, controllers: Sequence[str], recipients: Sequence[str]) -> None:
        """Data directory, staff, and recipients whose keys two people confirmed."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.must("init", "--name", "office")
        with _setting(self.environment()), kept_open(read_settings(self.data)):
            for name, role in STAFF.items():
                bound = [c for each in controllers for c in ("--controller", each)]
                roles = ["--role", role, *(bound if role == "approver" else [])]
                self.must("operators", "add", name, *roles, *_chief(name))
            for recipient in recipients:
                self.must("recipient-key", "new", "--to", str(self.home / recipient))
                public = str(self.home / recipient / "recipient.pub")
                self.confirm(recipient, public)

    def confirm(self, recipient: str, public: str) -> None:
        """Register a recipient's key; two people confirm its fingerprint."""
        self.must("recipients", "add", recipient, public, "--as", "ada")
        for officer in ("ada", "kit"):
            self.must("recipients", "confirm", recipient, "--as", officer)

    def approve(self, agreement: str) -> str:
        """Propose and approve an agreement; its policy digest."""
        self.must("policy", "propose", agreement, "--as", "edith")
        told = self.ask("policy", "approve", agreement, "--as", "april")
        digest: str = told["policy_digest"]
        return digest

    def grant(self, key: str, purpose: str, digest: str) -> None:
        """Let a key be used for a purpose under a policy for a month."""
        until = str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30))
        words = [key, "--purpose", purpose, "--policy", digest, "--until", until]
        self.must("keys", "grant", *words, "--as", "kit")

    def trust(self) -> Path:
        """The sender's descriptor, as its recipients hold it."""
        path = self.home / "trust.json"
        path.write_text(self.must("trust", "export").out)
        return path


def _chief(name: str) -> list[str]:
    return [] if name == "ada" else ["--as", "ada"]


@contextlib.contextmanager
def _setting(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _typed(text: str) -> Iterator[None]:
    kept = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = kept
