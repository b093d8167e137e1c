"""The checker process: shuts itself in, then reads one file and answers.

It starts with nothing but three pipes and a spill file without a name. Before it
reads a byte of the partner's it gives up network, new privileges, core files and
all but a set amount of memory and time. Whatever goes wrong in it is answered by
the name of a class, because a message may quote a person's value.

Source: security point 11; docs/reference/contracts.md, "The checker".
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import Any, Final

from gateway.adapters.confinement import confine

OUT_OF_MEMORY: Final = 97


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
