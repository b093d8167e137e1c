"""The running service: how soon findings are there, and many partners who send at once.

    gateway bench service                  10 partners with 10,000 rows each
    gateway bench service --rows 100000    50 partners with 100,000 rows each

A real `gateway serve` with two web processes and four workers. First one partner sends
an extract of 100,000 rows a few times: seconds from its last byte to its findings. Then
all send at once, while somebody else asks for pages and lists.

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import many_partners as many
from tests.service import serving
from tests.service.serving import Service

RUNS = 5
FINDINGS_ROWS = 100_000
AIM_SECONDS = 5.0


def run(rows: int = 10_000, partners: int | None = None) -> dict[str, Any]:
    """Measure both; nothing may be lost, or it fails."""
    count = partners or (50 if rows >= FINDINGS_ROWS else 10)
    with tempfile.TemporaryDirectory(prefix="bench-service-") as folder:
        office = many.built(Path(folder), count + 1)
        with serving.serving(office, web=2, workers=4) as service:
            found = _findings(service, many.party_of(count))
            files = {many.party_of(n): many.extract(rows, seed=n + 2) for n in range(count)}
            memory = many.Memory(service)
            memory.start()
            began = time.perf_counter()
            with many.asking(service, many.party_of(count)) as took:
                sent = many.all_at_once(service, files)
            together = time.perf_counter() - began
            memory.end()
            assert service.stop() == 0
        many.check_nothing_lost(office, [*found, *sent])
    # The first one warms the service up.
    seconds = [each.waited for each in found[1:]]
    waited = sorted(each.waited for each in sent)
    took.sort()
    return {
        "name": "service",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "ours": round(statistics.median(seconds), 2),
        "peer": AIM_SECONDS,
        "ratio": round(AIM_SECONDS / statistics.median(seconds), 2),
        "unit": f"s to the findings of {FINDINGS_ROWS} rows; beside the aim",
        "peak_mb": max(memory.peaks.values()),
        "findings": [round(each, 2) for each in seconds],
        "together": {
            "partners": count,
            "rows_each": rows,
            "megabytes": round(sum(map(len, files.values())) / 1e6, 1),
            "seconds": round(together, 1),
            "findings_median": round(statistics.median(waited), 2),
            "findings_worst": round(waited[-1], 2),
            "others_asked": len(took),
            "others_p50_ms": took[len(took) // 2],
            "others_p95_ms": took[int(len(took) * 0.95)],
            "others_worst_ms": took[-1],
        },
        "memory_mb": dict(sorted(memory.peaks.items())) | {"all": memory.most_together},
    }


def _findings(service: Service, party: str) -> list[many.Sent]:
    """One partner, alone, on a warm service; the first is not counted."""
    first = many.extract(FINDINGS_ROWS, seed=1)
    rows = first.splitlines(keepends=True)
    return [many.sends(service.url, party, b"".join(rows[: -1 - n])) for n in range(RUNS + 1)]


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:])), indent=1))
