"""Every route with the guard that it states, for the documentation and the tests.

Source: security point 1; docs/explanation/service.md, "Callers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from gateway.model.permissions import PERMISSIONS
from gateway.model.words import PartyRole
from gateway.web.guards import Guard, guard_of
from gateway.web.routes import blueprints

_WITHOUT_EFFECT = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in: where, how, and who may."""

    path: str
    method: str
    endpoint: str
    guard: Guard

    @property
    def roles(self) -> frozenset[PartyRole]:
        """The roles that the permission table lets in; none where the route is open."""
        if self.guard.action is None:
            return frozenset()
        return PERMISSIONS.get(self.guard.action, frozenset())

    @property
    def for_every_role(self) -> bool:
        """Whether nobody who is known is kept out."""
        return self.roles == frozenset(PartyRole)


def stated() -> tuple[Route, ...]:
    """The routes of every blueprint, without a data directory."""
    app = Flask("gateway.web", static_folder=None)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    return routes_of(app)


def routes_of(app: Flask) -> tuple[Route, ...]:
    """The routes of an application, by path and method.

    Raises:
        RuntimeError: a route states no guard.
    """
    return tuple(sorted(_routes(app), key=lambda route: (route.path, route.method)))


def _routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        guard = guard_of(app, rule.endpoint)
        if guard is None:
            raise RuntimeError(f"The route {rule.endpoint} states no guard.")
        methods = rule.methods or set()
        # HEAD and OPTIONS come with every GET; a rule for OPTIONS alone has a guard of its own.
        for method in sorted(methods if methods == {"OPTIONS"} else methods - _WITHOUT_EFFECT):
            yield Route(path=rule.rule, method=method, endpoint=rule.endpoint, guard=guard)
