"""Checking an extract: the compiled pass, stock Great Expectations, and a pandas program.

All three do the same twenty rules on the same file in one run and must find the same
failing rows. Ours is measured twice: in the checker process as `gateway receive` uses it
(child ready; standard elements and stored columns included), and the rules alone.

    python tests/benchmarks/bench_check.py 1000000

Source: docs/reference/contracts.md.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gateway import intake  # noqa: E402
from gateway.adapters.checker import Checker  # noqa: E402
from gateway.adapters.checker_blocks import Examiner  # noqa: E402
from gateway.adapters.judge import Judge  # noqa: E402
from gateway.model import Contract, ContractColumn, Role, RowRule  # noqa: E402

SETTLE_SECONDS = 3.0


def _column(name: str, kind: str = "text", **parts: Any) -> ContractColumn:
    return ContractColumn(name=name, field=name, type=kind, **parts)


CONTRACT = Contract(
    id="bench_check",
    title="Fifteen columns, twenty rules",
    version=1,
    parties=("bench",),
    population="synthetic",
    columns=(
        _column("row", required=True, unique=True, form="reference"),
        _column("nhs_number", role=Role.NHS_NUMBER, tolerated=0.1),
        _column("forename", required=True),
        _column("surname", required=True),
        _column("dob", "date", role=Role.DATE_OF_BIRTH, required=True),
        _column("sex", codes=("1", "2", "9"), role=Role.SEX),
        _column("house", max_length=10),
        _column("street"),
        _column("postcode", role=Role.POSTCODE, tolerated=0.1),
        _column("extract_date", "date"),
        _column("class", codes=("ASB", "DA", "CRIME", "MISSING")),
        _column("start", "date"),
        _column("flag", "boolean"),
        _column("count", "integer", minimum=0, maximum=99),
        _column("risk", codes=("STD", "MED", "HIGH")),
    ),
    rules=(RowRule(name="starts-in-time", form="at-most", columns=("start", "extract_date")),),
)


def write_extract(path: Path, rows: int, seed: int = 1) -> None:
    """Write an extract in which about one cell in two thousand is wrong."""
    draw = random.Random(seed)
    days = [(dt.date(1950, 1, 1) + dt.timedelta(n)).isoformat() for n in range(20_000)]
    numbers = [text for text in (_nhs(999_000_000 + n) for n in range(90_000)) if text]
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(column.name for column in CONTRACT.columns) + "\n")
        for row in range(rows):
            cells = [
                f"R{row:09}",
                draw.choice(numbers),
                draw.choice(("Olivia", "Amelia", "Noah", "Arthur", "Isla")),
                draw.choice(("Smith", "Jones", "Taylor", "Brown", "O'Neil")),
                draw.choice(days),
                draw.choice("12"),
                str(row % 180 + 1),
                draw.choice(("High Street", "Mill Lane", "Church Road")),
                f"ZA{row % 90 + 1} {row % 10}AB",
                "2026-10-01",
                draw.choice(("ASB", "DA", "CRIME", "MISSING")),
                draw.choice(days),
                draw.choice("YN"),
                str(row % 20),
                draw.choice(("STD", "MED", "HIGH")),
            ]
            if row % 133 == 5:
                cells[draw.randrange(1, 15)] = draw.choice(("", "x", "9999999999", "2001-02-30"))
            out.write(",".join(cells) + "\n")


def _nhs(nine: int) -> str:
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(str(nine)))
    check = (11 - total % 11) % 11
    return "" if check == 10 else f"{nine}{check}"


def ours(path: Path) -> dict[str, Any]:
    """The whole checker, warm, and the judgement after it."""
    frames = 0

    def take(frame: bytes) -> None:
        nonlocal frames
        frames += len(frame)

    with Judge() as judge, Checker() as checker, path.open("rb") as source:
        judge.judge(CONTRACT, intake.rejected())
        time.sleep(SETTLE_SECONDS)
        started = time.perf_counter()
        verdict = checker.check(source, CONTRACT, known_columns=(), sink=take)
        checked = time.perf_counter()
        evidence = judge.judge(CONTRACT, verdict)
        judged = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {
        "seconds": round(checked - started, 3),
        "judgement_seconds": round(judged - checked, 3),
        "agreed": evidence["success"],
        "peak_mb": peak,
        "stored_mb": frames >> 20,
        "failed": {each.rule: each.failed for each in verdict.rules if each.failed},
    }


def rules_alone(path: Path) -> dict[str, Any]:
    """Structure, parse and rules of every block, on the workers, nothing stored."""
    from concurrent.futures import ThreadPoolExecutor

    rules = intake.rules_of(CONTRACT)
    compiled = intake.Compiled(CONTRACT, rules)

    with path.open("rb") as source, ThreadPoolExecutor(2) as pool:
        started = time.perf_counter()
        header = intake.read_header(source.readline().decode().strip(), CONTRACT, known=())
        examiner = Examiner(CONTRACT, header, rules=rules, seed=1)

        def check(octets: bytes) -> int:
            seen = intake.scan(octets, header.width, delimiter=",", longest_cell=32_768)
            raw = examiner._parse(octets, blanks=seen.padded)
            checked = compiled.check(raw, ascii_only=True, plain=not seen.unusual, signs=seen.signs)
            return sum(rows.len() for rows in checked.failing.values())

        failed = sum(pool.map(check, intake.cut_blocks(source.read, 4 << 20, longest=1 << 24)))
        return {"seconds": round(time.perf_counter() - started, 3), "failed": failed}


def library(path: Path) -> dict[str, Any]:
    """Stock Great Expectations on pandas, as a partner runs the published suite."""
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "suite.json"
        suite.write_text(json.dumps(intake.suite(CONTRACT)), encoding="utf-8")
        return _child(LIBRARY, str(path), str(suite), str(ROOT / "gateway" / "standalone"))


def by_hand(path: Path) -> dict[str, Any]:
    """The pandas program that a good analyst would write."""
    return _child(BY_HAND, str(path))


LIBRARY = """
import json, os, resource, sys, time
os.environ["GX_ANALYTICS_ENABLED"] = "false"
sys.path.insert(0, sys.argv[3])
import great_expectations as gx, pandas as pd
import gateway_expectations
started = time.perf_counter()
frame = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False, na_values=[""])
asset = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
outcome = batch.validate(gx.ExpectationSuite(**json.load(open(sys.argv[2]))),
                         result_format={"result_format": "COMPLETE"})
