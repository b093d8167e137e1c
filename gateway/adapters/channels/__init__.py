"""Channels: how a sealed package travels to a recipient, and what a try has shown.

Each brings the same bytes as often as it is asked to; the recipient takes them once.

Source: security point 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import Unavailable

_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}/[a-z][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is to be brought, and where: `target` is the recipient's approved delivery."""

    path: Path
    package: str
    digest: str
    recipient: str
    target: Mapping[str, str]
    keys: Path | None

    def key_file(self, name: str) -> Path:
        """The file of our secret for this recipient.

        Raises:
            Unavailable: no folder of such files is set.
        """
        if self.keys is None:
            raise Unavailable(
                "delivery/no-keys",
                "No folder of keys for deliveries is set.",
                remedy="Set GATEWAY_DELIVERY_KEYS to a folder with one folder for each recipient.",
            )
        return self.keys / self.recipient / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one try has shown.

    `arrived` is None where nobody knows; `final` says that no later try will do better.
    """

    arrived: bool | None
    code: str = ""
    receipt: str = ""
    final: bool = False


# The first of these that a fault is, or came from, says why nobody was reached.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "delivery/name-not-found"),
    (ConnectionRefusedError, "delivery/nobody-listens"),
    (TimeoutError, "delivery/no-answer"),
    (ssl.SSLCertVerificationError, "delivery/certificate-not-believed"),
)


def why_unreached(fault: BaseException) -> str:
    """Why a server was out of reach, as a code; nothing of the fault's text is kept."""
    faults = tuple(_origins(fault))
    found = (code for kind, code in _REASONS for each in faults if isinstance(each, kind))
    return next(found, "delivery/out-of-reach")


def _origins(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def known_code(code: str) -> str:
    """A code from elsewhere, if it has the form of one."""
    return code if _CODE.fullmatch(code) else "delivery/refused"
