"""Packages that wait for a person, by what settles them: carrying, another try or release.

Of a release that was stopped on its way nothing more leaves, so no try helps. It is
settled once a later release of the same purpose and agreement was recorded.

Source: security point 16; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from gateway.adapters.deliveries import DELIVERIES, PORTAL, DeliveryState
from gateway.adapters.release_store import RELEASES, ReleaseState
from gateway.web.release_departures import STOPPED

Rows = Iterable[sa.Row[Any]]
MOST: Final = 50
_RECORDED: Final = (
    ReleaseState.RECORDED,
    ReleaseState.FORWARDED,
    ReleaseState.ACKNOWLEDGED,
    ReleaseState.CLOSED,
)


def to_carry(connection: sa.Connection) -> Rows:
    """Those for a recipient's own portal that nobody has brought there, the newest first."""
    ready = sa.and_(
        DELIVERIES.c.state == DeliveryState.WAITING, RELEASES.c.state == ReleaseState.RECORDED
    )
    fetched = DELIVERIES.c.state == DeliveryState.DISPATCHED
    return connection.execute(
        _packages().where(DELIVERIES.c.channel == PORTAL, sa.or_(ready, fetched))
    )


def to_try_again(connection: sa.Connection) -> Rows:
    """Those whose release may still leave, the newest first."""
    return connection.execute(_undelivered().where(RELEASES.c.state.not_in(STOPPED)))


def to_release_again(connection: sa.Connection) -> Rows:
    """Those whose release was stopped and not made again since, the newest first."""
    later = RELEASES.alias()
    again = sa.exists().where(
        later.c.purpose == RELEASES.c.purpose,
        later.c.agreement == RELEASES.c.agreement,
        later.c.sequence > RELEASES.c.sequence,
        later.c.state.in_(_RECORDED),
    )
    return connection.execute(_undelivered().where(RELEASES.c.state.in_(STOPPED), ~again))


def _undelivered() -> sa.Select[Any]:
    return _packages().where(DELIVERIES.c.state == DeliveryState.NOT_DELIVERED)


def _packages() -> sa.Select[Any]:
    joined = DELIVERIES.join(RELEASES, RELEASES.c.id == DELIVERIES.c.release)
    return (
        sa.select(DELIVERIES).select_from(joined).order_by(DELIVERIES.c.created.desc()).limit(MOST)
    )
