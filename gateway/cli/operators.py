"""`gateway operators`: people with personal keys and roles.

Source: security points 1, 3, 4; docs/reference/keys.md.
"""

from __future__ import annotations

import click

from gateway.cli.common import as_option, emit, exits, json_option, open_store, table
from gateway.model.words import PartyRole


@click.group()
def operators() -> None:
    """People with roles and personal keys; `--as NAME` elsewhere says who acts.

    Example: gateway operators add ana --role editor
    """


@operators.command("add")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in PartyRole]),
    help="A role; may be given several times.",
)
@click.option(
    "--controller",
    "controllers",
    multiple=True,
    help="The controller that the roles are for; needed by approvers.",
)
@click.option("--as", "acting", metavar="ADMIN", default="", help="The administrator who acts.")
@json_option
@click.pass_context
@exits
def add(
    ctx: click.Context,
    name: str,
    roles: tuple[str, ...],
    controllers: tuple[str, ...],
    acting: str,
    json_wanted: bool,
) -> None:
    """Add a person with roles, and make their personal signing key.

    Until somebody is an administrator, whoever opens the key ring may add
    people; afterwards an administrator does, named with --as. Once there has been a
    second administrator, new roles wait until another person confirms them. A role that
    was taken from somebody is given back to them in the same way.

    Example: gateway operators add ben --role approver --controller trafford-council --as ada
    """
    from gateway.adapters.operator_desk import add_operator

    opened = open_store(ctx)
    added = add_operator(
        opened.ring,
        opened.database,
        name,
        roles=[(PartyRole(role), owner) for role in roles for owner in controllers or ("",)],
        acting=acting,
        at=opened.at,
    )
    key, public = added.keys[-1]
    granted = set(roles) <= {role.value for role, _ in added.roles}
    document = {
        "operator": name,
        "roles": sorted(set(roles)),
        "state": "granted" if granted else "asked",
        "key": key,
        "public": public,
    }
    lines = [f"{name}: {', '.join(sorted(set(roles)))}. Key {key}: {public}"]
    if not granted:
        lines.append(f"Another person runs `gateway operators confirm {name} --as NAME`.")
    emit(document, json_wanted, lines)


@operators.command("confirm")
@click.argument("name")
@as_option
@json_option
@click.pass_context
@exits
def confirm(ctx: click.Context, name: str, acting: str, json_wanted: bool) -> None:
    """Let roles count that an administrator has asked for: granting takes two people.

    Example: gateway operators confirm ben --as bea
    """
    from gateway.adapters.operator_desk import confirm_roles

    opened = open_store(ctx)
    now = confirm_roles(opened.database, name, acting=acting, at=opened.at)
    roles = sorted(now.role_words())
    emit({"operator": name, "roles": roles}, json_wanted, [f"{name}: {', '.join(roles)}."])


@operators.command("revoke")
@click.argument("name")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in PartyRole]),
    help="The role to take away, for every controller.",
)
@as_option
@json_option
@click.pass_context
@exits
def revoke(ctx: click.Context, name: str, role: str, acting: str, json_wanted: bool) -> None:
    """Take a role from a person; it ends with their next act.

    Example: gateway operators revoke ben --role approver --as ada
    """
    from gateway.adapters.operator_desk import revoke_role

    opened = open_store(ctx)
    left = revoke_role(opened.database, name, PartyRole(role), acting=acting, at=opened.at)
    roles = sorted(left.role_words())
    line = f"{name} is no {role} any more. Roles left: {', '.join(roles) or 'none'}."
    emit({"operator": name, "roles": roles}, json_wanted, [line])


@operators.command("list")
@json_option
@click.pass_context
@exits
def list_all(ctx: click.Context, json_wanted: bool) -> None:
    """List operators, their roles and the public halves of their keys.

    Example: gateway operators list --json
    """
    from gateway.adapters import operators as people

    opened = open_store(ctx)
    with opened.database.begin() as connection:
        found = people.listed(connection)
        waiting = {person.name: people.asked(connection, person.name) for person in found}
    rows = [
        {
            "operator": person.name,
            "roles": [
                {"role": role.value, "controller": controller}
                for role, controller in sorted(person.roles)
            ],
            "asked": [
                {"role": role.value, "controller": controller, "asked_by": by}
                for role, controller, by in waiting[person.name]
            ],
            "keys": [{"key": key, "public": public} for key, public in person.keys],
        }
        for person in found
    ]
    shown = table(
        ("Operator", "Roles", "Newest key"),
        (
            (
                person.name,
                ", ".join(
                    [
                        *(_role(role, to) for role, to in sorted(person.roles)),
                        *(f"{_role(role, to)} (asked)" for role, to, _ in waiting[person.name]),
                    ]
                ),
                person.keys[-1][1] if person.keys else "",
            )
            for person in found
        ),
    )
    emit({"operators": rows}, json_wanted, [shown])


def _role(role: PartyRole, controller: str) -> str:
    return f"{role} of {controller}" if controller else role.value
