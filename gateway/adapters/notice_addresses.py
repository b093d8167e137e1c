"""Where people are told: one e-mail address for each operator or account that gave one.

An address is personal data of staff: it stands in this table alone, in no log, ledger or
listing, and goes when its owner's account is closed.

Source: UK GDPR Art 5(1)(c); GOV.UK, securing government email; RFC 5321 section 4.5.3.1.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import InputRejected
from gateway.model.mail_domains import retired_in

LONGEST: Final = 254
# Dot-atoms and a domain name: quoted local parts and literal addresses are not taken.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}){0,9}"
    r"@([A-Za-z0-9](-?[A-Za-z0-9]){0,62}\.){1,9}[A-Za-z](-?[A-Za-z0-9]){1,62}"
)

ADDRESSES = sa.Table(
    "notice_addresses",
    METADATA,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("address", sa.String(LONGEST), nullable=False),
    sa.Column("changed", sa.String(40), nullable=False),
    sa.Column("changed_by", sa.String(40), nullable=False),
)


def checked(address: str) -> str:
    """An address in its plain form.

    Raises:
        InputRejected: it is none, or of a domain that was closed.
    """
    found = address.strip()
    if len(found) > LONGEST or not _ADDRESS.fullmatch(found):
        raise InputRejected(
            "notices/address-form",
            "That is not an e-mail address that notices can be sent to.",
            remedy="Give one such as desk@trafford.example.",
        )
    if retired_in(found):
        raise InputRejected(
            "notices/retired-mail-domain",
            "That mail domain was closed in March 2019.",
            remedy="Give an address of a current domain.",
        )
    return found


def put(connection: sa.Connection, person: str, address: str, *, by: str, at: dt.datetime) -> None:
    """Keep a person's address in place of the one before; "" removes it.

    Raises:
        InputRejected: it is none that notices can be sent to.
    """
    connection.execute(ADDRESSES.delete().where(ADDRESSES.c.person == person))
    if address.strip():
        connection.execute(
            ADDRESSES.insert().values(
                person=person, address=checked(address), changed=at.isoformat(), changed_by=by
            )
        )


def find(connection: sa.Connection, person: str) -> str:
    """A person's address; "" where there is none."""
    query = sa.select(ADDRESSES.c.address).where(ADDRESSES.c.person == person)
    return str(connection.scalar(query) or "")


def having(connection: sa.Connection, people: Collection[str]) -> frozenset[str]:
    """Which of these people have an address."""
    query = sa.select(ADDRESSES.c.person).where(ADDRESSES.c.person.in_(list(people)))
    return frozenset(connection.scalars(query))


def forget(connection: sa.Connection, people: Collection[str]) -> None:
    """Forget where somebody was told whose account is closed."""
    connection.execute(ADDRESSES.delete().where(ADDRESSES.c.person.in_(list(people))))
