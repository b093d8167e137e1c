"""What a good analyst would write instead: pandas, hashlib, pyarrow, age.

    python tests/benchmarks/peer_pandas.py EXTRACT OBJECTORS OUTDIR [--engine c|pyarrow]

does the work of `receive` and `share` on the benchmark extract: 20 checks with
every failing row listed, the quarantine split, opt-outs by keyed hash of three
national numbers against the objectors, age band and district, groups of fewer
than five families suppressed, three keyed tokens, a shuffle, a Parquet payload
and a CSV of tokens, both sealed with age. It prints one JSON line with counts,
seconds by step and peak memory.

It is written for speed as far as plain pandas goes: whole columns everywhere,
check digits by numpy, one pass over each column for hashes. `--engine pyarrow` reads
the file with pandas' faster reader, so that both can be quoted. What it leaves
out is counted in its favour: no sealed store, no ledger, no manifest, no
signature, no Great Expectations record, no test that nothing else leaves.

Source: docs/explanation/synthetic-borough.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import io
import json
import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyrage

AT = pd.Timestamp(dt.date(2026, 4, 1))
K = 5
NUMBERS = ("nhs_number", "upn", "nino")
KEYS = ["age_band", "sex", "district"]
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
NINO = r"(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ)[0-9]{6}[A-D]?"
NINO_REFUSED = r"(?:OO|CR|FY|MW|NC|BG|GB|KN|NK|NT|TN|ZZ).*"
POSTCODE = (
    r"(?:GIR ?0AA|(?:[A-PR-UWYZ](?:[0-9][0-9]?|[0-9][ABCDEFGHJKPSTUW]"
    r"|[A-HK-Y][0-9][0-9]?|[A-HK-Y][0-9][ABEHMNPRVWXY])) ?[0-9][ABD-HJLNP-UW-Z]{2})"
)


def digits(values: pd.Series, width: int) -> np.ndarray:
    """Return one row of digits for each value; all values have that many characters."""
    return values.to_numpy(dtype=f"S{width}").view(np.uint8).reshape(-1, width).astype(int) - 48


def nhs_valid(values: pd.Series) -> pd.Series:
    """Return whether each NHS number has ten digits, a true check digit, not all alike."""
    good = values.str.fullmatch(r"[0-9]{10}")
    number = digits(values[good], 10)
    check = (11 - number[:, :9] @ np.arange(10, 1, -1) % 11) % 11
    good[good] = (check == number[:, 9]) & (number != number[:, :1]).any(axis=1)
    return good


def upn_valid(values: pd.Series) -> pd.Series:
    """Return whether each UPN has its check letter and twelve digits."""
    good = values.str.fullmatch(f"[{UPN_LETTERS}][0-9]{{12}}")
    number = digits(values[good], 13)
    letters = np.frombuffer(UPN_LETTERS.encode(), np.uint8).astype(int) - 48
    good[good] = letters[number[:, 1:] @ np.arange(2, 14) % 23] == number[:, 0]
    return good


def is_date(values: pd.Series) -> pd.Series:
    """Return whether each value is a date in ISO form."""
    return pd.to_datetime(values, format="%Y-%m-%d", errors="coerce").notna()


def whole_between(values: pd.Series, low: int, high: int) -> pd.Series:
    """Return whether each value is a whole number within the bounds."""
    return pd.to_numeric(values, errors="coerce").between(low, high) & values.str.fullmatch(
        "-?[0-9]+"
    )


def failures(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return for each of the 20 checks which rows fail it; an empty field fails only `required`."""
    present = frame.notna()

    def check(column: str, ok: pd.Series) -> pd.Series:
        return present[column] & ~ok.astype("boolean").fillna(value=False).astype(bool)

    plain = r"[^\x00-\x1f\x7f]*"
    absent = pd.to_numeric(frame["absent_sessions"], errors="coerce")
    possible = pd.to_numeric(frame["possible_sessions"], errors="coerce")
    nhs, upn, nino = (frame[name].fillna("") for name in NUMBERS)
    return {
        "person_id.required": ~present["person_id"],
        "person_id.text": check("person_id", frame["person_id"].str.fullmatch(plain)),
        "person_id.length": check("person_id", frame["person_id"].str.len() <= 20),
        "person_id.unique": present["person_id"] & frame["person_id"].duplicated(keep=False),
        "family_id.text": check("family_id", frame["family_id"].str.fullmatch(plain)),
        "family_id.length": check("family_id", frame["family_id"].str.len() <= 20),
        "nhs_number.nhs-number": check("nhs_number", nhs_valid(nhs)),
        "upn.upn": check("upn", upn_valid(upn)),
        "nino.nino": check("nino", nino.str.fullmatch(NINO) & ~nino.str.fullmatch(NINO_REFUSED)),
        "dob.date": check("dob", is_date(frame["dob"])),
        "sex.codes": check("sex", frame["sex"].isin(["0", "1", "2", "9"])),
        "postcode.postcode": check("postcode", frame["postcode"].str.fullmatch(POSTCODE)),
        "programme_arm.codes": check(
            "programme_arm", frame["programme_arm"].isin(["PROG", "COMP"])
        ),
        "criteria_met.code-list": check(
            "criteria_met", frame["criteria_met"].str.fullmatch("C[1-6](?:;C[1-6])*")
        ),
        "support_start.date": check("support_start", is_date(frame["support_start"])),
        "possible_sessions.number": check(
            "possible_sessions", whole_between(frame["possible_sessions"], 0, 400)
        ),
        "absent_sessions.number": check(
            "absent_sessions", whole_between(frame["absent_sessions"], 0, 400)
        ),
        "incidents.number": check("incidents", whole_between(frame["incidents"], 0, 50)),
        "on_benefit.codes": check("on_benefit", frame["on_benefit"].isin(["Y", "N"])),
        "absence-within-possible": absent > possible,
    }


