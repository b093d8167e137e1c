"""The preview of three drafts over a million stored rows, after one release was made.

The extract of the main benchmark is received and shared once, so that every preview also
holds both versions against an earlier release. Each draft is previewed by a command line
of its own: start-up, key ring, register, both versions, the sealed result. Whatever the
clock says beside other work, the processor time says what two free cores would need.

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_main import HERE, environment_of, extract_of, founded, python

ROWS, RUNS, TARGET = 1_000_000, 3, 10
ARM = 'programme_arm = { treat = "keep", clause = "4.1(b)iii" }\n'
DRAFTS = {
    "a field is coarsened": ('"age-band-5"', '"age-band-10"'),
    "a field is removed": (ARM, ""),
    "the whole family is left out": ('"drop-person"', '"drop-family"'),
}


def run(rows: int = ROWS) -> dict[str, Any]:
    """Preview each draft again and again; medians, and the largest memory."""
    with tempfile.TemporaryDirectory(prefix="bench-preview-") as temporary:
        taken = _previews(Path(temporary), rows)
    every = [each for runs in taken.values() for each in runs]
    slowest = max(_median(runs, "seconds") for runs in taken.values())
    return {
        "name": "preview",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "rows": rows,
        "ours": slowest,
        "ratio": round(slowest / TARGET, 2),
        "unit": f"s, slowest draft's median; ratio to the target of {TARGET} s",
        "peak_mb": max(each["peak_mb"] for each in every),
        "seconds": {name: _median(runs, "seconds") for name, runs in taken.items()},
        "processor": {name: _median(runs, "processor") for name, runs in taken.items()},
    }


def _previews(home: Path, rows: int) -> dict[str, list[dict[str, Any]]]:
    environment, extract = environment_of(home), extract_of(home, rows)
    data = str(founded(home, extract, environment))
    for what in ("receive", "share"):
        words = (data, str(extract / "bench.csv"), str(home / "outbox"), what)
        python("main_run.py", *words, environment=environment)
    shutil.rmtree(extract)
    taken = {}
    for number, (name, (old, new)) in enumerate(DRAFTS.items()):
        draft = _draft(home, number, old, new)
        settings = {**environment, "GATEWAY_POLICIES": str(draft.parents[1])}
        taken[name] = [
            json.loads(python("preview_run.py", data, str(draft), environment=settings))
            for _ in range(RUNS)
        ]
    return taken


def _draft(home: Path, number: int, old: str, new: str) -> Path:
    """The agreement with one change, one version further, where it lies among the others."""
    text = (HERE / "policies" / "agreements" / "bench.toml").read_text("utf-8")
    assert old in text
    folder = home / f"draft-{number}"
    shutil.copytree(HERE / "policies", folder)
    path = folder / "agreements" / "bench.toml"
    path.write_text(text.replace("version = 1", "version = 2", 1).replace(old, new, 1), "utf-8")
    return path


def _median(runs: list[dict[str, Any]], what: str) -> float:
    return round(statistics.median(each[what] for each in runs), 2)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS), indent=1))
