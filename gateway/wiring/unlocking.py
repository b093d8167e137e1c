"""The key ring, unlocked while the rest of a command is still being loaded.

Deriving the wrapping key takes its time by design, and needs nothing but the header
and the passphrase: a thread does it beside the imports.

Source: docs/adr/0217-release-on-two-cores.md; security point 7.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError


def unlock_ahead(settings: Settings) -> threading.Thread | None:
    """Begin to unlock the ring, where that asks nobody anything.

    Whoever unlocks it afterwards waits for the same derivation, and meets what is
    wrong with the ring or the passphrase as if there had been no beginning.

    Returns:
        The thread, or None where the passphrase is typed.
    """
    if settings.passphrase_file is None:
        return None
    thread = threading.Thread(target=_unlock, args=(settings,), daemon=True)
    thread.start()
    return thread


def _unlock(settings: Settings) -> None:
    with suppress(GatewayError, OSError):
        open_ring(settings).unlock()