def keyed(values: pd.Series, key: bytes) -> list[str | None]:
    """Return the keyed BLAKE2b of each value in hex; missing stays missing."""
    blake2b = hashlib.blake2b
    return [
        blake2b(value.encode(), key=key, digest_size=16).hexdigest() if value else None
        for value in values.fillna("").tolist()
    ]


def objected(frame: pd.DataFrame, listed: pd.DataFrame, keys: dict[str, bytes]) -> np.ndarray:
    """Return which rows share a keyed number with an objector."""
    out = np.zeros(len(frame), dtype=bool)
    for name in NUMBERS:
        stones = {stone for stone in keyed(listed[name], keys[name]) if stone}
        hashed = keyed(frame[name], keys[name])
        out |= np.fromiter((one in stones for one in hashed), dtype=bool, count=len(hashed))
    return out


def generalise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the eight columns that may leave."""
    born = pd.to_datetime(frame["dob"], format="%Y-%m-%d")
    had_birthday = (born.dt.month < AT.month) | (
        (born.dt.month == AT.month) & (born.dt.day <= AT.day)
    )
    band = (AT.year - born.dt.year - ~had_birthday) // 5 * 5
    return pd.DataFrame(
        {
            "age_band": band.astype(str) + "-" + (band + 4).astype(str),
            "sex": frame["sex"],
            "district": frame["postcode"].str.replace(" ", "", regex=False).str[:-3],
            "programme_arm": frame["programme_arm"],
            "criteria_met": frame["criteria_met"],
            "start_year": frame["support_start"].str[:4],
            "absent_often": np.where(pd.to_numeric(frame["absent_sessions"]) >= 38, "Y", "N"),
            "on_benefit": frame["on_benefit"],
        }
    )


def large_enough(payload: pd.DataFrame, family: pd.Series) -> pd.Series:
    """Return which rows are in a group of at least K different families."""
    once = payload[KEYS].assign(family=family).drop_duplicates()
    sizes = once.groupby(KEYS, dropna=False).size().rename("families").reset_index()
    merged = payload[KEYS].merge(sizes, on=KEYS, how="left")
    return pd.Series((merged["families"] >= K).to_numpy(), index=payload.index)


def random_hex(n: int) -> list[str]:
    """Return n random 128-bit ids in hex."""
    text = os.urandom(16 * n).hex()
    return [text[i : i + 32] for i in range(0, len(text), 32)]


def tokens_of(frame: pd.DataFrame, keys: dict[str, bytes]) -> pd.DataFrame:
    """Return three keyed tokens for each row; where a number is missing, random ones."""
    columns = {}
    for name in NUMBERS:
        made = keyed(frame[name], keys[name])
        spare = iter(random_hex(made.count(None)))
        columns[f"TN-{name}"] = [one if one else next(spare) for one in made]
    return pd.DataFrame(columns, index=frame.index)


def seal(content: bytes, path: Path, recipient: pyrage.x25519.Recipient) -> None:
    """Write the content sealed for the recipient."""
    path.write_bytes(pyrage.encrypt(content, [recipient]))


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Note the time since the last step."""
        now = time.perf_counter()
        self.steps[step], self.last = round(now - self.last, 3), now


