"""How often somebody may try to sign in: counted in our table, for accounts and for addresses.

A try is counted before the password is looked at, so that many tries at once
count as many. Neither a login that was typed (it may be a password in the wrong
field) nor an address is kept: only keyed digests, and of an address only its
network. What is counted is forgotten when its window is over.

Source: OWASP ASVS 5.0, V6.3; NIST SP 800-63B section 3.2.2; UK GDPR Art 5(1)(c).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress

from sqlalchemy import Column, Connection, Integer, String, Table, insert, select, update

from gateway.adapters.database import METADATA

WINDOW = dt.timedelta(minutes=15)
PER_ACCOUNT = 10
PER_NETWORK = 100

SIGN_IN_TRIES = Table(
    "sign_in_tries",
    METADATA,
    Column("mark", String(64), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("until", String(40), nullable=False, index=True),
)


def account_mark(key: bytes, login: str) -> str:
    """What a typed login is counted under."""
    return _mark(key, "account", login)


def network_mark(key: bytes, address: str) -> str:
    """What an address is counted under: its /24 or /64 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return _mark(key, "network", "")
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    width = 24 if parsed.version == 4 else 64
    network = ipaddress.ip_network((parsed, width), strict=False)
    return _mark(key, "network", str(network))


def count(connection: Connection, mark: str, *, at: dt.datetime) -> int:
    """Count one more try; how many there are in this window."""
    connection.execute(SIGN_IN_TRIES.delete().where(SIGN_IN_TRIES.c.until <= _text(at)))
    here = SIGN_IN_TRIES.c.mark == mark
    tries: int = connection.scalar(select(SIGN_IN_TRIES.c.tries).where(here)) or 0
    if tries:
        connection.execute(update(SIGN_IN_TRIES).where(here).values(tries=tries + 1))
    else:
        until = _text(at + WINDOW)
        connection.execute(insert(SIGN_IN_TRIES).values(mark=mark, tries=1, until=until))
    return tries + 1


def tries(connection: Connection, mark: str, *, at: dt.datetime) -> int:
    """How many tries there are in this window, without counting one."""
    here = (SIGN_IN_TRIES.c.mark == mark) & (SIGN_IN_TRIES.c.until > _text(at))
    return connection.scalar(select(SIGN_IN_TRIES.c.tries).where(here)) or 0


def forget(connection: Connection, mark: str) -> None:
    """Begin anew after a success."""
    connection.execute(SIGN_IN_TRIES.delete().where(SIGN_IN_TRIES.c.mark == mark))


def _mark(key: bytes, kind: str, value: str) -> str:
    message = f"{kind}\n{value}".encode("utf-8", "replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _text(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
