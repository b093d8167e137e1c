"""`gateway accounts`: who may sign in, for a partner or as one of the council's own.

Source: security points 1, 4; docs/how-to/add-partners-and-staff.md.
"""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.common import Opened, as_option, emit, exits, json_option, open_store, table


@click.group()
def accounts() -> None:
    """People who may sign in: partners' and recipients' by party, staff by operator.

    Example: gateway accounts add police-desk --party greater-manchester-police \
--role uploader --as ada
    """


@accounts.command("add")
@click.argument("login")
@click.option("--operator", default="", help="The operator whose roles the account has.")
@click.option("--party", default="", help="The party of the policies that it acts for.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["uploader", "recipient"]),
    help="A role of a party's account; may be given twice.",
)
@as_option
@json_option
@click.pass_context
@exits
def add(
    ctx: click.Context,
    login: str,
    operator: str,
    party: str,
    roles: tuple[str, ...],
    acting: str,
    json_wanted: bool,
) -> None:
    """Add an account and print its first password, once.

    The login is a pseudonymous id, as an operator's name is; write down elsewhere
    who it belongs to. The first password serves for seven days; its owner chooses
    another at once and sets up an authenticator. Once there has been a second
    administrator, nobody signs in by it until another person has confirmed it.

    Example: gateway accounts add ada --operator ada --as ada
    """
    from gateway.adapters.accounts import Binding
    from gateway.model.words import PartyRole

    binding = Binding(
        operator=operator, party=party, roles=frozenset(PartyRole(role) for role in roles)
    )
    opened = open_store(ctx)
    first = _desk(opened, acting).add(login, binding)
    _told_first(opened, login, first, json_wanted)


@accounts.command("confirm")
@click.argument("login")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, login: str, acting: str, json_wanted: bool) -> None:
    """Let an account be used that another administrator has added, reset or bound.

    Ask its owner, over another channel, whether they expect it.

    Example: gateway accounts confirm police-desk --as bea
    """
    confirmed = _desk(open_store(ctx), acting).confirm(login)
    ways = [asked.way.value for asked in confirmed]
    line = f"{login} may be used. Confirmed: {', '.join(ways)}."
    emit({"login": login, "confirmed": ways}, json_wanted, [line])


@accounts.command("reset")
@click.argument("login")
@as_option
@json_option
@click.pass_context
@exits
def reset(ctx: click.Context, login: str, acting: str, json_wanted: bool) -> None:
    """Give a new first password, and let the second factor be set up anew.

    Do this only for somebody whom you know to be the account's owner. Once there has
    been a second administrator, another person confirms it.

    Example: gateway accounts reset police-desk --as ada
    """
    opened = open_store(ctx)
    first = _desk(opened, acting).reset(login)
    _told_first(opened, login, first, json_wanted)


@accounts.command("disable")
@click.argument("login")
@as_option
@json_option
@click.pass_context
@exits
def disable(ctx: click.Context, login: str, acting: str, json_wanted: bool) -> None:
    """Close an account for good; its sessions end with their next request.

    Example: gateway accounts disable police-desk --as ada
    """
    _desk(open_store(ctx), acting).disable(login)
    emit({"login": login, "disabled": True}, json_wanted, [f"{login} is closed."])


@accounts.command("bind")
@click.argument("login")
@click.option("--subject", required=True, help="The provider's `sub` of the account's owner.")
@as_option
@json_option
@click.pass_context
@exits
def bind(ctx: click.Context, login: str, subject: str, acting: str, json_wanted: bool) -> None:
    """Let somebody sign in by the OpenID Connect provider of the settings.

    Once there has been a second administrator, another person confirms it.

    Example: gateway accounts bind ada --subject 4f1c9e --as ada
    """
    from gateway.errors import UsageError

    opened = open_store(ctx)
    issuer = opened.settings.oidc_issuer
    if not issuer:
        raise UsageError(
            "accounts/no-provider",
            "There is no OpenID Connect provider to bind an account to.",
            remedy="Set GATEWAY_OIDC_ISSUER first.",
        )
    _desk(opened, acting).bind(login, issuer=issuer, subject=subject)
    state, more = _asked(opened, login)
    line = f"{login} may sign in by {issuer}."
    document = {"login": login, "issuer": issuer, "bound": True, "state": state}
    emit(document, json_wanted, [line, *more])


@accounts.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List accounts, for whom they act, and whether they are set up.

    Example: gateway accounts list --json
    """
    from gateway.adapters import accounts as people
    from gateway.adapters import asked_access

    with open_store(ctx).database.read() as connection:
        found = people.listed(connection)
        waiting = asked_access.waiting(connection, asked_access.OF_ACCOUNTS)
    rows: list[dict[str, Any]] = [
        {
            "login": one.login,
            "operator": one.operator,
            "party": one.party,
            "roles": sorted(one.roles),
            "state": _state(one),
            "asked": [
                {"what": asked.way.value, "asked_by": asked.asked_by}
                for asked in waiting
                if asked.owner == one.login
            ],
        }
        for one in found
    ]
    cells = (
        (
            *(row["login"], row["operator"] or row["party"], ", ".join(row["roles"]), row["state"]),
            ", ".join(f"{asked['what']} by {asked['asked_by']}" for asked in row["asked"]),
        )
        for row in rows
    )
    shown = table(("Login", "Acts for", "Roles", "State", "Asked"), cells)
    emit({"accounts": rows}, json_wanted, [shown])


def _state(account: Any) -> str:
    if account.disabled:
        return "closed"
    if account.waits:
        return "asked"
    if account.first_until is not None or not account.has_factor:
        return "not set up yet"
    return "in use"


def _desk(opened: Opened, acting: str) -> Any:
    from gateway.adapters.account_desk import AccountDesk
    from gateway.adapters.passwords import Passwords

    return AccountDesk(opened.database, acting=acting, at=opened.at, passwords=Passwords())


def _asked(opened: Opened, login: str) -> tuple[str, list[str]]:
    """Whether something of an account waits now, and who is to do what."""
    from gateway.adapters import asked_access

    with opened.database.read() as connection:
        if not asked_access.waiting(connection, asked_access.OF_ACCOUNTS, owner=login):
            return "granted", []
    return "asked", [
        f"It counts once another person runs `gateway accounts confirm {login} --as NAME`."
    ]


def _told_first(opened: Opened, login: str, first: str, json_wanted: bool) -> None:
    lines = [
        f"{login}: first password {first}",
        "It is shown this once, and serves for seven days. Give it to the account's owner in "
        "person or by telephone, not together with the login.",
    ]
    state, more = _asked(opened, login)
    document = {"login": login, "first_password": first, "days": 7, "state": state}
    emit(document, json_wanted, [*lines, *more])
