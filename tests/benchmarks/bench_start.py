"""Start-up: `gateway --help` and one small command, beside a bare interpreter and pandas.

    python tests/benchmarks/bench_start.py

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any

RUNS = 5
WORKS = {
    "gateway --help": [sys.executable, "-m", "gateway", "--help"],
    "gateway settings": [sys.executable, "-m", "gateway", "settings"],
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import polars": [sys.executable, "-c", "import polars"],
    "import pandas": [sys.executable, "-c", "import pandas"],
}


def run(runs: int = RUNS) -> dict[str, Any]:
    """Time each command `runs` times, in turns; medians in seconds."""
    taken: dict[str, list[float]] = {name: [] for name in WORKS}
    for _ in range(runs):
        for name, words in WORKS.items():
            began = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    seconds = {name: round(statistics.median(each), 3) for name, each in taken.items()}
    return {
        "name": "start",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": runs,
        "ours": seconds["gateway --help"],
        "peer": seconds["import pandas"],
        "ratio": round(seconds["import pandas"] / seconds["gateway --help"], 1),
        "unit": "s",
        "peak_mb": 0,
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
