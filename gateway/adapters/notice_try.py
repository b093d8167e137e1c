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
        "notices/out-of-reach": "The mail server or the webhook did not answer. "
        "Check its address in the settings, and the way there.",
        "notices/certificate": "Its certificate is not of an authority that is believed, or is "
        "another host's. Name its authority in GATEWAY_NOTICE_CA_FILE, or "
        "the host as it is certified.",
        "notices/no-tls": "The mail server offers no TLS, or not the sign-in that is set. "
        "Check GATEWAY_SMTP_PORT, GATEWAY_SMTP_TLS and GATEWAY_SMTP_USER.",
        "notices/sign-in-refused": "The mail server does not know the name and password. "
        "Check GATEWAY_SMTP_USER and its password file.",
        "notices/address-refused": "The mail server does not take this person's address. "
        "Have the address corrected under Your account.",
        "notices/refused": "The mail server or the webhook did not take the notice. "
        "Its own log says why.",
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
