"""Emergency disclosures put together: the office of their acts, and what a worker does of them.

Looking for the person writes nothing but that they were found; disclosing waits for its
turn among releases, finishes what a crash left, and makes at most one release.

Source: docs/adr/0298; security points 4, 15 and 23.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from gateway.adapters import emergency_records, operators
from gateway.adapters.database import Database
from gateway.adapters.emergency_acts import EmergencyOffice
from gateway.adapters.emergency_desk import (
    NOT_CERTAIN,
    Disclosing,
    EmergencyDesk,
    emergency_desk,
    opened,
)
from gateway.adapters.emergency_records import OPEN, Emergency, EmergencyState
from gateway.adapters.emergency_rules import require_apart
from gateway.adapters.keyring import open_ring
from gateway.adapters.release_store import not_forwarded, still_waits
from gateway.adapters.settings import Settings
from gateway.adapters.share_desk import Desk
from gateway.errors import HeldForPerson, IntegrityError, RefusedError
from gateway.model import Refusal
from gateway.model.permissions import Action, authorise
from gateway.selection import find_one
from gateway.wiring.common import append, new_id, now
from gateway.wiring.emergency_office import office, told
from gateway.wiring.sharing import share_desk
from gateway.workflows.disclose import disclose
from gateway.workflows.disclosing import sought_of
from gateway.workflows.ports import Progress
from gateway.workflows.sharing import Outcome

# How often a disclosure is made anew because the register moved while it was made.
TRIES = 3
ASKED = frozenset({EmergencyState.ASKED})
CONFIRMED = frozenset({EmergencyState.CONFIRMED})


def seek(
    settings: Settings, database: Database, emergency: str, *, progress: Progress
) -> Emergency:
    """Look for the person of an emergency disclosure; it waits for its second person then."""
    here = office(settings, database)
    found = _found(database, emergency)
    if found.state is not EmergencyState.ASKED:
        return found
    if found.lapsed(here.at):
        return _lapsed(here, found)
    progress("looking for the person")
    with share_desk(settings, progress=progress, rehearsal=True) as desk:
        code = _looked_for(emergency_desk(desk, found))
    if code:
        return _close(here, found, EmergencyState.REFUSED, code=code, only=ASKED)
    with database.begin() as connection:
        if emergency_records.find(connection, emergency).state is EmergencyState.ASKED:
            emergency_records.change(connection, emergency, state=EmergencyState.FOUND)
    return _found(database, emergency)


def finish(
    settings: Settings,
    database: Database,
    emergency: str,
    *,
    progress: Progress,
    turn_within: float = math.inf,
) -> dict[str, Any]:
    """Make the disclosure that was confirmed, or say what came of it; at most one leaves.

    Args:
        settings: where everything lives.
        database: its database.
        emergency: which disclosure.
        progress: told each step.
        turn_within: seconds to wait for a release that another process makes.

    Raises:
        Unavailable: it was not our turn in that time, or it is recorded and has not left,
            because its outbox is out of reach.
    """
    with share_desk(settings, progress=progress, turn_within=turn_within) as desk:
        here, found = office(settings, database), _found(database, emergency)
        if found.lapsed(here.at):
            _lapsed(here, found)
        elif found.state is EmergencyState.CONFIRMED:
            _made(desk, here, found)
    _require_left(database, emergency)
    return told(database, emergency)


def reasons_read(
    settings: Settings, database: Database, emergency: str, *, by: str
) -> dict[str, str]:
    """The filed reasons, opened for whoever oversees disclosures; each reading is recorded.

    Raises:
        RefusedError: they may not.
    """
    ring = open_ring(settings)
    ring.unlock()
    with database.begin() as connection:
        authorise(operators.find(connection, by), Action.EMERGENCY_READ)
        found = emergency_records.find(connection, emergency)
        require_apart(found, by)
        filed = [each for each in emergency_records.reasons(connection, found.id) if each.sealed]
        facts = {"subject": found.id, "operator": by, "release": found.release}
        append(connection, "emergency-reason-read", facts)
    return {each.person: opened(ring, each).decode() for each in filed}


def give_up(
    settings: Settings,
    database: Database,
    emergency: str,
    *,
    code: str,
    only: frozenset[EmergencyState] = OPEN,
) -> None:
    """Say that nobody tries any more; nothing has left, and what was typed is gone.

    Args:
        settings: where everything lives.
        database: the gateway's.
        emergency: its id.
        code: why.
        only: the states that are given up; in another one it is somebody else's by now.
    """
    _close(
        office(settings, database),
        _found(database, emergency),
        EmergencyState.REFUSED,
        code=code or "emergency/given-up",
        only=only,
    )


def lapse(settings: Settings, database: Database) -> int:
    """Close what nobody confirmed or made in time, so that what was typed is gone; how many."""
    with database.read() as connection:
        still = emergency_records.unfinished(connection)
    if not any(each.lapsed(now()) for each in still):
        return 0
    here = office(settings, database)
    with database.begin() as connection:
        late = [each for each in emergency_records.unfinished(connection) if each.lapsed(here.at)]
        for each in late:
            here.close(connection, each, EmergencyState.LAPSED, code=each.lapse_code)
    return len(late)


def _looked_for(desk: EmergencyDesk) -> str:
    """Why the person cannot be disclosed; "" where exactly one was found."""
    decision = desk.settled()
    if isinstance(decision, Refusal):
        return decision.reasons[0].code
    sought = sought_of(desk.typed.asked)
    return "" if find_one(decision, desk.spine(decision), sought) else NOT_CERTAIN


def _made(desk: Desk, here: EmergencyOffice, found: Emergency) -> None:
    """Make the release of a disclosure, again where an objection moved the register."""
    for attempt in range(1, TRIES + 1):
        release = f"rel-{new_id()}"
        with here.database.begin() as connection:
            if emergency_records.find(connection, found.id).state is not EmergencyState.CONFIRMED:
                return  # recorded, or closed meanwhile: its release stays the one that is known
            emergency_records.change(connection, found.id, release=release)
        tied = replace(desk, world=replace(desk.world, release=release))
        mine = replace(found, release=release)
        try:
            outcome = disclose(Disclosing(emergency_desk(tied, mine)))
        except (RefusedError, IntegrityError) as no:
            if _close(here, found, EmergencyState.REFUSED, code=no.code).disclosed_at:
                raise  # it is recorded: what went wrong did so on its way out
            return
        except HeldForPerson:
            if attempt == TRIES:
                raise
            continue
        _ended(here, found, outcome)
        return


def _ended(here: EmergencyOffice, found: Emergency, outcome: Outcome) -> None:
    if outcome.refusal:
        _close(here, found, EmergencyState.REFUSED, code=outcome.refusal[0].code)


def _require_left(database: Database, emergency: str) -> None:
    """See that what was recorded has left, as far as that is done here.

    Raises:
        Unavailable: a package still waits.
    """
    with database.read() as connection:
        found = emergency_records.find(connection, emergency)
        if found.state is not EmergencyState.DISCLOSED or not still_waits(
            connection, found.release
        ):
            return
    raise not_forwarded(found.release)


def _lapsed(here: EmergencyOffice, found: Emergency) -> Emergency:
    return _close(here, found, EmergencyState.LAPSED, code=found.lapse_code)


def _close(
    here: EmergencyOffice,
    found: Emergency,
    state: EmergencyState,
    *,
    code: str,
    only: frozenset[EmergencyState] = OPEN,
) -> Emergency:
    with here.database.begin() as connection:
        if emergency_records.find(connection, found.id).state in only:
            here.close(connection, found, state, code=code)
        return emergency_records.find(connection, found.id)


def _found(database: Database, emergency: str) -> Emergency:
    with database.read() as connection:
        return emergency_records.find(connection, emergency)
