"""Roots as types: one kind where another is expected is refused, whatever its bytes.

Source: docs/reference/keys.md, "Kinds"; security point 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.errors import REPORT, UsageError

ROOT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """32 bytes that are never shown."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != ROOT_BYTES:
            raise UsageError("identity/key-length", "A key has exactly 32 bytes.", remedy=REPORT)


class StudyRoot(Secret):
    """The random root of one study and epoch."""

    __slots__ = ()


class ControllerRoot(Secret):
    """The random root of one controller's pseudonyms."""

    __slots__ = ()


class RegisterRoot(Secret):
    """The random root of one controller's register of objections."""

    __slots__ = ()
