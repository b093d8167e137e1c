"""A demo that still runs in years to come: agreements that have ended are renewed first.

A real agreement that ends is renewed by its governance lead, in a new version that
its approvers sign. The demo does the same with a copy of the shipped documents.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import tomlkit

# Dates that end something, and how many days from today a renewal gives them.
RENEWED = {"review": 180, "ends": 365, "retain_until": 730, "expires": 900}


def renewed(policies: Path, copy: Path, *, today: dt.date) -> Path:
    """The folder of documents to use: as shipped, or a renewed copy if any has ended.

    Args:
        policies: the shipped documents.
        copy: where a renewed copy may be made.
        today: the day of the demo.
    """
    agreements = sorted((policies / "agreements").glob("*.toml"))
    if all(_ends(path) > today for path in agreements):
        return policies
    shutil.copytree(policies, copy)
    for path in (*copy.glob("agreements/*.toml"), *copy.glob("recipients/*.toml")):
        document = tomlkit.parse(path.read_text("utf-8"))
        _renew(document, today)
        path.write_text(tomlkit.dumps(document), "utf-8")
    return copy


def _ends(agreement: Path) -> dt.date:
    ends = tomlkit.parse(agreement.read_text("utf-8")).get("review")
    return ends if isinstance(ends, dt.date) else dt.date.min


def _renew(table: Any, today: dt.date) -> None:
    """Move every end that has passed or is near to a later day."""
    for name, value in list(table.items()):
        if isinstance(value, dict):
            _renew(value, today)
        elif name in RENEWED and isinstance(value, dt.date):
            table[name] = max(value, today + dt.timedelta(days=RENEWED[name]))
    if "version" in table and "controllers" in table:
        table["version"] = int(table["version"]) + 1
