"""What the tasks of a worker work with, and what they may answer.

Source: docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.adapters.database import Database
from gateway.adapters.jobs import Job
from gateway.adapters.keyring import KeyRing
from gateway.adapters.settings import Settings
from gateway.service.warm import Warm
from gateway.workflows.ports import Progress

# How long a worker waits for a release that another one makes, before it looks for other jobs.
TURN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What tasks work with: the opened ring, the database, warm processes."""

    settings: Settings
    database: Database = field(repr=False)
    ring: KeyRing = field(repr=False)
    warm: Warm = field(repr=False)
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A task that has done what it could now and is to be begun again."""

    not_before: dt.datetime
    code: str


Task = Callable[[Workshop, Job, Progress], Mapping[str, Any] | Later]
