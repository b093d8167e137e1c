"""The office of emergency disclosures, for pages and commands: acts, and how each one stands.

It holds public keys alone; what opens something is in `gateway.wiring.emergency`.

Source: docs/adr/0298; security points 2, 4.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters import emergency_records
from gateway.adapters.database import Database
from gateway.adapters.emergency_acts import EmergencyOffice
from gateway.adapters.keyring import open_ring
from gateway.adapters.release_store import packages_of, release_state
from gateway.adapters.settings import Settings
from gateway.wiring.beginning import begin_due
from gateway.wiring.common import append, new_id, now

_TOLD = (
    *("id", "state", "agreement", "purpose", "recipient", "asked_by", "asked_at", "until"),
    *("confirmed_by", "confirmed_at", "release", "disclosed_at", "overridden", "read_by"),
)


def office(settings: Settings, database: Database) -> EmergencyOffice:
    """The office of the acts; it holds public keys alone. What begins today has begun."""
    at, ring = now(), open_ring(settings)
    begin_due(settings, database, ring, at=at)
    return EmergencyOffice(
        database=database,
        append=append,
        new_id=new_id,
        storage=ring.storage_recipient(at.date()),
        at=at,
    )


def told(database: Database, emergency: str) -> dict[str, Any]:
    """One emergency disclosure as everybody who may see it is told."""
    with database.read() as connection:
        found = emergency_records.find(connection, emergency)
        owed = emergency_records.reasons(connection, emergency)
        packages = packages_of(connection, found.release) if found.disclosed_at else []
        way = release_state(connection, found.release).value if found.disclosed_at else ""
    names: tuple[str, ...] = (
        "id",
        "state",
        "agreement",
        "purpose",
        "recipient",
        "asked_by",
        "asked_at",
        "until",
    )
    names += ("confirmed_by", "confirmed_at", "release", "disclosed_at", "overridden", "read_by")
    return {
        **{name: getattr(found, name) for name in names},
        "code": found.code,
        "why": emergency_records.why(found.code),
        "release_state": way,
        "packages": [package.id for package in packages],
        "reasons": [{"person": r.person, "due": r.due, "filed_at": r.filed_at} for r in owed],
    }
