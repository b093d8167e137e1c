"""The ways in which the gateway says no to broken input or a broken world.

    GatewayError                 code, facts, sentence, remedy, exit code
    ├── UsageError          2    a wrong command, agreement or dataset
    ├── RefusedError        3    a policy, a limit or a role forbids it
    ├── InputRejected       4    a partner's file cannot be taken in
    ├── HeldForPerson       5    a person has to look before it goes on
    ├── IntegrityError      6    a signature, digest or proof does not verify
    └── Unavailable         7    a store, key, passphrase, ledger or disk is not there or not safe

An expected "no" is a value (`Refusal`, `TooRisky`), not one of these. No error
carries a person's value: facts name rows, columns, rules, clauses and counts.

Source: UK GDPR Art 5(1)(f); docs/reference/errors.md lists every code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

Fact = str | int
# What nobody can mend who uses the gateway.
REPORT = "This is a fault of the gateway itself: report it with this code."
# Bytes that were changed, or are of something else.
NOT_BELIEVED = "Nothing of it is believed: restore the ledger from its backup, or ask for it again."


class GatewayError(Exception):
    """A fault with a stable code, structured facts, a sentence and a remedy."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, sentence: str, *, remedy: str = "", **facts: Fact) -> None:
        """Say what is wrong, where, and what to do.

        Args:
            code: `room/what`, stable, for programs.
            sentence: what is wrong, in one sentence without any person's value.
            remedy: what to do about it, in one sentence.
            facts: rows, columns, rules, clauses, counts: never a value.
        """
        super().__init__(f"{code}: {sentence}{' ' + remedy if remedy else ''}")
        self.code = code
        self.sentence = sentence
        self.remedy = remedy
        self.facts: Mapping[str, Fact] = dict(facts)

    def about(self, **facts: Fact) -> Self:
        """Add where it happened, and give it back to be raised."""
        self.facts = {**self.facts, **facts}
        return self


class UsageError(GatewayError):
    """The command, agreement, dataset or name does not exist as it was given."""

    exit_code = 2


class RefusedError(GatewayError):
    """A policy, a limit or the permission table forbids it."""

    exit_code = 3


class InputRejected(GatewayError):
    """A file cannot be taken in as it is."""

    exit_code = 4


class HeldForPerson(GatewayError):
    """The work waits until a person has looked."""

    exit_code = 5


class IntegrityError(GatewayError):
    """A signature, digest, form or proof does not verify; nothing was written."""

    exit_code = 6


class Unavailable(GatewayError):
    """A store, key, passphrase, ledger or disk is not available or not safe."""

    exit_code = 7


def listed(what: str, names: Iterable[str]) -> str:
    """Say which names there are, for the remedy of one that is unknown."""
    known = ", ".join(sorted(names))
    return f"{what} are: {known}." if known else f"There are no {what.lower()} yet."
