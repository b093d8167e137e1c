"""A setting that is not known is refused, and only a near name is suggested."""

from __future__ import annotations

import pathlib

import pytest

from gateway.adapters.settings import read_settings
from gateway.errors import UsageError


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("GATEWAY_FOO", "`gateway settings` lists them all."),
        ("GATEWAY_POLICES", "Did you mean GATEWAY_POLICIES?"),
    ],
)
def test_only_a_near_name_is_suggested(name: str, remedy: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError) as no:
        read_settings(tmp_path, environ={name: "x"})
    assert no.value.remedy == remedy
