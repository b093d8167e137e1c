"""What came of one try to send a notice.

Source: docs/how-to/tell-people.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# Seconds that one try may take as a whole; whoever claims a notice has it for longer.
WHOLE: Final = 60.0

# What stops a notice, as a person reads it.
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "notices/out-of-reach": "The mail server or the webhook did not answer.",
        "notices/certificate": "Its certificate is not of an authority that is believed, or is "
        "another host's (GATEWAY_NOTICE_CA_FILE).",
        "notices/no-tls": "The mail server offers no TLS, or not the sign-in that is set.",
        "notices/sign-in-refused": "The mail server does not know the name and password.",
        "notices/address-refused": "The mail server does not take this person's address.",
        "notices/refused": "The mail server or the webhook did not take the notice.",
        "notices/unforeseen": "The gateway itself failed at it; the worker's log says where.",
    }
)


@dataclass(frozen=True, slots=True)
class Try:
    """A code where it failed, and whether another try is of no use."""

    code: str = ""
    final: bool = False

    @property
    def sent(self) -> bool:
        """Whether the other side has taken it."""
        return not self.code
