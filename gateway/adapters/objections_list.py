"""The register as it may be listed: receipts, kinds, states and days; nobody's details.

No key is opened for it. States are those that the acts in the register give.

Source: requirement R36 (an objection is answered within one month); security point 21.
"""

from __future__ import annotations

import calendar
import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from gateway.adapters import register_queue
from gateway.adapters.register_trust import EntryRow, RegisterMark, read_whole
from gateway.objections import COMPARED, LIFTS, EntryKind, Status

LIFTED = "lifted"
OWED = frozenset({Status.UNANSWERED.value, Status.CONSIDERED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The entries of one act of one controller that stand alike."""

    receipt: str
    first: int
    last: int
    kind: str
    purpose: str
    controller: str
    source: str
    received: str
    state: str
    answer_by: str

    def document(self) -> dict[str, Any]:
        """As `gateway objections --json` prints it."""
        return {
            "receipt": self.receipt,
            "entries": [self.first, self.last],
            "people": self.last - self.first + 1,
            "kind": self.kind,
            "purpose": self.purpose,
            "controller": self.controller,
            "source": self.source,
            "received": self.received,
            "state": self.state,
            "answer_by": self.answer_by,
        }


def listed(connection: Connection, mark: RegisterMark) -> list[Listed]:
    """Every act of the register, oldest first.

    Raises:
        Unavailable: the register is not whole.
    """
    rows = read_whole(connection, mark)
    states = _states(rows)
    compared = [row for row in rows if row.kind in {kind.value for kind in COMPARED}]
    grouped = groupby(compared, key=lambda row: (row.receipt, row.controller, states[row.sequence]))
    return [_listed(list(group), state) for (_, _, state), group in grouped]


def queue(connection: Connection, *, every: bool = False) -> list[dict[str, Any]]:
    """The doubtful matches that wait for a person, by reference."""
    return [
        {
            "match": match.id,
            "receipt": match.receipt,
            "entry": match.entry,
            "controller": match.controller,
            "purpose": match.purpose,
            "dataset": match.dataset,
            "extracts": list(match.extracts),
            "release": match.release,
            "because": list(match.because),
            "day": match.day,
            "state": match.state,
            "settled": match.settled,
            "settled_by": match.settled_by,
        }
        for match in register_queue.listed(connection, every=every)
    ]


def _listed(rows: Sequence[EntryRow], state: str) -> Listed:
    first = rows[0]
    received = dt.datetime.fromisoformat(first.received).date()
    owed = first.kind == EntryKind.OBJECTION.value and state in OWED
    return Listed(
        receipt=first.receipt,
        first=first.sequence,
        last=rows[-1].sequence,
        kind=first.kind,
        purpose=first.purpose,
        controller=first.controller,
        source=first.authority,
        received=received.isoformat(),
        state=state,
        answer_by=_one_month_after(received).isoformat() if owed else "",
    )


def _states(rows: Iterable[EntryRow]) -> dict[int, str]:
    """What each entry's state is after every act about it."""
    states: dict[int, str] = {}
    for row in rows:
        states[row.sequence] = row.status
        for number in json.loads(row.lifts):
            if row.kind in {kind.value for kind in LIFTS}:
                states[number] = LIFTED
            elif row.kind == EntryKind.ANSWERED.value and states[number] != LIFTED:
                states[number] = row.status
    return states


def _one_month_after(day: dt.date) -> dt.date:
    """The same day of the next month, or its last day (UK GDPR Art 12(3))."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
