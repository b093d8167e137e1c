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
@click.option("--list", "listed", is_flag=True, help="Only say which benchmarks there are.")
@json_option
@exits
def bench(what: str | None, rows: int | None, listed: bool, json_wanted: bool) -> None:
    """Measure the gateway beside what one would do instead, in one run: one work, or all.

    Example: gateway bench tokens
    """
    names = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    if not names:
        raise UsageError(
            "bench/no-source",
            "The benchmarks are part of the source tree.",
            remedy="Run `gateway bench` from a checkout, with the development dependencies.",
        )
    if what is not None and what not in names:
        raise UsageError(
            "bench/unknown", f'There is no benchmark "{what}".', remedy=f"Try: {', '.join(names)}."
        )
    if listed:
        emit({"benchmarks": names}, json_wanted, [f"Benchmarks: {', '.join(names)}"])
        return
    for name in (what,) if what else names:
        module = _module(name)
        document: dict[str, Any] = module.run(rows) if rows else module.run()
        emit(document, json_wanted, [_table(document)])


def _module(what: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER.parents[1]))
    name = f"tests.benchmarks.bench_{what}"
    return importlib.import_module(name)


def _table(document: dict[str, Any]) -> object:
    flat = {
        f"{name}: {part}" if isinstance(value, dict) else name: each
        for name, value in document.items()
        for part, each in (value.items() if isinstance(value, dict) else [("", value)])
    }
    rows = [(name, str(value)) for name, value in flat.items()]
    return table(("measure", "value"), rows, title=f"bench {document['name']}")
