"""Checking a file where it lies: the gateway's own checker and contract, and nothing stored.

The same limited process reads the file under the same contract, so that the verdict
is the one that the gateway will come to.

Source: requirements R12-R14; docs/how-to/check-before-sending.md.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from gateway.adapters.checker import Checker
from gateway.adapters.extract_files import FailingRows
from gateway.adapters.failing_rows import failing_rows, head
from gateway.errors import Unavailable
from gateway.intake import Verdict, numbered
from gateway.model import Contract


def checked(
    source: BinaryIO, contract: Contract, *, known_columns: Collection[str], rows: Path | None
) -> Verdict:
    """Check one file and keep nothing of it but, if asked, which rows failed.

    Args:
        source: the file.
        contract: what it must follow.
        known_columns: column names of all published contracts.
        rows: where to list failing rows: row, column and rule of each, no value.
    """
    with tempfile.TemporaryDirectory() as scratch, Checker() as checker:
        failing = FailingRows(Path(scratch) / "file.rows", head(numbered(contract)))
        verdict = checker.check(
            source,
            contract,
            known_columns=known_columns,
            sink=_forget,
            failing=failing.write,
            left_out=_forget,
        )
        failing.finish()
        if rows is not None:
            _list(Path(scratch), rows)
    return verdict


def _list(scratch: Path, target: Path) -> None:
    try:
        with open(target, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(("row", "column", "rule"))
            for batch in failing_rows(scratch, "file"):
                out.writerows(batch)
    except OSError as fault:
        raise Unavailable(
            "check/rows-not-written",
            f"The list of rows cannot be written ({fault.strerror}).",
            remedy="Name another file with --rows.",
        ) from None


def _forget(_block: bytes) -> None:
    """Accepted rows are read by nobody here."""
