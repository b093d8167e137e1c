"""One release as the ledger tells it: its entries in order, and what is asked of them.

Source: docs/reference/ledger.md; requirement N17.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.ledger.entries import Entry

Manifest = Mapping[str, Any]
Manifests = Sequence[Manifest]


class Outcome(StrEnum):
    """Whether a promise was kept."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_YET = "not-yet"
    DOES_NOT_APPLY = "does-not-apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry of the ledger with its place."""

    index: int
    entry: Entry

    def fact(self, name: str) -> str | int:
        """A fact of it; "" where it has none of that name."""
        return self.entry.facts.get(name, "")

    @property
    def people(self) -> frozenset[str | int]:
        """Who did it; of a proposal, whoever wrote of the text as well."""
        wrote = str(self.fact("editors"))
        return frozenset({self.fact("operator"), *(wrote.split(",") if wrote else ())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One promise: the notice's words, what came of it, why, and which entries show it."""

    promise: str
    words: str
    outcome: Outcome
    because: str
    evidence: tuple[int, ...]


class Story:
    """The entries of one release, its policy and its keys, in the order of the log."""

    def __init__(self, entries: Sequence[Told], release: str) -> None:
        """Order what is known of one release."""
        self.entries = sorted(entries, key=lambda told: told.index)
        self.release = release

    def every(self, event: str, **facts: str | int) -> list[Told]:
        """The entries of an event with these facts."""
        return [
            told
            for told in self.entries
            if told.entry.event == event
            and all(told.fact(name) == value for name, value in facts.items())
        ]

    def own(self, event: str) -> list[Told]:
        """The entries of an event that name this release."""
        return self.every(event, release=self.release)

    @property
    def decided(self) -> Told | None:
        """The decision."""
        return next(iter(self.own("release-decided")), None)

    @property
    def recorded(self) -> Told | None:
        """The record of the dispatch."""
        return next(iter(self.own("release-recorded")), None)

    @property
    def digest(self) -> str:
        """The policy digest that the release was decided by."""
        return str(self.decided.fact("policy_digest")) if self.decided else ""


Answer = tuple[Outcome, str, list[Told]]


def counted(number: int, one: str) -> str:
    """A number with its word, in the plural where there is more than one."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
