"""The published suite, run natively by a partner, finds exactly what the compiled pass finds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from gateway.intake import Compiled, Repetitions, keyed_hashes, rules_of, suite
from gateway.standalone import __path__ as standalone
from tests.bad_input.police_extract import NAMES, NHS, POLICE, row

FAULTS = (
    *("", " ", "x", "0", "9", "-1", "-0", "141", "140", "20000", "20000.00", "20000.01", "1.234"),
    *("1e5", "1.23457E+12", "9.99E+09", "99.0", "007", "+5", "1_0", "nan", "inf", "\u0661\u0662"),
    *("2001-02-29", "2000-02-29", "1900-01-01", "2026-10-02", "31/12/2001", "12/31/2001"),
    *(
        "2001-2-3",
        " 2001-02-03",
        "2001-02-03 ",
        "20010203",
        "0999-01-01",
        "2200-01-01",
        "2025-01-01",
    ),
    *("9999999999", "9990000019", "999 000 0018", "999-000-0026", "4010232137", "1234567890"),
    *("A001123456789", "H001123456789", "h001123456789", "A00112345678X", "ZA1 1AA", "za11aa"),
    *("ZZ99 3WZ", "N1P 1AA", "ZA1  1AA", "M1 1AA", "M1 1CC", "GIR 0AA", "Q1 1AA"),
    *("y", "Y", "N", "Y ", "C1", "C1;C2", "C1;", ";C1", "C1;C4", "ASB", "asb", "CRIME"),
    *("Sm\u0456th", "\u0421мит", "Zo\u00eb", "a\nb", "a\n", "\ta", "=1+1", "-", "O'Neil", "\u00a0"),
    *("x" * 40, "x" * 41, "x" * 60, "\u00e9" * 61, "a\u0085b", "a\u2028", "caf\u0065\u0301"),
)

LIKELY = dict.fromkeys(NAMES, ("",)) | {
    "class": ("CRIME", "DA"),
    "start": ("1999-12-31", "2026-01-01"),
    "dob": ("01/02/2026", "1900-01-01"),
    "forename": ("Sm\u0456th", "x" * 61),
    "surname": ("\u0421mith", "x" * 61),
    "sex": ("9",),
    "count": ("140", "30"),
}


def faulty(seed: int, size: int) -> dict[str, list[str | None]]:
    """Good rows with faults strewn in, more in some frames than in others."""
    draw = random.Random(seed)
    cells: list[list[str | None]] = [
        [text or None for text in row(n, nhs=draw.choice(("", *NHS)))] for n in range(size)
    ]
    for _ in range(int(size * draw.choice((0.1, 2, 8)))):
        place = draw.randrange(len(NAMES))
        fault = draw.choice(("", draw.choice(FAULTS), draw.choice(LIKELY[NAMES[place]])))
        cells[draw.randrange(size)][place] = fault or None
    for _ in range(draw.randrange(3)):
        cells[draw.randrange(size)][0] = cells[draw.randrange(size)][0]
    return dict(zip(NAMES, map(list, zip(*cells, strict=True)), strict=True))


def compiled(frame: dict[str, list[str | None]]) -> dict[str, dict[str, Any]]:
    rules = rules_of(POLICE)
    raw = pl.DataFrame(frame, schema=dict.fromkeys(NAMES, pl.String))
    checked = Compiled(POLICE, rules).check(raw, ascii_only=False)
    found = {}
    for rule in rules:
        if rule.together:
            seen = Repetitions()
            pairs = keyed_hashes(raw, rule, 7, 0)
            seen.add(pairs)
            failing, applied = [int(number) for number in seen.rows()], len(pairs)
        else:
            rows = checked.failing.get(rule.name)
            failing = [] if rows is None else sorted(rows.to_list())
            applied = checked.applied[rule.name]
        share = len(failing) / max(applied, 1)
        found[rule.name] = {
            "success": share <= rule.tolerated,
            "failing": failing,
            "applied": applied,
        }
    return found


def native(folder: Path, frames: list[dict[str, list[str | None]]]) -> list[dict[str, Any]]:
    (folder / "suite.json").write_text(json.dumps(suite(POLICE)), encoding="utf-8")
    lines = "\n".join(map(json.dumps, frames))
    (folder / "frames.jsonl").write_text(lines, encoding="utf-8")
    script = Path(__file__).with_name("native_suite.py")
    plugin = str(Path(next(iter(standalone))))
    ran = subprocess.run(
        [sys.executable, script, plugin, folder / "suite.json", folder / "frames.jsonl"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_partner_with_stock_great_expectations_finds_what_the_gateway_finds(
    tmp_path: Path,
) -> None:
    frames = [faulty(seed, 150) for seed in range(16)]
    failed = set()
    for theirs, frame in zip(native(tmp_path, frames), frames, strict=True):
        ours = compiled(frame)
        exists = {name for name in theirs if name.endswith(".exists")}
        assert set(theirs) - exists == set(ours)
        for rule, found in ours.items():
            their = theirs[rule]
            assert their["raised"] == 0, rule
            assert (rule, their["failing"]) == (rule, found["failing"])
            assert (rule, their["success"]) == (rule, found["success"])
            if "." in rule:
                assert (rule, their["applied"]) == (rule, found["applied"])
            failed |= {rule} if found["failing"] else set()
    # Every rule has failed somewhere, or the comparison would prove little.
    assert failed == {rule.name for rule in rules_of(POLICE)}
