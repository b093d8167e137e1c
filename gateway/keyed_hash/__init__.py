"""Keyed BLAKE2b of a whole column: 16 bytes for each row, under one key and one domain.

The key has 32 bytes and the person 16, always: `hashlib.blake2b(key=b"")` is
silently unkeyed, and a short person is zero-padded into another one's domain.
The C path and the `hashlib` path give the same bytes; `path()` says which one runs.

Source: RFC 7693; docs/reference/pseudonyms.md; docs/adr/0008; docs/adr/0100.
"""

from gateway.keyed_hash.column import (
    DIGEST_BYTES,
    base32_column,
    blake2b_column,
    blake2b_framed,
    path,
    paths,
)

__all__ = [
    "DIGEST_BYTES",
    "base32_column",
    "blake2b_column",
    "blake2b_framed",
    "path",
    "paths",
]
