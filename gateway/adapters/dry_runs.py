"""How often somebody may look before they leap: dry runs are counted and written down.

Whoever may rehearse without end can ask a cohort one question after another, each
with a changed register or extract, and subtract the answers. So each rehearsal is
noted before a row is read, and a day has only so many for one person and purpose.

Source: docs/explanation/disclosure.md, "Preview"; security point 20.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.adapters.release_world import World
from gateway.errors import RefusedError
from gateway.model import Plan

A_DAY = 10

DRY_RUNS = sa.Table(
    "dry_runs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("officer", sa.String(40), nullable=False),
    sa.Column("agreement", sa.String(60), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("policy_digest", sa.String(64), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
)


def note(
    world: World, plan: Plan, *, officer: str, reason: str, as_of: dt.date, cohort: str = ""
) -> int:
    """Count one more dry run of today; how many are left.

    Args:
        world: the database and its ledger.
        plan: what is asked about.
        officer: who asks.
        reason: the code of why.
        as_of: the day that is played.
        cohort: counted with all that this officer asks about these people, instead of by
            purpose: a draft could give one question many purposes.

    Raises:
        RefusedError: today's are used up.
    """
    day, asked = world.now().date().isoformat(), plan.request
    row = {
        "officer": officer,
        "agreement": "" if cohort else asked.agreement,
        "purpose": cohort[:60] or asked.purpose,
        "day": day,
    }
    with world.database.begin() as connection:
        # The ledger's lock comes first: two rehearsals at once are counted one by one.
        facts = {"purpose": asked.purpose, "agreement": asked.agreement, "operator": officer}
        facts |= {"policy_digest": plan.policy_digest, "code": reason}
        world.append(connection, "dry-run", facts)
        there = sa.select(sa.func.count()).select_from(DRY_RUNS)
        used = connection.scalar(there.filter_by(**row)) or 0
        if used >= A_DAY:
            raise RefusedError(
                "sharing/too-many-dry-runs",
                f"{officer} has asked {A_DAY} times today what would leave for this purpose or "
                "these people, in rehearsals and previews: as often as one person may.",
                remedy="Go on with what they said, or ask again tomorrow.",
            )
        told = {**row, "policy_digest": plan.policy_digest, "reason": reason}
        connection.execute(DRY_RUNS.insert().values(**told, as_of=as_of.isoformat()))
    return A_DAY - used - 1
