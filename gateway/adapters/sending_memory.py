"""Which upload a file belongs to, so that a command that was stopped goes on where it was.

A file's mark is a digest over where it goes and what it holds: the memory names no
file and no dataset.

Source: tus 1.0, "Client"; security point 10.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import Unavailable

FILE = "sending.json"
MOST = 1_000


@dataclass(frozen=True, slots=True)
class SendingMemory:
    """The uploads under way from this machine, in one small file."""

    folder: Path

    def mark(self, *parts: str) -> str:
        """A digest of where a file goes and what it holds."""
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def recall(self, mark: str) -> str:
        """The upload of a file; "" where none is known."""
        return self._read().get(mark, "")

    def keep(self, mark: str, upload: str) -> None:
        """Remember the upload of a file; the oldest are forgotten."""
        known = self._read()
        if known.get(mark) != upload:
            known.pop(mark, None)
            self._write(dict([*known.items(), (mark, upload)][-MOST:]))

    def forget(self, mark: str) -> None:
        """Forget a file: it is received, or its upload is gone."""
        known = self._read()
        if known.pop(mark, None) is not None:
            self._write(known)

    def done(self, upload: str) -> None:
        """Forget an upload that has its receipt: the same file again is a new sending."""
        known = {mark: each for mark, each in self._read().items() if each != upload}
        self._write(known)

    def _read(self) -> dict[str, str]:
        try:
            told = json.loads((self.folder / FILE).read_bytes())
        except (OSError, ValueError):
            # Without memory the file is sent from its beginning: the receipt is the same.
            return {}
        return told if isinstance(told, dict) else {}

    def _write(self, known: dict[str, str]) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = self.folder / f"{FILE}.{os.getpid()}"
            partial.write_text(json.dumps(known), encoding="ascii")
            partial.replace(self.folder / FILE)
        except OSError as fault:
            raise Unavailable(
                "send/no-memory",
                f"The folder of uploads under way cannot be written ({fault.strerror}).",
                remedy="Name another one with --state.",
            ) from None


def usual_folder() -> Path:
    """Where a user's programs keep their state (XDG Base Directory)."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "gateway"
