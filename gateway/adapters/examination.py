"""One examination of an installation: what it looks at, and what it finds.

Source: security point 22; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.settings import Settings


class Health(StrEnum):
    """Well, worth a look, or to be mended before anything is shared."""

    WELL = "well"
    LOOK = "look"
    ILL = "ill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one examination found; the sentence names no person and no value."""

    subject: str
    health: Health
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    settings: Settings
    database: Database
    ring: KeyRing
    at: dt.datetime


Examination = Callable[[Patient], Iterator[Found]]


def well(subject: str, sentence: str) -> Found:
    """A finding that all is well."""
    return Found(subject=subject, health=Health.WELL, sentence=sentence)
