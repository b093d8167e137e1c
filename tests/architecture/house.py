"""The source of the product as trees, for the tests that read it."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "gateway"

ROOMS = (
    "intake",
    "objections",
    "minimise",
    "pseudonymise",
    "disclosure",
    "sealing",
    "ledger",
    "identity",
    "keyed_hash",
    "policy",
)


def modules() -> list[Path]:
    """Every Python file of the product."""
    return sorted(PACKAGE.rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    """One file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    """How a failing test names a file."""
    return str(path.relative_to(REPOSITORY))


def dotted(path: Path) -> str:
    """The import name of a file."""
    parts = list(path.relative_to(REPOSITORY).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_modules() -> list[Path]:
    """The files of the rooms, of policy, and of the layers below them."""
    return [
        path for path in modules() if any(f"gateway.{room}" in _parents(path) for room in ROOMS)
    ]


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, methods and inner ones too."""
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring (and without its decorators)."""
    body = function.body
    docstring = ast.get_docstring(function, clean=False)
    skipped = 0
    if docstring is not None:
        skipped = (body[0].end_lineno or 0) - body[0].lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - skipped


def tracked() -> list[Path]:
    """Every file that version control holds or would take; all files where there is no checkout."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [
            str(path.relative_to(REPOSITORY))
            for path in REPOSITORY.rglob("*")
            if not {".venv", ".git", "__pycache__", "var"} & set(path.parts)
        ]
    return [REPOSITORY / name for name in listed if name and (REPOSITORY / name).is_file()]


def _parents(path: Path) -> set[str]:
    parts = dotted(path).split(".")
    return {".".join(parts[: end + 1]) for end in range(len(parts))}