def run(extract: Path, objectors: Path, folder: Path, *, engine: str = "c") -> dict[str, object]:
    """Do everything; return counts and times."""
    clock = Clock()
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.read_csv(extract, dtype=str, keep_default_na=False, na_values=[""], engine=engine)
    clock.lap("read")
    failing = failures(frame)
    rows = {name: np.flatnonzero(flags.to_numpy(dtype=bool)) for name, flags in failing.items()}
    findings = pd.DataFrame(
        {
            "rule": np.repeat(list(rows), [len(found) for found in rows.values()]),
            "row": np.concatenate(list(rows.values())) + 1,
        }
    )
    findings.to_csv(folder / "findings.csv", index=False)
    clock.lap("check")
    bad = np.zeros(len(frame), dtype=bool)
    bad[findings["row"].unique() - 1] = True
    frame[bad].to_csv(folder / "quarantine.csv", index=False)
    good = frame[~bad]
    clock.lap("quarantine")
    stone_keys = {name: os.urandom(32) for name in NUMBERS}
    listed = pd.read_csv(objectors, dtype=str, keep_default_na=False, na_values=[""])
    out = objected(good, listed, stone_keys)
    willing = good[~out]
    clock.lap("opt-outs")
    payload = generalise(willing)
    clock.lap("generalise")
    kept = large_enough(payload, willing["family_id"])
    payload, willing = payload[kept], willing[kept]
    clock.lap("k")
    tokens = tokens_of(willing, {name: os.urandom(32) for name in NUMBERS})
    clock.lap("tokens")
    link = random_hex(len(payload))
    payload.insert(0, "link_id", link)
    tokens.insert(0, "link_id", link)
    shuffle = np.random.default_rng()
    payload = payload.iloc[shuffle.permutation(len(payload))]
    tokens = tokens.iloc[shuffle.permutation(len(tokens))]
    clock.lap("shuffle")
    parquet, text = io.BytesIO(), io.StringIO()
    payload.to_parquet(parquet, index=False)
    tokens.to_csv(text, index=False)
    clock.lap("write")
    recipient = pyrage.x25519.Identity.generate().to_public()
    seal(parquet.getvalue(), folder / "payload.parquet.age", recipient)
    seal(text.getvalue().encode(), folder / "tokens.csv.age", recipient)
    clock.lap("seal")
    return {
        "rows": len(frame),
        "failing": {name: len(found) for name, found in rows.items()},
        "quarantined": int(bad.sum()),
        "objected": int(out.sum()),
        "small_group": int((~kept).sum()),
        "forwarded": len(payload),
        "steps": clock.steps,
    }


def main() -> None:
    """Parse the arguments, run, print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("extract", type=Path)
    parser.add_argument("objectors", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", choices=("c", "pyarrow"), default="c")
    chosen = parser.parse_args()
    began = time.perf_counter()
    answer = run(chosen.extract, chosen.objectors, chosen.folder, engine=chosen.engine)
    answer["seconds"] = round(time.perf_counter() - began, 3)
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer["cpu_seconds"] = round(used.ru_utime + used.ru_stime, 3)
    answer["peak_mb"] = round(used.ru_maxrss / 1024, 1)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
