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
    people; afterwards an administrator does, named with --as.

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
    document = {"operator": name, "roles": sorted(set(roles)), "key": key, "public": public}
    emit(document, json_wanted, [f"{name}: {', '.join(sorted(set(roles)))}. Key {key}: {public}"])


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
    rows = [
        {
            "operator": person.name,
            "roles": [
                {"role": role.value, "controller": controller}
                for role, controller in sorted(person.roles)
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
                    f"{role} of {controller}" if controller else role.value
                    for role, controller in sorted(person.roles)
                ),
                person.keys[-1][1] if person.keys else "",
            )
            for person in found
        ),
    )
    emit({"operators": rows}, json_wanted, [shown])
