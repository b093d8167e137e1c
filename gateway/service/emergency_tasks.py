"""Jobs of an emergency disclosure: look for the person, disclose, open the reasons, give up.

Source: docs/adr/0298-an-emergency-disclosure-is-a-release-of-one.md; security points 4, 15 and 23.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.adapters import reading_once
from gateway.adapters.jobs import Job
from gateway.service.workshop import TURN_SECONDS, Workshop
from gateway.workflows.ports import Progress

# How often one is tried before it is recorded.
MOST_MAKING: Final = 12


def seek(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Look for the person of an emergency disclosure."""
    from gateway.wiring import emergency

    found = emergency.seek(shop.settings, shop.database, job.subject, progress=progress)
    return {"state": found.state.value, "emergency": found.id, "code": found.code}


def disclose(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Make the emergency disclosure that two people have agreed on, or finish it.

    One that could not be made again and again is over; one that is recorded and has not
    left is tried for as long as any delivery.
    """
    from gateway.wiring import emergency

    if job.attempts > MOST_MAKING:
        give_up_disclosing(shop, job, "")
    told = emergency.finish(
        shop.settings,
        shop.database,
        job.subject,
        progress=progress,
        turn_within=TURN_SECONDS,
    )
    return {"state": told["state"], "emergency": told["id"], "code": told["code"]}


def read_reasons(shop: Workshop, job: Job, _progress: Progress) -> Mapping[str, Any]:
    """Open the filed reasons of an emergency disclosure for one reader; that is recorded."""
    from gateway.wiring import emergency

    which, reader = job.request["emergency"], job.request["reader"]
    texts = emergency.reasons_read(shop.settings, shop.database, which, by=job.by)
    return {"sealed": reading_once.sealed_for(reader, texts)}


def give_up_seeking(shop: Workshop, job: Job, code: str) -> None:
    """Say at the emergency disclosure that the person could not be looked for."""
    from gateway.wiring import emergency

    emergency.give_up(shop.settings, shop.database, job.subject, code=code, only=emergency.ASKED)


def give_up_disclosing(shop: Workshop, job: Job, code: str) -> None:
    """Say at the emergency disclosure that nothing has left and nothing will."""
    from gateway.wiring import emergency

    only = emergency.CONFIRMED
    emergency.give_up(shop.settings, shop.database, job.subject, code=code, only=only)


def lapse(shop: Workshop) -> None:
    """Close emergency disclosures whose time is over."""
    from gateway.wiring import emergency

    emergency.lapse(shop.settings, shop.database)
