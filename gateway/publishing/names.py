"""What published documents call the things of the gateway: one URN for each.

They are names and no addresses: nobody resolves them, and two documents that name the
same party, purpose or column name it alike.

Source: RFC 8141; docs/adr/0322-what-exports-call-things.md.
"""

from __future__ import annotations

import string

# What RFC 8141 lets stand as it is in a name; a colon parts one name from the next.
_KEPT = frozenset(string.ascii_letters + string.digits + "-._~!$'()*+,;=@")


def urn(kind: str, *names: str | int) -> str:
    """The name of one thing: its kind, then whatever tells it from its like."""
    return ":".join(("urn:gateway", kind, *(_escaped(str(name)) for name in names)))


def _escaped(name: str) -> str:
    return "".join(
        each if each in _KEPT else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in name
    )
