"""The house keeps its shape: layers, small files, one way to fail, an authority for each room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.architecture import house

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40


def test_nobody_imports_against_the_direction_of_the_house() -> None:
    """The contracts of `pyproject.toml`, as import-linter judges them."""
    lint = Path(sys.executable).with_name("lint-imports")
    judged = subprocess.run(
        [lint, "--no-cache"], cwd=house.REPOSITORY, capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout[-3000:] + judged.stderr[-1000:]


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        house.named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in house.modules()
    }
    assert lengths
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_forty_lines_of_code() -> None:
    long = {
        f"{house.named(path)}:{function.name}": house.code_lines(function)
        for path in house.modules()
        for function in house.functions(house.tree(path))
        if house.code_lines(function) > LONGEST_FUNCTION
    }
    assert long == {}


def test_most_functions_are_short(record_property: Callable[[str, object], None]) -> None:
    """Median at most 10 lines, nine of ten at most 25."""
    lengths = sorted(
        house.code_lines(function)
        for path in house.modules()
        for function in house.functions(house.tree(path))
    )
    median, ninth = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
    record_property("function_lines_median_p90_max", (median, ninth, lengths[-1]))
    assert median <= 10
    assert ninth <= 25


def test_the_web_needs_no_library_of_tables() -> None:
    """They are half of a process's memory, and the web only tells what others have counted."""
    loads = "import sys, gateway.service.gunicorn_hooks, gateway.web; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) & {"polars", "numpy", "pyarrow", "rich"} == set()


def test_no_import_is_hidden_behind_type_checking() -> None:
    assert [
        house.named(path)
        for path in house.modules()
        for node in ast.walk(house.tree(path))
        if isinstance(node, (ast.Name, ast.Attribute))
        and (node.id if isinstance(node, ast.Name) else node.attr) == "TYPE_CHECKING"
    ] == []


def test_no_except_swallows_everything() -> None:
    """`except:` and `except BaseException` would eat a kill; a silent `pass` would eat a fault."""
    bad = []
    for path in house.modules():
        for node in ast.walk(house.tree(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or _names(node.type) & {"BaseException"}
            # A fault kept under a name and used (raised in another thread) is not lost.
            kept = any(isinstance(n, ast.Name) and n.id == node.name for n in ast.walk(node))
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node)) or kept
            silent = all(isinstance(inner, ast.Pass) for inner in node.body)
            if (broad and not raises) or (silent and _names(node.type) & {"Exception"}):
                bad.append(f"{house.named(path)}:{node.lineno}")
    assert bad == []


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{house.named(path)}:{node.lineno}"
        for path in house.modules()
        if not house.dotted(path).startswith(("gateway.cli", "gateway.standalone"))
        for node in ast.walk(house.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert printing == []


def test_every_module_says_what_it_promises() -> None:
    # An empty room that only holds its place says nothing yet; it also does nothing.
    silent = [
        house.named(path)
        for path in house.modules()
        if not (ast.get_docstring(house.tree(path)) or "").strip()
    ]
    assert silent == []


def test_every_file_of_a_room_names_its_authority() -> None:
    unsourced = [
        house.named(path)
        for path in house.room_modules()
        if "Source:" not in (ast.get_docstring(house.tree(path)) or "")
    ]
    assert unsourced == []


def test_errors_at_a_parsing_edge_do_not_drag_the_value_along() -> None:
    """A `raise` inside an `except` says `from None`, or keeps a cause that it names on purpose."""
    bad = []
    for path in house.modules():
        for handler in ast.walk(house.tree(path)):
            if not isinstance(handler, ast.ExceptHandler):
                continue
            bad += [
                f"{house.named(path)}:{node.lineno}"
                for node in ast.walk(handler)
                if isinstance(node, ast.Raise) and node.exc is not None and node.cause is None
            ]
    assert bad == []


def test_the_words_that_hide_what_a_file_is_for_are_not_used() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common_utils"}
    assert [house.named(path) for path in house.modules() if path.stem in vague] == []


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return set()
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
