"""What stands in a process's memory: every readable mapping, searched for needles."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

BLOCK = 4 << 20
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")


def blocks(process: int, overlap: int) -> Iterator[bytes]:
    """The readable memory of a process; blocks overlap, so that nothing hides between two."""
    maps = Path(f"/proc/{process}/maps").read_text().splitlines()
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        for line in maps:
            found = MAPPING.match(line)
            if found is None or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            place, end = int(found[1], 16), int(found[2], 16)
            while place < end:
                # A mapping may go while we read.
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    memory.seek(place)
                    yield memory.read(min(BLOCK + overlap, end - place))
                place += BLOCK


def sightings(process: int, needles: Mapping[bytes, str]) -> set[str]:
    """The names of the needles that stand in a process's memory, never a needle itself."""
    longest = max(len(needle) for needle in needles)
    return {
        name
        for block in blocks(process, longest)
        for needle, name in needles.items()
        if needle in block
    }
