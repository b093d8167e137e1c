"""`gateway clients`: partners' and recipients' programs, and the keys that prove them.

Source: RFC 7523; security points 4, 5, 9; docs/how-to/add-partners-and-staff.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.cli.common import (
    Opened,
    as_option,
    emit,
    exits,
    json_option,
    open_settings,
    open_store,
    table,
)

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def clients() -> None:
    """Programs of partners and recipients, known by the public half of a key of their own.

    Example: gateway clients add police-nightly client.jwk \
--party greater-manchester-police --role uploader --as ada
    """


@clients.command("add")
@click.argument("client")
@click.argument("public", type=_FILE)
@click.option("--party", required=True, help="The party of the policies that it acts for.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(["uploader", "recipient"]),
    help="A role; may be given twice.",
)
@as_option
@json_option
@click.pass_context
@exits
def add(
    ctx: click.Context,
    client: str,
    public: Path,
    party: str,
    roles: tuple[str, ...],
    acting: str,
    json_wanted: bool,
) -> None:
    """Register a program with its public key (JWK or PEM).

    Compare the key's id with the partner over another channel before you do. Once there
    has been a second administrator, the key serves when another person has confirmed it.

    Example: gateway clients add police-nightly client.jwk \
--party greater-manchester-police --role uploader --as ada
    """
    from gateway.adapters.client_keys import read_public
    from gateway.model.words import PartyRole

    opened = open_store(ctx)
    added = _desk(opened, acting).add_client(
        client,
        party=party,
        roles=frozenset(PartyRole(role) for role in roles),
        public=read_public(public.read_bytes()),
    )
    kid = added.keys[0][0]
    state, more = _asked(opened, client, kid)
    document = {"client": client, "party": party, "roles": sorted(roles), "key": kid}
    lines = [f"{client} of {party}: {', '.join(sorted(roles))}. Key {kid}.", *more]
    emit({**document, "state": state}, json_wanted, lines)


@clients.command("add-key")
@click.argument("client")
@click.argument("public", type=_FILE)
@as_option
@json_option
@click.pass_context
@exits
def add_key(ctx: click.Context, client: str, public: Path, acting: str, json_wanted: bool) -> None:
    """Register one more key of a program; revoke the old one when the new one is in use.

    Once there has been a second administrator, another person confirms it.

    Example: gateway clients add-key police-nightly client.jwk --as ada
    """
    from gateway.adapters.client_keys import read_public

    raw = read_public(public.read_bytes())
    opened = open_store(ctx)
    kid = _desk(opened, acting).add_client_key(client, public=raw)
    state, more = _asked(opened, client, kid)
    line = f"{client} may also use key {kid}."
    emit({"client": client, "key": kid, "state": state}, json_wanted, [line, *more])


@clients.command("confirm")
@click.argument("client")
@click.option("--key", "kid", default="", help="Only this key; without it, all that wait.")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, client: str, kid: str, acting: str, json_wanted: bool) -> None:
    """Let keys of a program serve that another administrator has registered.

    Compare the key's id with the partner over another channel before you do.

    Example: gateway clients confirm police-nightly --as bea
    """
    confirmed = _desk(open_store(ctx), acting).confirm_client(client, kid=kid)
    keys = [asked.name for asked in confirmed]
    line = f"{client} may use key {', '.join(keys)}."
    emit({"client": client, "confirmed": keys}, json_wanted, [line])


@clients.command("revoke")
@click.argument("client")
@click.option("--key", "kid", default="", help="Only this key; the client goes on with another.")
@as_option
@json_option
@click.pass_context
@exits
def revoke(ctx: click.Context, client: str, kid: str, acting: str, json_wanted: bool) -> None:
    """End a program's access, or one of its keys; its next request finds it gone.

    Example: gateway clients revoke police-nightly --as ada
    """
    left = _desk(open_store(ctx), acting).revoke_client(client, kid=kid)
    keys = [each for each, _ in left.keys]
    line = f"{client} goes on with {len(keys)} key(s)." if kid else f"{client} is revoked."
    emit({"client": client, "revoked": left.revoked, "keys": keys}, json_wanted, [line])


@clients.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List programs, for whom they act, and the ids of their keys.

    Example: gateway clients list --json
    """
    from gateway.adapters import clients as programs

    with open_store(ctx).database.read() as connection:
        found = programs.listed(connection)
    rows: list[dict[str, Any]] = [
        {
            "client": one.id,
            "party": one.party,
            "roles": sorted(one.roles),
            "keys": [kid for kid, _ in one.keys],
            "state": _state(one),
            "asked": [{"key": key, "asked_by": by} for key, by in one.waiting],
        }
        for one in found
    ]
    shown = table(
        ("Client", "Acts for", "Roles", "State", "Keys", "Asked"),
        (
            (
                *(one.id, one.party, ", ".join(sorted(one.roles)), row["state"]),
                " ".join(row["keys"]),
                ", ".join(f"{key[:8]}… by {by}" for key, by in one.waiting),
            )
            for one, row in zip(found, rows, strict=True)
        ),
    )
    emit({"clients": rows}, json_wanted, [shown])


@clients.command("key")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the pair; made if it is not there.",
)
@json_option
@exits
def key(folder: Path, json_wanted: bool) -> None:
    """Make a program's key pair, at the partner's (needs no data directory).

    `client.key` stays where it is made; `client.jwk` goes to the council.

    Example: gateway clients key --to ./gateway-key
    """
    from gateway.adapters.client_keys import PRIVATE, PUBLIC, make_pair

    made = make_pair(folder)
    lines = [
        f"{folder / PRIVATE}: keep it here, readable by its owner alone.",
        f"{folder / PUBLIC}: send it to the council. Key {made.kid}: read it out over another "
        "channel.",
    ]
    document = {"private": str(folder / PRIVATE), "public": str(folder / PUBLIC), "key": made.kid}
    emit(document, json_wanted, lines)


@clients.command("rotate")
@json_option
@click.pass_context
@exits
def rotate(ctx: click.Context, json_wanted: bool) -> None:
    """Let a new key sign the service's own access tokens; the old one verifies for an hour.

    Example: gateway clients rotate
    """
    from gateway.adapters.web_keys import open_web_keys

    opened = open_store(ctx)
    fresh = open_web_keys(open_settings(ctx), at=opened.at).rotate(opened.at)
    emit({"key": fresh.kid}, json_wanted, [f"Access tokens are signed by key {fresh.kid} now."])


def _state(client: Any) -> str:
    if client.revoked:
        return "revoked"
    return "in use" if client.admitted else "asked"


def _asked(opened: Opened, client: str, kid: str) -> tuple[str, list[str]]:
    """Whether a key waits now, and who is to do what."""
    from gateway.adapters import clients as programs

    with opened.database.read() as connection:
        if kid not in dict(programs.known(connection, client).waiting):
            return "granted", []
    return "asked", [
        f"It serves once another person runs `gateway clients confirm {client} --as NAME`."
    ]


def _desk(opened: Opened, acting: str) -> Any:
    from gateway.adapters.account_desk import AccountDesk
    from gateway.adapters.passwords import Passwords

    return AccountDesk(opened.database, acting=acting, at=opened.at, passwords=Passwords())
