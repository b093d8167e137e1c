"""One borough and one office for all; each test gets its own copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys import borough
from tests.journeys.office import Office


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 1500)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    """An office that is ready to share; nobody changes it."""
    return borough.ready(tmp_path_factory.mktemp("base") / "office", people)


@pytest.fixture
def office(base: Office, tmp_path: Path) -> Office:
    """A copy of this test's own."""
    return borough.copied(base, tmp_path / "office")
