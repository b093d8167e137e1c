"""The limited process in which a partner's file is opened, seen from the gateway.

The gateway itself never parses what a partner sent: it hands bytes in, passes
frames of accepted columns on to the sealer without looking, and reads a verdict.
A child that breaches a limit, or dies of what it reads, leaves the gateway unharmed
and the extract rejected; one that was killed says nothing of the file, and no more does
the gateway.

Source: security points 11 and 12; docs/reference/contracts.md, "The checker".
"""

from __future__ import annotations

import functools
import json
import secrets
import signal
import struct
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO, Final, Self

from gateway import intake
from gateway.adapters.checker_main import OUT_OF_MEMORY
from gateway.adapters.children import Child, Limits, checker_child
from gateway.errors import Unavailable
from gateway.intake import Finding, Verdict
from gateway.model import Contract

_PIPE_BYTES: Final = 1 << 20


Sink = Callable[[bytes], None]


class Checker:
    """Checks one file after another, each in a child of its own.

    A child is started ahead, so that it is ready when a file comes.
    """

    def __init__(self, limits: Limits | None = None, *, started: Child | None = None) -> None:
        """Start the first child.

        Args:
            limits: of each child.
            started: a child that runs under the usual limits already.
        """
        self._limits = limits or Limits()
        self._ready: Child | None = started or checker_child(self._limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child that waits."""
        if self._ready is not None:
            self._ready.end()
            self._ready = None

    def check(
        self,
        source: BinaryIO,
        contract: Contract,
        *,
        known_columns: Collection[str],
        sink: Sink,
        failing: Sink | None = None,
        left_out: Sink | None = None,
    ) -> Verdict:
        """Check one file.

        Which rows repeat a value that must be unique is known only at the end, when
        they have gone to `sink`: their places then go to `left_out`, and whoever
        reads the accepted rows leaves them out. Without it the whole extract is
        quarantined.

        Args:
            source: the file.
            contract: what it must follow.
            known_columns: column names of all published contracts.
            sink: takes frames of accepted columns (u32 big-endian length, one
                block; a zero length ends them). What it took of an extract
                that is rejected is to be thrown away.
            failing: takes frames of failing rows: `row` (from 1) and `rule` (its
                number among `verdict.rules`).
            left_out: takes once the places (from 0, u32 little-endian, ascending)
                among the accepted rows that are none after all.

        Raises:
            UsageError: the contract asks for a form that does not exist.
            Unavailable: the child was killed, by the machine or by somebody.
        """
        intake.rules_of(contract)
        outlets = (sink, failing or _nowhere)
        verdict, places = self._pass(source, _order(contract, known_columns), outlets)
        if places and left_out is None:
            verdict = _held(verdict)
        elif places and left_out is not None:
            left_out(places)
        if verdict.state != intake.REJECTED:
            sink(struct.pack(">I", 0))
        return verdict

    def _pass(
        self, source: BinaryIO, order: bytes, outlets: tuple[Sink, Sink]
    ) -> tuple[Verdict, bytes]:
        child, self._ready = self._ready or checker_child(self._limits), None
        try:
            return _Run(child, self._limits).check(source, order, outlets)
        finally:
            child.end()


def _order(contract: Contract, known: Collection[str]) -> bytes:
    document = {
        "contract": json.loads(intake.contract_json(contract)),
        "known": sorted(known),
        "seed": secrets.randbits(64),
    }
    order = json.dumps(document).encode()
    return struct.pack(">I", len(order)) + order


class _Run:
    """One file in one process."""

    def __init__(self, child: Child, limits: Limits) -> None:
        self._limits, self._child = limits, child
        self._process, self._in, self._out = child.process, child.input, child.output
        self._breach = ""
        self._unread: Exception | None = None
        self._taken = 0

    def check(
        self, source: BinaryIO, order: bytes, outlets: tuple[Sink, Sink]
    ) -> tuple[Verdict, bytes]:
        feeder = threading.Thread(target=self._feed, args=(source, order), daemon=True)
        late = functools.partial(self._breached, "time")
        with self._child.killed_after(self._limits.wall_seconds, told=late):
            feeder.start()
            try:
                return self._listen(outlets)
            finally:
                self._process.kill()
                feeder.join()
                if self._unread is not None:
                    # What could not be read to its end is no extract, whatever the child thought.
                    raise self._unread

    def _listen(self, outlets: tuple[Sink, Sink]) -> tuple[Verdict, bytes]:
        places = b""
        for tag, octets in self._answers():
            if tag == b"A":
                outlets[0](octets)
            elif tag == b"F":
                outlets[1](octets)
            elif tag == b"L":
                places = octets
            elif tag == b"V":
                return intake.read_verdict(json.loads(octets)), places
            else:
                return _fault(octets.decode("ascii", "replace")), b""
        return self._died(), b""

    def _answers(self) -> Iterator[tuple[bytes, bytes]]:
        while len(head := self._out.read(5)) == 5:
            size = struct.unpack(">I", head[1:])[0]
            self._taken += size
            if self._taken > self._limits.output:
                self._breached("output")
                self._process.kill()
                return
            octets = self._out.read(size)
            if len(octets) != size:
                return
            yield head[:1], octets

    def _feed(self, source: BinaryIO, order: bytes) -> None:
        # The child may stop reading at the first fault: then the pipe is closed.
        with suppress(BrokenPipeError):
            self._in.write(order)
            while block := self._block(source):
                self._in.write(block)
            if self._unread is None:
                self._in.close()
            else:
                self._process.kill()

    def _block(self, source: BinaryIO) -> bytes:
        try:
            return source.read(_PIPE_BYTES)
        except Exception as fault:  # noqa: BLE001 - it is raised where the check was asked for
            self._unread = fault
            return b""

    def _breached(self, limit: str) -> None:
        self._breach = self._breach or limit

    def _died(self) -> Verdict:
        code = self._process.wait()
        if self._breach:
            return _limit(self._breach)
        if code == -signal.SIGXCPU:
            return _limit("time")
        if code == -signal.SIGXFSZ:
            return _limit("output")
        if code == -signal.SIGKILL:
            # Not by us: nobody has checked the file, and nothing is known of it.
            raise Unavailable(
                "intake/no-check",
                "The process that checks the file was killed before it had an answer.",
                remedy="Nothing was stored. Free memory on this machine, then send the file again.",
            )
        if code in (OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGSEGV):
            return _limit("memory")
        return _fault(f"exit {code}")


def _limit(name: str) -> Verdict:
    return intake.rejected(Finding(code="intake/checker-limit", hint=name))


def _fault(name: str) -> Verdict:
    return intake.rejected(Finding(code="intake/checker-fault", hint=name))


def _held(verdict: Verdict) -> Verdict:
    return replace(verdict, state=intake.QUARANTINED, accepted=0, quarantined=verdict.rows)


def _nowhere(_frame: bytes) -> None:
    """Take nothing."""
