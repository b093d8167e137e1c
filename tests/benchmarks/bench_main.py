"""Receive and share of the benchmark extract, beside the pandas program doing the same work.

One run makes the extract once, then runs both, one after the other, on the same
machine: the product as two command lines (start-up, key ring, ledger, signature and
sealing included), the peer as `peer_pandas.py`.

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROWS = 1_000_000
# Modules are compiled once, as where they are installed, whatever this shell says about it.
DROPPED = ("GATEWAY_", "PYTHONDONTWRITEBYTECODE")
STAFF = {
    "ada": ["--role", "administrator"],
    "edith": ["--role", "editor"],
    "april": ["--role", "approver", "--controller", "bench-council"],
    "kit": ["--role", "custodian"],
    "rosa": ["--role", "release-officer"],
}


def run(rows: int = ROWS, *, folder: Path | None = None) -> dict[str, Any]:
    """Measure both programs on `rows` rows; the ratio is peer seconds over ours."""
    with tempfile.TemporaryDirectory() as temporary:
        home = folder or Path(temporary)
        environment = environment_of(home)
        extract = extract_of(home, rows)
        ours = _ours(home, extract, environment)
        answer = python(
            *("peer_pandas.py", str(extract / "bench.csv"), str(extract / "objectors.csv")),
            str(home / "peer"),
            environment=environment,
        )
        peer = json.loads(answer.splitlines()[-1])
    seconds = ours["receive"]["seconds"] + ours["share"]["seconds"]
    cold = ours["receive_cold"]["seconds"] + ours["share"]["seconds"]
    return {
        "name": "main",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": 1,
        "rows": rows,
        "ours": round(seconds, 2),
        "ours_cold": round(cold, 2),
        "peer": peer["seconds"],
        "ratio": round(peer["seconds"] / seconds, 2),
        "ratio_cold": round(peer["seconds"] / cold, 2),
        "unit": "s",
        "peak_mb": max(ours[step]["peak_mb"] for step in ours),
        "checker_mb": ours["receive"]["children_mb"],
        "peer_mb": peer["peak_mb"],
        "steps": ours,
        "peer_steps": peer,
    }


def environment_of(home: Path) -> dict[str, str]:
    """The settings of the benchmark's office."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(DROPPED)},
        "GATEWAY_PASSPHRASE_FILE": str(home / "passphrase"),
        "GATEWAY_POLICIES": str(HERE / "policies"),
    }


def extract_of(home: Path, rows: int) -> Path:
    """The folder of the extract and its objectors, made where it is missing."""
    extract = home / f"extract-{rows}"
    if not extract.exists():
        words = (str(extract), "--rows", str(rows))
        python("extract_1m.py", *words, environment=environment_of(home))
    return extract


def founded(home: Path, extract: Path, environment: dict[str, str]) -> Path:
    """Found an office that may release the extract once it is received; its data directory."""
    data = home / "data"
    gateway = [sys.executable, "-m", "gateway", "--data", str(data)]

    def do(*words: str) -> str:
        return subprocess.run(
            [*gateway, *words], env=environment, check=True, capture_output=True, text=True
        ).stdout

    do("init", "--name", "bench")
    for name, roles in STAFF.items():
        do("operators", "add", name, *roles, *([] if name == "ada" else ["--as", "ada"]))
    for recipient in ("bench-linkage", "bench-research"):
        do("recipient-key", "new", "--to", str(home / recipient))
        do("recipients", "add", recipient, str(home / recipient / "recipient.pub"), "--as", "ada")
        for officer in ("ada", "kit"):
            do("recipients", "confirm", recipient, "--as", officer)
    do("policy", "propose", "bench", "--as", "edith")
    do("policy", "approve", "bench", "--as", "april")
    digest = json.loads(do("policy", "status", "--json"))["agreements"][0]["policy_digest"]
    do("keys", "new", "--kind", "study", "--study", "bench", "--epoch", "2026-1", "--as", "kit")
    grant = ["--purpose", "bench-study", "--policy", digest, "--until", "2029-01-01"]
    do("keys", "grant", "study-bench-2026-1", *grant, "--as", "kit")
    do("object", "--purpose", "bench-study", "--file", str(extract / "objectors.csv"))
    return data


def _ours(home: Path, extract: Path, environment: dict[str, str]) -> dict[str, Any]:
    data = founded(home, extract, environment)

    def timed(what: str, *flags: str, file: str = "bench.csv") -> dict[str, Any]:
        words = [str(data), str(extract / file), str(home / "outbox"), what, *flags]
        answer = python("main_run.py", *words, environment=environment)
        told: dict[str, Any] = json.loads(answer.splitlines()[-1])
        return told

    cold = timed("receive")
    _touch(data, environment)
    return {"receive_cold": cold, "receive": timed("receive", "--warm"), "share": timed("share")}


def _touch(data: Path, environment: dict[str, str]) -> None:
    """Forget the receipt of the same bytes, so that the warm run does the work again."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute(\"update extracts set content_digest = '0'\"); c.commit()"
    )
    path = str(data / "gateway.sqlite")
    subprocess.run([sys.executable, "-c", code, path], env=environment, check=True)


def python(script: str, *words: str, environment: dict[str, str]) -> str:
    """Run a script of this folder in a process of its own; what it prints."""
    return subprocess.run(
        [sys.executable, str(HERE / script), *words],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS), indent=2))
