"""The hashed lists install what `pyproject.toml` asks for, and nothing that nobody pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import house

LISTS = house.REPOSITORY / "requirements"
PROJECT = tomllib.loads((house.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, set[str]]:
    """Package -> versions (more than one where a marker chooses)."""
    found: dict[str, set[str]] = {}
    for package, version in PINNED.findall((LISTS / name).read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def wanted(name: str) -> list[Requirement]:
    """What a list must cover."""
    project = PROJECT["project"]
    needs = list(project["dependencies"])
    if name == "dev.txt":
        needs += project["optional-dependencies"]["dev"]
    return [Requirement(need) for need in [*needs, *PROJECT["build-system"]["requires"]]]


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_the_list_covers_every_dependency(name: str) -> None:
    have = pins(name)
    for need in wanted(name):
        versions = have.get(canonicalize_name(need.name), set())
        assert versions, f"{need} is not in requirements/{name}: run `make lock`"
        assert all(need.specifier.contains(version) for version in versions), str(need)


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_line_is_pinned_and_hashed(name: str) -> None:
    text = (LISTS / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    assert [line[:60] for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_product_runs_on_what_it_was_tested_with() -> None:
    run, dev = pins("run.txt"), pins("dev.txt")
    assert {name: versions for name, versions in run.items() if dev.get(name) != versions} == {}


def test_the_build_list_says_what_the_project_says() -> None:
    lines = Path(LISTS / "build.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == PROJECT["build-system"][
        "requires"
    ]
