"""Tar in one permitted form: whoever reads it can rebuild it and compare every byte.

ustar, members in a fixed order, mtime, uid and gid 0, empty names of owners, mode
0644, content filled with zero bytes to 512, two zero blocks, nothing after. A form
with one spelling leaves no room to hide a byte and no room for two readings.

Source: POSIX.1-2017 pax, "ustar Interchange Format"; docs/reference/package.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.errors import IntegrityError, UsageError

BLOCK = 512
END = bytes(2 * BLOCK)
MAX_MEMBER = 8**11 - 1


def member_header(name: str, size: int) -> bytes:
    """The 512 bytes before a member's content.

    Raises:
        UsageError: `package/too-large`: 8 GiB or more, or a name over 99 bytes.
    """
    encoded = name.encode("ascii")
    if not 0 <= size <= MAX_MEMBER or len(encoded) > 99:
        raise UsageError(
            "package/too-large",
            "A member of a package must be smaller than 8 GiB.",
            remedy="Split the release into several outputs.",
        )
    head = encoded.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    head += b"%011o\0" % size + b"%011o\0" % 0
    tail = b"0" + bytes(100) + b"ustar\0" + b"00" + bytes(64 + 16 + 155 + 12)
    checksum = sum(head) + sum(tail) + 8 * 0x20
    return head + b"%06o\0 " % checksum + tail


def fill(size: int) -> bytes:
    """The zero bytes that follow a content of `size` bytes."""
    return bytes(-size % BLOCK)


def stored_size(size: int) -> int:
    """Bytes that a member of `size` bytes takes, its header included."""
    return BLOCK + size + (-size % BLOCK)


@dataclass(frozen=True, slots=True)
class Member:
    """What is expected next: one of `names`, at most `limit` bytes, given to `receive`."""

    names: tuple[str, ...]
    limit: int
    receive: Callable[[bytes], object] = field(repr=False)
    begin: Callable[[str, int], object] = field(default=lambda _name, _size: None, repr=False)


class ArchiveReader:
    """Reads an archive as it streams in, and refuses any byte that is not the permitted one."""

    def __init__(self, members: Sequence[Member]) -> None:
        """Expect exactly these members, in this order."""
        self._members = list(members)
        self._current: Member | None = None
        self._content = 0
        self._zeros = 0
        self._header = b""
        self._ended = False
        self.total = 0

    def write(self, chunk: bytes) -> int:
        """Take the next bytes; content goes to the member's receiver at once.

        Raises:
            IntegrityError: `package/form`.
        """
        view = memoryview(chunk)
        self.total += len(view)
        while view:
            view = view[self._take(view) :]
        return len(chunk)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Say that there are no more bytes.

        Raises:
            IntegrityError: `package/form`: the archive is cut short.
        """
        if not self._ended or self._zeros:
            raise form_error()

    def _take(self, view: memoryview) -> int:
        """Consume what belongs together at the head of `view`; returns its length."""
        if self._content:
            return self._take_content(view[: self._content])
        if self._zeros:
            return self._take_zeros(view[: self._zeros])
        if self._ended:
            raise form_error()
        return self._take_header(view[: BLOCK - len(self._header)])

    def _take_content(self, view: memoryview) -> int:
        if self._current is None:
            raise form_error()
        self._current.receive(bytes(view))
        self._content -= len(view)
        return len(view)

    def _take_zeros(self, view: memoryview) -> int:
        if any(bytes(view)):
            raise form_error()
        self._zeros -= len(view)
        return len(view)

    def _take_header(self, view: memoryview) -> int:
        self._header += bytes(view)
        if len(self._header) == BLOCK:
            header, self._header = self._header, b""
            if self._members:
                self._open_member(header)
            else:
                self._open_end(header)
        return len(view)

    def _open_member(self, header: bytes) -> None:
        member = self._members.pop(0)
        name = header[:100].rstrip(b"\0").decode("ascii", "replace")
        digits = header[124:135]
        size = int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1
        if name not in member.names or not 0 <= size <= member.limit:
            raise form_error()
        if header != member_header(name, size):
            raise form_error()
        self._current, self._content, self._zeros = member, size, -size % BLOCK
        member.begin(name, size)

    def _open_end(self, header: bytes) -> None:
        if any(header):
            raise form_error()
        self._ended, self._zeros = True, BLOCK


class Collector:
    """Keeps a small member whole."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept = bytearray()

    def receive(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._kept += chunk

    @property
    def content(self) -> bytes:
        """All bytes so far."""
        return bytes(self._kept)


def form_error() -> IntegrityError:
    """The archive is not in the one permitted form."""
    return IntegrityError(
        "package/form",
        "The package is not in the one permitted form: it was cut, extended or changed.",
        remedy="Ask the sender to send it again, and keep this copy.",
    )
