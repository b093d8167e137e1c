"""The file of a form, read as it comes: no byte of it lies on a disk in clear.

Flask's own form parser keeps large files in temporary files. This one hands the
file's bytes on as they arrive, to be sealed, and knows whether the form came whole.

Source: RFC 7578; security points 8 and 11; docs/adr/0263.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, File, MultipartDecoder, NeedData

from gateway.errors import UsageError

_BLOCK = 1 << 18
_PARTS = 20
_MEMORY = 1 << 20


class FormFile:
    """The first file of a multipart form, as a source of bytes.

    Other fields of the form are skipped. `whole()` says, after the last byte was
    read, whether the form came to its end.
    """

    def __init__(self, request: Request, field: str) -> None:
        """Begin to read the body of this request.

        Raises:
            UsageError: it is no form with a file.
        """
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data" or not boundary:
            raise malformed()
        self._decoder = MultipartDecoder(
            boundary.encode("ascii", "replace"), max_form_memory_size=_MEMORY, max_parts=_PARTS
        )
        self._body: Callable[[int], bytes] = request.stream.read
        self._field = field
        self._rest = b""
        self._over = False
        self._inside = False
        self._complete = False
        self.chosen = self._find()

    def read(self, size: int, /) -> bytes:
        """At most so many bytes of the file; none at its end."""
        while not self._rest and self._inside:
            self._take(self._event())
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def whole(self) -> bool:
        """Read to the end of the form; whether it ended as a form ends."""
        while not self._over:
            self._event()
        return self._complete

    def _find(self) -> bool:
        """Go to the first byte of the file; whether one was chosen."""
        while not self._over:
            event = self._event()
            if isinstance(event, File) and event.name == self._field:
                self._inside = bool(event.filename)
                return self._inside
        return False

    def _take(self, event: Event) -> None:
        if isinstance(event, Data):
            self._rest = bytes(event.data)
            self._inside = event.more_data
        else:
            self._inside = False

    def _event(self) -> Event:
        try:
            event = self._decoder.next_event()
            while isinstance(event, NeedData):
                block = self._body(_BLOCK)
                self._decoder.receive_data(block or None)
                event = self._decoder.next_event()
        except (ValueError, RequestEntityTooLarge):
            # The connection ended inside the form, or it is no form at all.
            event = Epilogue(data=b"")
            self._over, self._inside = True, False
            return event
        if isinstance(event, Epilogue):
            self._over = self._complete = True
        return event


def malformed() -> UsageError:
    """The one answer to a body that is no form with a file."""
    return UsageError(
        "sending/form-malformed",
        "The form did not arrive as a form with a file.",
        remedy="Load the page again and choose the file again.",
    )
