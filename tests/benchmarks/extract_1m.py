"""Make the extract of the main benchmark and the people of it who object.

    python tests/benchmarks/extract_1m.py DIR [--rows N] [--objectors N] [--seed S]

writes DIR/bench.csv (15 columns, about 110 bytes a row, three national numbers
from reserved ranges, about 8 rows in 1,000 with one fault) and DIR/objectors.csv
(one to three national numbers each; half of these people are in the extract).
The contract is `policies/datasets/bench.toml` beside this file.

NHS numbers end at 909,090 and NINOs at a million: beyond that they are empty,
never repeated, and some are kept back for objectors whom the extract does not hold.

Source: docs/explanation/synthetic-borough.md; style.md, reserved ranges.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from gateway.synth.draw import chance, days, pick, pick_word, stream, whole, words, yes_no
from gateway.synth.numbers import NHS_NUMBERS, nhs_numbers, ninos, postcodes, upns

BLOCK = 1_000_000
NHS_IN_EXTRACT = 860_000
NINO_IN_EXTRACT = 950_000
FAULTY = 0.008
DISTRICTS = 80
AT = (dt.date(2026, 4, 1) - dt.date(1970, 1, 1)).days
_CRITERIA = tuple(";".join(f"C{n + 1}" for n in range(6) if code >> n & 1) for code in range(1, 64))
# One fault each, so that each check of the contract that can fail does so.
_FAULTS: dict[str, str] = {
    "person_id": "",
    "nhs_number": "9990000001",
    "upn": "A001200020001",
    "nino": "QQ12345",
    "dob": "31/12/1999",
    "sex": "M",
    "postcode": "ZA1 1CC",
    "programme_arm": "PILOT",
    "criteria_met": "C1,C3",
    "support_start": "2026-02-30",
    "possible_sessions": "many",
    "absent_sessions": "401",
    "incidents": "51",
    "on_benefit": "y",
}


class Numbers:
    """The national numbers of the extract, and those kept back for others."""

    def __init__(self, seed: int) -> None:
        self.nhs = nhs_numbers(NHS_NUMBERS, stream(seed, "bench/nhs"))
        self.nino = ninos(1_000_000, stream(seed, "bench/nino"))

    def of(self, first: int, last: int) -> dict[str, pl.Series]:
        """Return the numbers of people first to last - 1."""
        return {
            "nhs_number": _slice(self.nhs.head(NHS_IN_EXTRACT), first, last),
            "upn": upn_of(np.arange(first, last)),
            "nino": _slice(self.nino.head(NINO_IN_EXTRACT), first, last),
        }

    def kept_back(self, n: int) -> dict[str, pl.Series]:
        """Return numbers of n people whom no extract of up to 40 million rows holds."""
        return {
            "nhs_number": _slice(self.nhs, NHS_IN_EXTRACT, NHS_IN_EXTRACT + n),
            "upn": upn_of(np.arange(40_000_000, 40_000_000 + n)),
            "nino": _slice(self.nino, NINO_IN_EXTRACT, NINO_IN_EXTRACT + n),
        }


def _slice(numbers: pl.Series, first: int, last: int) -> pl.Series:
    some = numbers.slice(first, last - first) if first < len(numbers) else numbers.clear()
    return some.extend_constant(None, last - first - len(some))


def upn_of(person: np.ndarray) -> pl.Series:
    """Return the UPN of a person's place in the extract: 1,000 serials in each of 20 years."""
    return upns(person // 20_000, person // 1000 % 20 + 6, person % 1000)


def people(rows: int, numbers: Numbers, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the extract in blocks of a million rows, ids and families in shuffled order."""
    for block, first in enumerate(range(0, rows, BLOCK)):
        last = min(first + BLOCK, rows)
        rng = stream(seed, f"bench/{block}")
        n = last - first
        frame = pl.DataFrame(
            {
                "person_id": "P" + pl.Series(np.arange(first, last)).cast(pl.String).str.zfill(8),
                "family_id": "F"
                + pl.Series(np.arange(first, last) // 3).cast(pl.String).str.zfill(7),
                **numbers.of(first, last),
                "dob": days(AT - (rng.beta(1.2, 2.0, n) * 100 * 365.25).astype(np.int64)).cast(
                    pl.String
                ),
                "sex": pick_word(rng, n, {"1": 0.49, "2": 0.50, "0": 0.004, "9": 0.006}),
                "postcode": postcodes(
                    pick(rng, n, tuple(1 / (d + 2) for d in range(DISTRICTS))),
                    whole(rng, n, 0, 3999),
                ),
                "programme_arm": pick_word(rng, n, {"PROG": 0.6, "COMP": 0.4}),
                "criteria_met": words(_CRITERIA, whole(rng, n, 0, 62)),
                "support_start": days(AT - whole(rng, n, 1, 1400)).cast(pl.String),
                **_counts(n, rng),
                "on_benefit": yes_no(chance(rng, n, 0.3)),
            }
        )
        yield _spoil(frame, rng)[rng.permutation(n)]


def _counts(n: int, rng: np.random.Generator) -> dict[str, pl.Series]:
    possible = whole(rng, n, 300, 380)
    absent = np.floor(possible * rng.beta(1.2, 12, n)).astype(np.int64)
    return {
        "possible_sessions": pl.Series(possible).cast(pl.String),
        "absent_sessions": pl.Series(absent).cast(pl.String),
        "incidents": pl.Series(rng.poisson(0.4, n)).cast(pl.String),
    }


def _spoil(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Put one fault into some rows; some rows get the id of the row before them."""
    n = len(frame)
    faulty = np.flatnonzero(chance(rng, n, FAULTY))
    kind = whole(rng, len(faulty), 0, len(_FAULTS) + 1)
    for number, (column, wrong) in enumerate(_FAULTS.items()):
        rows = faulty[kind == number]
        value = wrong or None
        frame = frame.with_columns(frame[column].scatter(rows, [value] * len(rows)))
    twice = faulty[(kind == len(_FAULTS)) & (faulty > 0)]
    ids = frame["person_id"]
    frame = frame.with_columns(ids.scatter(twice, ids.gather(twice - 1)))
    over = faulty[kind == len(_FAULTS) + 1]
    return frame.with_columns(frame["absent_sessions"].scatter(over, ["399"] * len(over)))


def objectors(count: int, rows: int, numbers: Numbers, seed: int) -> pl.DataFrame:
    """Return who objects: half of the extract's people, half unknown to it; 1 to 3 numbers each."""
    rng = stream(seed, "bench/objectors")
    inside = min(count // 2, rows)
    chosen = np.sort(rng.choice(rows, inside, replace=False))
    known = pl.DataFrame(
        {
            "nhs_number": _gather(numbers.nhs.head(NHS_IN_EXTRACT), chosen),
            "upn": upn_of(chosen),
            "nino": _gather(numbers.nino.head(NINO_IN_EXTRACT), chosen),
        }
    )
    both = pl.concat([known, pl.DataFrame(numbers.kept_back(count - inside))])
    told = pick(rng, len(both), (0.55, 0.2, 0.15, 0.1))  # NHS number, NINO, UPN, all that they have
    keep = {"nhs_number": (0, 3), "nino": (1, 3), "upn": (2, 3)}
    masked = [
        pl.when(pl.Series(np.isin(told, choices))).then(pl.col(name)).alias(name)
        for name, choices in keep.items()
    ]
    shown = both.select(masked)
    nothing = shown.select(pl.all_horizontal(pl.all().is_null())).to_series()
    shown = shown.with_columns(pl.when(nothing).then(both["upn"]).otherwise("upn").alias("upn"))
    return shown.select("nhs_number", "upn", "nino")[rng.permutation(len(shown))]


def _gather(numbers: pl.Series, places: np.ndarray) -> pl.Series:
    inside = pl.Series(places < len(numbers))
    found = numbers.gather(places.clip(0, len(numbers) - 1))
    return found.zip_with(inside, pl.Series([None], dtype=pl.String))


def write(folder: Path, *, rows: int, count: int, seed: int) -> dict[str, int]:
    """Write bench.csv and objectors.csv; return how many rows and bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = Numbers(seed)
    extract = folder / "bench.csv"
    with extract.open("wb") as file:
        for number, block in enumerate(people(rows, numbers, seed)):
            block.write_csv(file, include_header=number == 0)
    listed = objectors(count, rows, numbers, seed)
    listed.write_csv(folder / "objectors.csv")
    return {"rows": rows, "bytes": extract.stat().st_size, "objectors": len(listed)}


def main() -> None:
    """Parse the arguments and write the two files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--objectors", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    print(
        json.dumps(write(chosen.folder, rows=chosen.rows, count=chosen.objectors, seed=chosen.seed))
    )


if __name__ == "__main__":
    main()
