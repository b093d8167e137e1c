"""The story of `gateway demo`: who does what, with which command, and what it showed.

The commands run in this process, so that the judge and the key ring open once;
what they print is what a user would see.

Source: docs/tutorial/first-release.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from gateway import wiring
from gateway.adapters.keyring import kept_open
from gateway.adapters.settings import read_settings
from gateway.cli import main
from gateway.standalone import verify_ledger

AGREEMENT = "trafford-stronger-families"
COUNCIL = "trafford-council"
STUDY = "national-impact-study"
STAFF = {
    "ada": ["--role", "administrator"],
    "edith": ["--role", "editor"],
    "april": ["--role", "approver", "--controller", COUNCIL],
    "kit": ["--role", "custodian"],
    "rosa": ["--role", "release-officer"],
    "rita": ["--role", "rights-officer"],
}
REFUSED = 3
RECIPIENTS = ("ons-linkage-unit", "ons-research")
EXTRACTS = (
    ("family_register", COUNCIL),
    ("family_progress", COUNCIL),
    ("school_attendance", "trafford-schools"),
    ("police_incidents", "greater-manchester-police"),
)


class Story:
    """One run of the demo in one fresh directory."""

    def __init__(self, home: Path, *, size: int, seed: int) -> None:
        """Everything of the story lies in `home`."""
        self.home = home
        self.size = size
        self.seed = seed
        self.start = time.monotonic()

    def tell(self) -> None:
        """Run every step; a step that does not end as it should ends the demo."""
        click.secho("Stronger Families: from partners' files to a package that proves itself")
        click.echo(f"Everything happens in {self.home}, with invented people only.")
        settings = read_settings(self.home / "data")
        with wiring.warm_judge():
            self._borough()
            self._council()
            with kept_open(settings):
                self._staff()
                self._policy()
                self._intake()
                self._objections()
                self._refusal()
                packages = self._release()
            trust = self.home / "trust.json"
            trust.write_text(self._run("trust", "export"))
            if packages:
                self._recipient(packages, trust)
            self._proof()
        self._end()

    def _borough(self) -> None:
        self._chapter("A borough of invented people, and what its partners hold of them")
        self._run("synth", "--size", str(self.size), "--seed", str(self.seed), self._at("borough"))
        counts = {
            dataset: (self.home / "borough" / f"{dataset}.csv").read_bytes().count(b"\n") - 1
            for dataset, _ in EXTRACTS
        }
        self._say(", ".join(f"{dataset} {rows:,} rows" for dataset, rows in counts.items()))

    def _council(self) -> None:
        self._chapter("The council sets up its gateway")
        self._tell("init", "--name", "trafford-demo")
        self._say("A random passphrase of 80 bits or more was written for this demo alone.")

    def _staff(self) -> None:
        self._chapter("People with personal keys, each with one role; recipients with their own")
        for name, roles in STAFF.items():
            chief = [] if name == "ada" else ["--as", "ada"]
            self._run("operators", "add", name, *roles, *chief)
        self._say(", ".join(f"{name} ({roles[1]})" for name, roles in STAFF.items()))
        for recipient in RECIPIENTS:
            self._run("recipient-key", "new", "--to", self._at(recipient))
            public = self._at(recipient, "recipient.pub")
            self._run("recipients", "add", recipient, public, "--as", "ada")
            for officer in ("ada", "kit"):
                self._run("recipients", "confirm", recipient, "--as", officer)
        self._say("Two people compared each recipient's fingerprint by telephone.")

    def _policy(self) -> None:
        self._chapter("Edith proposes the agreement; April approves it; Kit makes and grants a key")
        self._tell("policy", "propose", AGREEMENT, "--as", "edith")
        refused = self._run("policy", "approve", AGREEMENT, "--as", "edith", expect=3)
        self._say(f"Edith may not approve her own: {refused.splitlines()[0]}")
        self._tell("policy", "approve", AGREEMENT, "--as", "april")
        self._run(
            "keys", "new", "--kind", "study", "--study", "nis", "--epoch", "2026-1", "--as", "kit"
        )
        key = ["study-nis-2026-1", "--purpose", STUDY, "--policy", self._digest()]
        self._tell("keys", "grant", *key, "--until", "2027-03-31", "--as", "kit")

    def _intake(self) -> None:
        self._chapter("Partners send their extracts; a school's first file is damaged")
        damaged = self.home / "damaged.csv"
        lines = (self.home / "borough" / "school_attendance.csv").read_bytes().splitlines(True)
        lines[3] = lines[3].rstrip(b"\n") + b",one field too many\n"
        damaged.write_bytes(b"".join(lines[:400]))
        where = ["--dataset", "school_attendance", "--from", "trafford-schools"]
        self._tell("receive", str(damaged), *where, expect=4)
        for dataset, party in EXTRACTS:
            path = self._at("borough", f"{dataset}.csv")
            self._tell("receive", path, "--dataset", dataset, "--from", party)

    def _objections(self) -> None:
        self._chapter("People objected, by telephone and letter, not always spelt alike")
        told = self._json(
            "object", "--purpose", STUDY, "--file", self._at("borough", "objections.csv")
        )
        self._say(f"{told['people']} objections stand in the register, as keyed tombstones.")

    def _refusal(self) -> None:
        self._chapter("What no agreement permits is refused, with its reason")
        self._tell("share", "cost-benefit", "--agreement", AGREEMENT, "--as", "rosa", expect=3)

    def _release(self) -> list[dict[str, Any]]:
        self._chapter("Rosa runs the national study's release")
        words = ("share", STUDY, "--agreement", AGREEMENT, "--as", "rosa")
        told = json.loads(self._run(*words, "--to", self._at("outbox"), "--json", may_refuse=True))
        for reason in told["refusal"]:
            self._say(f"Refused: {reason['code']}: {reason['reason']}")
        if told["refusal"]:
            self._say("In so small a borough nothing can leave; try a larger --size.")
            return []
        people = told["conservation"]
        withheld = ", ".join(f"{count} {why}" for why, count in people["withheld"].items())
        self._say(f"{people['received']} people received = {people['forwarded']} forwarded")
        self._say(f"  + withheld: {withheld or 'nobody'}")
        for package in told["packages"]:
            self._say(f"{package['output']} -> {package['recipient']}: {package['rows']} rows")
        explained = self._json("explain", STUDY, "--agreement", AGREEMENT)
        held = len(explained.get("not_sent", []))
        self._say(f"{held} fields of the sources were not sent; `gateway explain` names each one.")
        packages: list[dict[str, Any]] = told["packages"]
        return packages

    def _recipient(self, packages: list[dict[str, Any]], trust: Path) -> None:
        self._chapter("The recipients verify everything, then open")
        for package in packages:
            key = self._at(package["recipient"], "recipient.key")
            opened = ["--trust", str(trust), "--to", self._at("opened", package["output"])]
            told = self._json("open", package["path"], "--key", key, *opened)
            verified = ", ".join(name for name, ok in told["verified"].items() if ok)
            self._say(f"{package['output']}: {verified} verify; {told['rows']} rows opened")
        tampered = self.home / "tampered.gwp"
        content = bytearray(Path(packages[-1]["path"]).read_bytes())
        content[len(content) // 2] ^= 1
        tampered.write_bytes(content)
        key = self._at(packages[-1]["recipient"], "recipient.key")
        opened = ["--trust", str(trust), "--to", self._at("opened", "tampered")]
        self._run("open", str(tampered), "--key", key, *opened, expect=6)
        self._say("With one byte changed it is refused, and nothing is written.")
        sample = (self.home / "opened" / "payload" / "data.csv").read_text().splitlines()
        for line in sample[:4]:
            self._say(f"    {line}")

    def _proof(self) -> None:
        self._chapter("The ledger proves what left, to anyone, without the gateway")
        self._tell("ledger", "verify")
        export = self._at("ledger-export.jsonl")
        self._run("ledger", "export", export)
        verifier = [sys.executable, verify_ledger.__file__, export]
        verifier += ["--trust", self._at("trust.json")]
        shown = subprocess.run(verifier, capture_output=True, text=True, check=True)
        self._say("$ python verify_ledger.py ledger-export.jsonl --trust trust.json")
        self._say(shown.stdout.strip())

    def _end(self) -> None:
        click.echo()
        click.secho(f"The end, after {time.monotonic() - self.start:.1f} s. Try next:")
        data = shlex.quote(str(self.home / "data"))
        passphrase = shlex.quote(str(self.home / "passphrase"))
        for line in (
            f"export GATEWAY_DATA={data} GATEWAY_PASSPHRASE_FILE={passphrase}",
            "gateway releases",
            f"gateway explain {STUDY} --agreement {AGREEMENT}",
            f"gateway share {STUDY} --agreement {AGREEMENT} --as rosa --dry-run",
        ):
            click.echo(f"  {line}")

    def _chapter(self, title: str) -> None:
        click.echo()
        click.secho(f"{time.monotonic() - self.start:5.1f} s  {title}", bold=True)

    def _say(self, sentence: str) -> None:
        for line in sentence.splitlines():
            click.echo(f"         {line}")

    def _tell(self, *words: str, expect: int = 0) -> None:
        """Run a command and show it with its output."""
        said = self._run(*words, expect=expect)
        self._say(f"$ gateway {shlex.join(self._short(word) for word in words)}")
        self._say(said.strip())

    def _json(self, *words: str) -> Any:
        return json.loads(self._run(*words, "--json"))

    def _run(self, *words: str, expect: int = 0, may_refuse: bool = False) -> str:
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                answer = main.main(["--data", self._at("data"), *words], standalone_mode=False)
                code = answer if isinstance(answer, int) else 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
        if code != expect and not (may_refuse and code == REFUSED):
            self._say(out.getvalue() + err.getvalue())
            raise click.ClickException(f"`gateway {words[0]}` ended with {code}, not {expect}.")
        return out.getvalue() or err.getvalue()

    def _at(self, *parts: str) -> str:
        return str(self.home.joinpath(*parts))

    def _short(self, word: str) -> str:
        return word.removeprefix(f"{self.home}{os.sep}")

    def _digest(self) -> str:
        every = self._json("policy", "status")["agreements"]
        return next(str(one["policy_digest"]) for one in every if one["agreement"] == AGREEMENT)