failed = {each.expectation_config.meta["rule"]: each.result.get("unexpected_count", 0)
          for each in outcome.results}
print(json.dumps({"seconds": round(time.perf_counter() - started, 3),
    "failed": {rule: count for rule, count in failed.items() if count},
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""

BY_HAND = """
import json, resource, sys, time
import numpy as np, pandas as pd
started = time.perf_counter()
f = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False, na_values=[""])
def fails(name, good): return f[name].notna() & ~good
def days(name): return pd.to_datetime(f[name], format="%Y-%m-%d", errors="coerce").notna()
nhs = f.nhs_number.fillna("")
nhs = nhs.where(nhs.str.fullmatch("[0-9]{10}"), "0000000000")
digits = np.array([list(text) for text in nhs], dtype=np.int64)
right = (digits * np.arange(10, 0, -1)).sum(axis=1) % 11 == 0
right &= (digits != digits[:, :1]).any(axis=1)
text = r"[^\\x00-\\x1f\\x7f]*[^\\x00-\\x20\\x7f][^\\x00-\\x1f\\x7f]*"
found = {
    "nhs_number.nhs-number": fails("nhs_number", pd.Series(right, index=f.index)),
    "row.unique": f.row.duplicated(keep=False),
    "sex.codes": fails("sex", f.sex.isin(["1", "2", "9"])),
    "class.codes": fails("class", f["class"].isin(["ASB", "DA", "CRIME", "MISSING"])),
    "risk.codes": fails("risk", f.risk.isin(["STD", "MED", "HIGH"])),
    "flag.codes": fails("flag", f.flag.isin(["Y", "N"])),
    "count.number": fails("count", f["count"].str.fullmatch("[0-9]|[1-9][0-9]").fillna(False)),
    "postcode.postcode": fails("postcode", f.postcode.str.fullmatch(
        "[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}").fillna(False)),
    "starts-in-time": f.start.notna() & f.extract_date.notna() & (f.start > f.extract_date),
}
for name in ("row", "forename", "surname", "dob"):
    found[name + ".required"] = f[name].isna()
for name in ("forename", "surname", "house", "street"):
    found[name + ".text"] = fails(name, f[name].str.fullmatch(text).fillna(False))
    found[name + ".length"] = f[name].str.len() > 200
for name in ("dob", "extract_date", "start"):
    found[name + ".date"] = fails(name, days(name))
counts = {rule: int(rows.sum()) for rule, rows in found.items()}
print(json.dumps({"seconds": round(time.perf_counter() - started, 3),
    "failed": {rule: count for rule, count in counts.items() if count},
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def _child(program: str, *arguments: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def run(rows: int = 1_000_000) -> dict[str, Any]:
    """Measure all three on one file; ratios are peer seconds over ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "extract.csv"
        write_extract(path, rows)
        size = path.stat().st_size
        mine, alone = ours(path), rules_alone(path)
        theirs, hand = library(path), by_hand(path)
    return {
        "name": "check",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": 1,
        "rows": rows,
        "mb": size >> 20,
        "rules": len(intake.rules_of(CONTRACT)),
        "unit": "s",
        "ours": mine["seconds"],
        "rules_alone": alone["seconds"],
        "judgement": mine["judgement_seconds"],
        "agreed": mine["agreed"],
        "peer": theirs["seconds"],
        "peer_by_hand": hand["seconds"],
        "ratio": round(theirs["seconds"] / mine["seconds"], 1),
        "ratio_rules_alone": round(theirs["seconds"] / alone["seconds"], 1),
        "ratio_by_hand": round(hand["seconds"] / mine["seconds"], 1),
        "peak_mb": mine["peak_mb"],
        "peer_peak_mb": theirs["peak_mb"],
        "stored_mb": mine["stored_mb"],
        "same_failures": mine["failed"] == theirs["failed"],
    }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), indent=2))
