"""Run one scenario on a disk of its own: small, or read-only, mounted for this process alone.

    unshare --map-root-user --mount python -m tests.faults.small_disk WHAT OFFICE ROOM WORD...

`WHAT` says what is small: `data` (the data directory), `outbox`, or `read-only` (the
data directory once more, full of room, and not to be written). The command is run
with the disk full to the given number of KiB, then once more with the room given back.
What both said goes to standard output as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

MIB = 1 << 20


def run(office: Path, words: list[str]) -> dict[str, Any]:
    """Run one command; how it ended and what it said."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(office),
        "GATEWAY_PASSPHRASE_FILE": str(office / "passphrase"),
        "GATEWAY_POLICIES": str(office / "policies"),
    }
    command = [sys.executable, "-m", "gateway", "--data", str(office / "data"), *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return {"code": ended.returncode, "out": ended.stdout, "err": ended.stderr}


def mount(place: Path, size: int) -> None:
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(place)], check=True
    )


def fill(place: Path, leave: int) -> Path:
    """Fill the disk but for `leave` bytes."""
    filler = place / "filler"
    state = os.statvfs(place)
    with filler.open("wb") as file:
        left = state.f_bavail * state.f_frsize - leave
        file.write(b"\0" * max(left, 0))
    return filler


def on_data_disk(office: Path, leave: int, words: list[str]) -> list[dict[str, Any]]:
    """The data directory on a full disk, then on one with room; it is brought back at the end."""
    data, kept = office / "data", office / "data-kept"
    data.rename(kept)
    data.mkdir(mode=0o700)
    mount(data, 64 * MIB)
    shutil.copytree(kept, data, dirs_exist_ok=True)
    filler = fill(data, leave)
    first = run(office, words)
    filler.unlink()
    second = run(office, words)
    shutil.copytree(data, office / "data-after")
    return [first, second]


def read_only(office: Path, words: list[str]) -> list[dict[str, Any]]:
    """The data directory on a disk that is mounted read-only, then writable again."""
    data = office / "data"
    subprocess.run(["mount", "--bind", str(data), str(data)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(data)], check=True)
    first = run(office, words)
    subprocess.run(["mount", "-o", "remount,rw,bind", str(data)], check=True)
    return [first, run(office, words)]


def on_outbox_disk(office: Path, leave: int, words: list[str]) -> list[dict[str, Any]]:
    """The outbox on a full disk, then on one with room."""
    outbox = office / "outbox"
    outbox.mkdir()
    mount(outbox, 8 * MIB)
    filler = fill(outbox, leave)
    words = [*words, "--to", str(outbox)]
    first = run(office, words)
    halves = [path.name for path in outbox.rglob("*") if path.suffix == ".gwp"]
    filler.unlink()
    second = run(office, words)
    shutil.copytree(outbox, office / "outbox-after")
    return [first | {"packages": halves}, second]


def main(what: str, office: str, leave: str, *words: str) -> None:
    """Run the scenario and print what its two runs said."""
    home, room, command = Path(office), int(leave) << 10, list(words)
    told = {
        "data": lambda: on_data_disk(home, room, command),
        "outbox": lambda: on_outbox_disk(home, room, command),
        "read-only": lambda: read_only(home, command),
    }[what]()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
