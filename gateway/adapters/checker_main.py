"""The checker process: shuts itself in, then reads one file and answers.

It starts with nothing but three pipes and a spill file without a name. Before it
reads a byte of the partner's it gives up network, new privileges, core files and
all but a set amount of memory and time. Whatever goes wrong in it is answered by
the name of a class, because a message may quote a person's value.

Source: security point 11; docs/explanation/architecture.md, "Processes".
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from typing import Any, Final

OUT_OF_MEMORY: Final = 97

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


def main() -> None:
    """Confine the process, check one file from standard input, answer on standard output."""
    memory, cpu_seconds, largest_file, spill = map(int, sys.argv[2:6])
    isolated = confine(memory=memory, cpu_seconds=cpu_seconds, largest_file=largest_file)
    os.environ["POLARS_MAX_THREADS"] = "2"
    try:
        _check(spill, isolated=isolated)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BaseException as fault:  # noqa: BLE001 - a panic of a library is no Exception
        _answer(b"X", type(fault).__name__.encode())
    # Leave at once: nothing is to be flushed, and no thread is waited for.
    os._exit(0)


def _check(spill: int, *, isolated: bool) -> None:
    from gateway import intake
    from gateway.adapters.checker_stream import Pass, check_stream

    source = sys.stdin.buffer
    order: dict[str, Any] = json.loads(_exactly(_length()))
    with os.fdopen(spill, "w+b") as file:
        outcome = check_stream(
            source.read,
            Pass(
                contract=intake.read_contract(json.dumps(order["contract"])),
                known=order["known"],
                seed=order["seed"],
                spill=file,
                accepted=lambda frame: _answer(b"A", frame),
                failing=lambda frame: _answer(b"F", frame),
            ),
        )
    verdict = {**outcome.verdict.document(), "isolated": isolated}
    if verdict["state"] != intake.REJECTED and outcome.left_out.size:
        _answer(b"L", outcome.left_out.tobytes())
    _answer(b"V", json.dumps(verdict).encode())


def _length() -> int:
    return int(struct.unpack(">I", _exactly(4))[0])


def _exactly(size: int) -> bytes:
    octets = sys.stdin.buffer.read(size)
    if len(octets) != size:
        raise EOFError
    return octets


def _answer(tag: bytes, octets: bytes) -> None:
    for part in (tag + struct.pack(">I", len(octets)), octets):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(1, rest) :]
