"""The last two stages of the way out: packages, which hold no frame any more.

Source: docs/explanation/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """Packages, signed and encrypted, not yet on their way. Maker: `sealing.seal`."""

    package: str
    output: str
    recipient: str
    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """Packages whose dispatch stands in the ledger. Maker: `ledger.record`."""

    release: str
    packages: tuple[Sealed, ...]
