"""What every test stands on: no setting of this machine, no colour, no analytics, no wide umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["NO_COLOR"] = "1"

# On a shared machine a deadline is a coin toss; a failing example is still printed.
settings.register_profile(
    "gateway", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gateway")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the checkout."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A `GATEWAY_*` name of the developer's shell must not decide a test."""
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    mask = os.umask(0o077)
    yield
    os.umask(mask)
