"""What is known of an extract once it was checked.

Source: requirements R15, R17; docs/explanation/architecture.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRecord:
    """What is known of one extract: counts, findings and digests, never a value."""

    id: str
    dataset: str
    party: str
    state: str
    received_at: dt.datetime
    content_digest: str
    contract_digest: str
    rows: int
    accepted: int
    quarantined: int
    dropped_columns: tuple[str, ...]
    findings: tuple[Mapping[str, Any], ...]
    profile: Mapping[str, Any]
    evidence: Mapping[str, Any]
    storage_key: str = ""
    sealed_name: str = ""
    sealed_digest: str = ""
    supersedes: str = ""
    superseded_by: str = ""


AGREED = "agreed"


def meanings(contract: Contract) -> dict[str, str]:
    """What each column of a contract means: its type, role and field, and whether it protects."""
    return {
        column.name: " ".join(
            (
                column.type,
                column.role or "-",
                column.field or "-",
                *(["protects"] if column.name == contract.protected_column else []),
            )
        )
        for column in contract.columns
    }


def apart(contract_digest: str, extract: str) -> str:
    """A digest that no later file meets: the same bytes are checked again, not answered."""
    return hashlib.sha256(f"{contract_digest}:{extract}".encode()).hexdigest()
