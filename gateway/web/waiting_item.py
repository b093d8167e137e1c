"""One thing that waits for a person.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from dataclasses import dataclass


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
