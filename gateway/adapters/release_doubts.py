"""A release's doubtful matches go to the queue, in the transaction that withholds the people.

Source: security points 16 and 20.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from gateway.adapters import register_queue
from gateway.adapters.release_world import Inputs, World
from gateway.model import Plan


def queue(
    connection: sa.Connection,
    world: World,
    inputs: Inputs,
    plan: Plan,
    *,
    release: str,
    doubts: Sequence[pl.DataFrame],
) -> None:
    """Queue the pairs that are new, and tell the ledger how many."""
    met = [pairs for pairs in doubts if pairs.height]
    if not met:
        return
    occasion = register_queue.Occasion(
        release=release,
        purpose=plan.request.purpose,
        controller=plan.controller,
        dataset=plan.cohort.dataset,
        extracts=inputs.extracts,
        day=world.now().date().isoformat(),
    )
    new = register_queue.add(
        connection, pl.concat(met), occasion, matching=inputs.register.matching
    )
    about = {"purpose": plan.request.purpose, "register": plan.controller}
    facts: dict[str, str | int] = {"release": release, "entries": new, **about}
    world.append(connection, "register-matches-queued", facts)
