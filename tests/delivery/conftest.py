"""Two offices that know each other, made once; each test gets its own copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery import pair as pairs
from tests.delivery.pair import Pair
from tests.journeys import borough


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 1500)


@pytest.fixture(scope="session")
def https_pair(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Pair:
    """The council pushes to the recipient's inbox; nobody changes it."""
    port = pairs.free_port()
    target = {"address": f"http://127.0.0.1:{port}", "client": pairs.CLIENT}
    home = tmp_path_factory.mktemp("pair")
    return pairs.made(home, people, channel="https", delivery=target, port=port)


@pytest.fixture
def pair(https_pair: Pair, tmp_path: Path) -> Pair:
    """Copies of this test's own."""
    return pairs.copied(https_pair, tmp_path / "pair")


@pytest.fixture(scope="session")
def waiting(https_pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A council whose release waits for a recipient that is not there; nobody changes it."""
    found = pairs.copied(https_pair, tmp_path_factory.mktemp("waiting") / "pair")
    assert found.sender.must(*borough.SHARE, "--json").document["state"] == "recorded"
    return found
