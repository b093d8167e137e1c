"""What the checking and the judging process give up before they work, for good.

Imports nothing but the standard library: it runs before anything else is loaded.

Source: security point 11; docs/reference/contracts.md, "The checker" and "Judgement"; prctl(2).
"""

from __future__ import annotations

import ctypes
import resource
import signal

_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


def confine(*, memory: int, cpu_seconds: int, largest_file: int) -> bool:
    """Give up what the work does not need, for good.

    Args:
        memory: bytes of private memory.
        cpu_seconds: processor time of all threads.
        largest_file: bytes that may be written to any file.

    Returns:
        Whether the process has a network of its own, with nothing in it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    isolated: bool = (
        libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC) == 0 or libc.unshare(_NEW_NET | _NEW_IPC) == 0
    )
    for name, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, largest_file),
        (resource.RLIMIT_NOFILE, 64),
    ):
        # The processor's soft limit sends SIGXCPU, by which the parent knows the reason.
        resource.setrlimit(name, (amount, amount + (name == resource.RLIMIT_CPU)))
    return isolated
