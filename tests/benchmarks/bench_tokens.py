"""Keyed BLAKE2b of a column, beside the Python loops that one would write instead.

All are measured in turn within one run, several times; medians, millions of rows a
second. The peer of the headline is a loop over text (`encode`, `hexdigest`); the others
are the loop over bytes, and polars `map_elements` where a column goes in and comes out.
"""

from __future__ import annotations

import hashlib
import platform
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from gateway import keyed_hash

KEY = bytes(range(32))
PERSON = b"sfg1/T01........"
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)


def texts(rows: int) -> pl.Series:
    """Texts of 10 to 32 letters, each length as often as the others."""
    generator = np.random.default_rng(7)
    letters = LETTERS[generator.integers(0, 26, rows * 32)].tobytes().decode("ascii")
    lengths = generator.integers(10, 33, rows).tolist()
    return pl.Series("text", [letters[i * 32 : i * 32 + n] for i, n in enumerate(lengths)])


def loop_over_text(column: list[str]) -> list[str]:
    return [
        hashlib.blake2b(text.encode(), digest_size=16, key=KEY, person=PERSON).hexdigest()
        for text in column
    ]


def loop_over_bytes(column: list[bytes]) -> list[bytes]:
    return [
        hashlib.blake2b(text, digest_size=16, key=KEY, person=PERSON).digest() for text in column
    ]


def map_elements(column: pl.Series) -> pl.Series:
    return column.map_elements(
        lambda text: hashlib.blake2b(
            text.encode(), digest_size=16, key=KEY, person=PERSON
        ).digest(),
        return_dtype=pl.Binary,
    )


def run(rows: int = 1_000_000, runs: int = 7) -> dict[str, object]:
    """Measure; the ratios are of one run on one machine and are steadier than the rates."""
    column = texts(rows)
    few = column[: max(1, rows // 10)]
    text_list, byte_list = few.to_list(), few.cast(pl.Binary).to_list()
    components = [column.str.slice(0, 7), column.str.slice(7), column.str.slice(0, 10)]

    def ours(path: str, threads: int) -> Callable[[], object]:
        return lambda: keyed_hash.blake2b_column(
            column, KEY, person=PERSON, on_path=path, threads=threads
        )

    best = keyed_hash.path()
    works: dict[str, tuple[int, Callable[[], object]]] = {
        "loop over text": (len(few), lambda: loop_over_text(text_list)),
        "loop over bytes": (len(few), lambda: loop_over_bytes(byte_list)),
        "map_elements": (len(few), lambda: map_elements(few)),
        "one core": (rows, ours(best, 1)),
        "two cores": (rows, ours(best, 2)),
        "three components framed, one core": (
            rows,
            lambda: keyed_hash.blake2b_framed(components, KEY, person=PERSON, threads=1),
        ),
        **{f"{path}, one core": (rows, ours(path, 1)) for path in keyed_hash.paths()[1:-1]},
        **{f"{path}, two cores": (rows, ours(path, 2)) for path in keyed_hash.paths()[1:-1]},
    }
    _check(few, text_list)
    rates = _rates(works, runs)
    peer, one, two = rates["loop over text"], rates["one core"], rates["two cores"]
    return {
        "name": "tokens",
        "machine": f"{platform.machine()}, {best}, Python {platform.python_version()}",
        "runs": runs,
        "rows": rows,
        "ours": one,
        "peer": peer,
        "ratio": round(one / peer, 1),
        "unit": "million rows a second",
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "path": best,
        "ratio_one_core": round(one / peer, 1),
        "ratio_two_cores": round(two / peer, 1),
        "ratio_column_in_and_out": round(two / rates["map_elements"], 1),
        "rates": rates,
        "ratios_to_loop_over_text": {name: round(rate / peer, 1) for name, rate in rates.items()},
    }


def _check(column: pl.Series, text_list: list[str]) -> None:
    made = keyed_hash.blake2b_column(column, KEY, person=PERSON).bin.encode("hex").to_list()
    if made != loop_over_text(text_list):
        raise AssertionError("the kernel and hashlib differ")


def _rates(works: dict[str, tuple[int, Callable[[], object]]], runs: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, (_, work) in works.items():
            began = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - began)
    return {
        name: round(rows / statistics.median(taken[name]) / 1e6, 2)
        for name, (rows, _) in works.items()
    }


if __name__ == "__main__":
    import json

    print(json.dumps(run(), indent=1))
