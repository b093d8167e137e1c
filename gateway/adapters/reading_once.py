"""What the worker opens for one reader: sealed to a key that only their browser holds.

The web process may open nothing that is kept, and the database is backed up. So a reader
makes a pair for one reading; the worker seals what it opened to the public half, and the
private half is a cookie that ends with the reading.

Source: docs/adr/0308-a-reason-is-sealed-to-its-reader.md; security point 2.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pyrage


def new_pair() -> tuple[str, str]:
    """A pair for one reading: the private half for the cookie, the public half for the job."""
    pair = pyrage.x25519.Identity.generate()
    return str(pair), str(pair.to_public())


def sealed_for(public: str, texts: Mapping[str, str]) -> str:
    """Texts by name, sealed to the reader's public half."""
    to = pyrage.x25519.Recipient.from_str(public)
    content = json.dumps(dict(texts)).encode()
    return base64.b64encode(pyrage.encrypt(content, [to])).decode()


def opened_with(private: str, sealed: str) -> dict[str, str] | None:
    """The texts; None where this is not the key that they are sealed to."""
    try:
        pair = pyrage.x25519.Identity.from_str(private)
        content = pyrage.decrypt(base64.b64decode(sealed), [pair])
    except (pyrage.IdentityError, pyrage.DecryptError, ValueError):
        return None
    return dict(json.loads(content))
