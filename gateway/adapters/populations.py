"""How many rows of each dataset are stored, and how often each code stands in a column.

Made of what the checks counted at receipt; no sealed file is opened for it.

Source: docs/reference/policy.md, "Review"; UK GDPR Art 5(1)(c).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import sqlalchemy as sa

from gateway.adapters.extract_store import EXTRACTS
from gateway.policy import Stored


def stored_populations(connection: sa.Connection) -> dict[str, Stored]:
    """What is counted in the extracts in use, by dataset, over every party that sends it."""
    wanted = ("dataset", "accepted", "profile")
    found = connection.execute(
        sa.select(*(EXTRACTS.c[name] for name in wanted)).where(
            EXTRACTS.c.state == "accepted", EXTRACTS.c.superseded_by == ""
        )
    )
    rows: Counter[str] = Counter()
    codes: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for row in found:
        rows[row.dataset] += row.accepted
        for column, counted in json.loads(row.profile).get("codes", {}).items():
            codes[row.dataset][column].update(counted)
    return {
        dataset: Stored(
            rows=rows[dataset],
            codes={column: dict(counted) for column, counted in codes[dataset].items()},
        )
        for dataset in rows
    }
