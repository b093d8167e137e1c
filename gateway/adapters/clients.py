"""Machine clients: partners' and recipients' programs, known by their own Ed25519 keys.

A client is registered with the public half of a key that never leaves its
owner. It proves itself by a short assertion that is taken once; the memory of
taken ones is a row until they have ended. Roles and the registration itself are
read at each request.

Source: RFC 7523; RFC 8037; security points 4, 9.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from sqlalchemy import Column, Connection, ForeignKey, String, Table, insert, select, update

from gateway.adapters import asked_access
from gateway.adapters.accounts import PARTNER_ROLES
from gateway.adapters.asked_access import OF_CLIENTS, Way
from gateway.adapters.assertions import thumbprint
from gateway.adapters.database import METADATA
from gateway.errors import UsageError
from gateway.model.keys import ID
from gateway.model.words import PartyRole

CLIENTS = Table(
    "clients",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("party", String(60), nullable=False),
    Column("added", String(40), nullable=False),
    Column("added_by", String(40), nullable=False),
    Column("revoked", String(40), nullable=False),
)
CLIENT_ROLES = Table(
    "client_roles",
    METADATA,
    Column("client", ForeignKey("clients.id"), primary_key=True),
    Column("role", String(40), primary_key=True),
)
CLIENT_KEYS = Table(
    "client_keys",
    METADATA,
    Column("kid", String(64), primary_key=True),
    Column("client", ForeignKey("clients.id"), nullable=False),
    Column("public", String(64), nullable=False),
    Column("added", String(40), nullable=False),
    Column("revoked", String(40), nullable=False),
)
SPENT_ASSERTIONS = Table(
    "spent_assertions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("until", String(40), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One registered client; `keys` are (kid, raw public key).

    `waiting` are (kid, who asked): keys that no second person has confirmed yet.
    """

    id: str
    party: str
    roles: frozenset[PartyRole]
    keys: tuple[tuple[str, bytes], ...]
    revoked: bool
    waiting: tuple[tuple[str, str], ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether it can come in at all: by a key that waits for nobody."""
        return not self.revoked and bool(dict(self.keys).keys() - dict(self.waiting).keys())


def add(
    connection: Connection,
    client: str,
    *,
    party: str,
    roles: frozenset[PartyRole],
    public: bytes,
    by: str,
    at: dt.datetime,
) -> Client:
    """Register a client of a party with its public key.

    Raises:
        UsageError: the id is malformed or taken, the roles are not a partner's, or the
            key is registered already.
    """
    _check(connection, client, roles)
    values = {"id": client, "party": party, "added": at.isoformat(), "added_by": by}
    connection.execute(insert(CLIENTS).values(**values, revoked=""))
    for role in sorted(roles):
        connection.execute(insert(CLIENT_ROLES).values(client=client, role=role.value))
    add_key(connection, client, public=public, at=at)
    return known(connection, client)


def add_key(connection: Connection, client: str, *, public: bytes, at: dt.datetime) -> str:
    """Register one more key of a client, so that keys can change without a gap; its id.

    Raises:
        UsageError: the key is or was registered.
    """
    kid = thumbprint(public)
    if connection.scalar(select(CLIENT_KEYS.c.kid).where(CLIENT_KEYS.c.kid == kid)):
        raise UsageError(
            "clients/key-known",
            "That key is or was registered already; each client has keys of its own.",
            remedy="Make another with `gateway clients key`.",
        )
    connection.execute(
        insert(CLIENT_KEYS).values(
            kid=kid, client=client, public=public.hex(), added=at.isoformat(), revoked=""
        )
    )
    return kid


def find(connection: Connection, client: str) -> Client | None:
    """Read one client as it is registered now, or nothing."""
    row = connection.execute(select(CLIENTS).where(CLIENTS.c.id == client)).mappings().first()
    if row is None:
        return None
    roles = connection.scalars(select(CLIENT_ROLES.c.role).where(CLIENT_ROLES.c.client == client))
    keys = connection.execute(
        select(CLIENT_KEYS.c.kid, CLIENT_KEYS.c.public)
        .where(CLIENT_KEYS.c.client == client, CLIENT_KEYS.c.revoked == "")
        .order_by(CLIENT_KEYS.c.added, CLIENT_KEYS.c.kid)
    )
    return Client(
        id=row["id"],
        party=row["party"],
        roles=frozenset(PartyRole(role) for role in roles),
        keys=tuple((kid, bytes.fromhex(public)) for kid, public in keys),
        revoked=bool(row["revoked"]),
        waiting=tuple(
            (asked.name, asked.asked_by)
            for asked in asked_access.waiting(connection, OF_CLIENTS, owner=client)
        ),
    )


def known(connection: Connection, client: str) -> Client:
    """Read one client that has to be there.

    Raises:
        UsageError: there is none of that id.
    """
    found = find(connection, client)
    if found is None:
        raise UsageError(
            "clients/unknown",
            "There is no client of that id.",
            remedy="`gateway clients list` shows them.",
        )
    return found


def of_key(connection: Connection, kid: str) -> Client | None:
    """The client in force that registered a key under exactly this id, unless it waits."""
    if asked_access.waits(connection, Way.KEY, kid):
        return None
    owner = connection.scalar(
        select(CLIENT_KEYS.c.client).where(CLIENT_KEYS.c.kid == kid, CLIENT_KEYS.c.revoked == "")
    )
    found = find(connection, owner) if owner else None
    return found if found is not None and not found.revoked else None


def listed(connection: Connection) -> tuple[Client, ...]:
    """Read every client, by id."""
    ids = connection.scalars(select(CLIENTS.c.id).order_by(CLIENTS.c.id)).all()
    return tuple(known(connection, client) for client in ids)


def revoke(connection: Connection, client: str, *, kid: str = "", at: dt.datetime) -> None:
    """End a client, or one key of it; the next request finds it gone.

    Raises:
        UsageError: the client has no such key in force.
    """
    keys = (CLIENT_KEYS.c.client == client) & (CLIENT_KEYS.c.revoked == "")
    if not kid:
        here = CLIENTS.c.id == client
        connection.execute(update(CLIENTS).where(here).values(revoked=at.isoformat()))
    keys = keys & (CLIENT_KEYS.c.kid == kid) if kid else keys
    ended = connection.execute(update(CLIENT_KEYS).where(keys).values(revoked=at.isoformat()))
    if kid and not ended.rowcount:
        raise UsageError(
            "clients/unknown-key",
            "That client has no such key in force.",
            remedy="`gateway clients list` shows its keys.",
        )
    asked_access.forget(connection, OF_CLIENTS, owner=client, name=kid)


def spend(connection: Connection, client: str, jti: str, *, until: dt.datetime) -> bool:
    """Take an assertion's id once; `False` if it was taken before."""
    mark = hashlib.sha256(f"{client}\n{jti}".encode()).hexdigest()
    if connection.scalar(
        select(SPENT_ASSERTIONS.c.digest).where(SPENT_ASSERTIONS.c.digest == mark)
    ):
        return False
    connection.execute(insert(SPENT_ASSERTIONS).values(digest=mark, until=_text(until)))
    return True


def forget_spent(connection: Connection, *, at: dt.datetime) -> int:
    """Forget taken assertions that nobody could use any more; how many."""
    ended = SPENT_ASSERTIONS.c.until < _text(at)
    return connection.execute(SPENT_ASSERTIONS.delete().where(ended)).rowcount


def _check(connection: Connection, client: str, roles: frozenset[PartyRole]) -> None:
    if not ID.fullmatch(client):
        raise UsageError(
            "clients/malformed-id",
            "A client is named with a-z, 0-9 and hyphens, 40 at most.",
            remedy="Choose one such as police-nightly.",
        )
    if find(connection, client) is not None:
        raise UsageError(
            "clients/exists",
            f"There is or was a client {client}.",
            remedy="Choose another name: one that was used is never given again.",
        )
    if not roles or roles - PARTNER_ROLES:
        raise UsageError(
            "clients/role",
            "A client is an uploader, a recipient, or both.",
            remedy="Give --role uploader, --role recipient, or both.",
        )


def _text(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
