"""One timed run of the product on the benchmark extract, in a process of its own.

    python tests/benchmarks/main_run.py DATA EXTRACT OUTBOX receive|share [--warm]

prints one JSON line: seconds with start-up, and peak memory of this process and of
the largest child. With --warm the judge is loaded before the clock starts again;
its loading alone is left out of the time.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time

START = time.perf_counter()


def main(data: str, extract: str, outbox: str, what: str, *, warm: bool) -> None:
    """Run one command through the command line's own door."""
    import io

    from gateway.cli import main as command

    words = {
        "receive": ["receive", extract, "--dataset", "bench", "--from", "bench-council"],
        "share": ["share", "bench-study", "--agreement", "bench", "--as", "rosa", "--to", outbox],
    }[what]
    loading = 0.0
    with contextlib.ExitStack() as stack:
        if warm:
            from gateway import wiring

            began = time.perf_counter()
            stack.enter_context(wiring.warm_judge(ready=True))
            loading = time.perf_counter() - began
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = command.main(["--data", data, *words, "--json"], standalone_mode=False)
    seconds = time.perf_counter() - START - loading
    usage = {
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "children_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    answer = json.loads(out.getvalue())
    told = answer.get("conservation") or {
        name: answer[name] for name in ("state", "rows", "accepted", "quarantined")
    }
    print(json.dumps({"seconds": round(seconds, 3), "code": code, "told": told} | usage))


if __name__ == "__main__":
    main(*sys.argv[1:5], warm="--warm" in sys.argv)
