"""The folder of the counts is made where others cannot look, and the folder above it too."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.adapters.metrics import shared_folder


def test_neither_the_counts_nor_the_folder_of_the_webs_keys_is_open_to_others(
    tmp_path: Path,
) -> None:
    before = os.umask(0o022)
    try:
        made = shared_folder(tmp_path)
    finally:
        os.umask(before)
    assert [each.stat().st_mode & 0o777 for each in (made, made.parent)] == [0o700, 0o700]


def test_counts_of_an_earlier_run_are_gone(tmp_path: Path) -> None:
    (shared_folder(tmp_path) / "counter_1.db").write_bytes(b"old")
    assert list(shared_folder(tmp_path).iterdir()) == []
