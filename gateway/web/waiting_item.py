"""One thing that waits for a person, and the things of one kind.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.permissions import PERMISSIONS, Action, barred, permits
from gateway.web.callers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that waits: what it is, since when, who began it, and where it is settled.

    `people` are those who may settle it where not everybody of its roles may.
    """

    text: str
    hint: str = ""
    since: str = ""
    by: str = ""
    href: str = ""
    people: frozenset[str] | None = None

    def is_for(self, name: str) -> bool:
        """Whether somebody of its roles may settle it: nobody what they began themselves."""
        return name != self.by and (self.people is None or name in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Things of one kind, and the act that settles them.

    `whom` says for whom they wait where the roles of the act would say too much.
    """

    name: str
    action: Action
    items: tuple[Item, ...]
    how: str = ""
    whom: str = ""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may settle them."""
        return tuple(sorted(PERMISSIONS.get(self.action, frozenset())))

    def of(self, caller: Caller) -> tuple[Item, ...]:
        """Those that the caller may settle now."""
        if barred(self.action, caller.owes) or not permits(self.action, caller.roles):
            return ()
        return tuple(item for item in self.items if item.is_for(caller.name))
