"""The built assets: nothing from elsewhere, nothing that the policy forbids, licences beside."""

from __future__ import annotations

import json
import re

import pytest

from tests.journeys.office import REPOSITORY

STATIC = REPOSITORY / "gateway" / "web" / "static"
SOURCES = REPOSITORY / "gateway" / "web" / "assets"
BUILT = sorted(path.name for path in STATIC.iterdir() if path.suffix in {".css", ".js"})


def test_each_source_was_built() -> None:
    scripts = {path.name for path in (SOURCES / "src").glob("*.js")}
    styles = {path.stem + ".css" for path in (SOURCES / "styles").glob("[!_]*.scss")}
    assert set(BUILT) == scripts | styles


def test_the_lock_names_no_registry_and_each_package_has_its_digest() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if "integrity" not in each] == []


@pytest.mark.parametrize("name", BUILT)
def test_a_built_file_asks_nothing_of_any_other_site(name: str) -> None:
    text = (STATIC / name).read_text("utf-8")
    assert re.findall(r"url\((?!['\"]?data:)|@import|sourceMappingURL", text) == []
    found = set(re.findall(r"\beval\(|new Function\(|\.cssText|setAttribute\(.style", text))
    # The editor's library styles single elements by script, which the content policy allows.
    assert found <= ({".cssText"} if name == "editor.js" else set())


def test_the_council_wears_no_crown_and_no_font_of_others() -> None:
    css = (STATIC / "gateway.css").read_text("utf-8")
    assert "GDS Transport" not in css
    assert "crown" not in css.lower().replace("crown copyright", "")
    assert "arial" in css


def test_the_licence_of_each_package_stands_beside() -> None:
    told = (STATIC / "LICENCES.txt").read_text("utf-8")
    for name in ("govuk-frontend", "tus-js-client"):
        assert f"==== {name} " in told
    assert told.count("Permission is hereby granted") >= 2
