"""One timed preview of a draft on the benchmark extract, in a process of its own.

    python tests/benchmarks/preview_run.py DATA DRAFT

prints one JSON line: seconds by the clock and of processor time, with start-up, and
peak memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import time

START = time.perf_counter()


def main(data: str, draft: str) -> None:
    """Preview through the command line's own door."""
    from gateway.cli import main as command

    words = ["policy", "preview", draft, "--agreement", "bench", "--as", "edith", "--json"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command.main(["--data", data, *words], standalone_mode=False)
    purpose = json.loads(out.getvalue())["purposes"][0]
    told = {
        "seconds": round(time.perf_counter() - START, 2),
        "processor": round(time.process_time(), 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "people": purpose["impact"]["people"]["total"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:3])
