"""A process that holds keys leaves no core file and, where it may, no swap.

Source: security point 7; Linux prctl(2), mlock(2), setrlimit(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import secrets

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


def harden_process() -> dict[str, bool]:
    """Turn core files off and lock memory where the system lets us.

    Memory is locked only where no limit could later make an allocation fail: a
    gateway killed in mid-release is worse than a page in encrypted swap.

    Returns:
        What was reached: `no_core`, `not_dumpable`, `locked`; `doctor` shows it.

    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return {
        "no_core": resource.getrlimit(resource.RLIMIT_CORE)[0] == 0,
        "not_dumpable": _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0),
        "locked": _may_lock() and _call("mlockall", _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT),
    }


def spill_key() -> bytes:
    """Draw 32 bytes for this process's spill files; they are never written down."""
    return secrets.token_bytes(32)


def _may_lock() -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return soft == resource.RLIM_INFINITY or os.geteuid() == 0


def _call(name: str, *arguments: int) -> bool:
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return False
    return bool(function(*arguments) == 0)
