"""`gateway bench`: the published benchmarks, each beside what one would do instead.

They live in `tests/benchmarks/` of the source tree, because the programs that they
are compared with need pandas and other development dependencies.

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, table
from gateway.errors import UsageError

FOLDER = Path(__file__).parents[2] / "tests" / "benchmarks"


@click.command()
@click.argument("what", required=False)
@click.option("--rows", type=int, help="Rows to measure with (default: the benchmark's own).")
@json_option
@exits
def bench(what: str | None, rows: int | None, json_wanted: bool) -> None:
    """Measure the gateway beside what one would do instead, in one run.

    Example: gateway bench tokens
    """
    names = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    if not names:
        raise UsageError(
            "bench/no-source",
            "The benchmarks are part of the source tree.",
            remedy="Run `gateway bench` from a checkout, with the development dependencies.",
        )
    if what is None:
        emit({"benchmarks": names}, json_wanted, [f"Benchmarks: {', '.join(names)}"])
        return
    if what not in names:
        raise UsageError(
            "bench/unknown", f'There is no benchmark "{what}".', remedy=f"Try: {', '.join(names)}."
        )
    module = _module(what)
    document: dict[str, Any] = module.run(rows) if rows else module.run()
    emit(document, json_wanted, [_table(document)])


def _module(what: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER.parents[1]))
    name = f"tests.benchmarks.bench_{what}"
    return importlib.import_module(name)


def _table(document: dict[str, Any]) -> object:
    rows = [
        [name, value if isinstance(value, str | int | float) else str(value)]
        for name, value in document.items()
    ]
    return table(("measure", "value"), rows, title=f"bench {document['name']}")
