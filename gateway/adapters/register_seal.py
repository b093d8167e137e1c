"""The register's own cryptography: tombstone key, identity sealing, packed tombstones.

Everything hangs on the register root of one controller. Details are sealed under a
key derived from it, bound to their place in the register, and are opened only in
memory while a release is made.

Source: docs/reference/pseudonyms.md (tombstone); RFC 5869; RFC 8439; security point 16.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.adapters.register_trust import not_trustworthy
from gateway.identity import RegisterRoot, TombstoneKey, tombstone_key
from gateway.model.tokens import SCHEME, STANDARD, TOKEN_NAMES

NONCE = 12
_RECORD = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterKeys:
    """What one generation of a controller's register root gives."""

    controller: str
    generation: str
    tombstone: TombstoneKey = field(repr=False)
    sealing: bytes = field(repr=False)
    matching: bytes = field(repr=False)


def register_keys(root: RegisterRoot, *, controller: str, generation: str) -> RegisterKeys:
    """Derive the keys of a register root.

    Args:
        root: the register root of this generation.
        controller: whose register it is.
        generation: which root of this controller.
    """
    return RegisterKeys(
        controller=controller,
        generation=generation,
        tombstone=tombstone_key(root, controller, generation=generation),
        sealing=_derive(root, (SCHEME, "register-identity", STANDARD, controller, generation)),
        matching=_derive(root, (SCHEME, "register-match", STANDARD, controller, generation)),
    )


def seal(details: Mapping[str, str], keys: RegisterKeys, *, sequence: int, nonce: bytes) -> bytes:
    """Seal one person's details to their place in the register."""
    plain = json.dumps(details, ensure_ascii=False, sort_keys=True).encode()
    return nonce + ChaCha20Poly1305(keys.sealing).encrypt(nonce, plain, _place(keys, sequence))


def unseal(sealed: bytes, keys: RegisterKeys, *, sequence: int) -> dict[str, str]:
    """Open one person's details.

    Raises:
        Unavailable: they were changed, moved, or sealed under another root.
    """
    opened: dict[str, str] = _opened(sealed, keys, _place(keys, sequence))
    return opened


def seal_batch(details: pl.DataFrame, keys: RegisterKeys, *, first: int, nonce: bytes) -> bytes:
    """Seal the details of people recorded by one act, together, to their places."""
    told = {name: details[name].to_list() for name in details.columns}
    plain = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    return nonce + ChaCha20Poly1305(keys.sealing).encrypt(
        nonce, plain, _places(keys, first, details.height)
    )


def unseal_batch(sealed: bytes, keys: RegisterKeys, *, first: int, count: int) -> pl.DataFrame:
    """Open the details of `count` people recorded by one act, in their order.

    Raises:
        Unavailable: they were changed, moved, or sealed under another root.
    """
    told = _opened(sealed, keys, _places(keys, first, count))
    return pl.DataFrame(told, schema=dict.fromkeys(told, pl.String))


def pack(tombstones: pl.DataFrame, sequences: list[int]) -> list[bytes]:
    """Each entry's tombstones as records of 17 bytes: number of the token, then the token."""
    ordered = tombstones.sort("sequence")
    places = ordered["token"].replace_strict(
        list(TOKEN_NAMES), list(range(len(TOKEN_NAMES))), return_dtype=pl.UInt8
    )
    records = np.empty((ordered.height, _RECORD), dtype=np.uint8)
    records[:, 0] = places.to_numpy()
    records[:, 1:] = np.frombuffer(b"".join(ordered["value"].to_list()), np.uint8).reshape(-1, 16)
    counts = dict(ordered.group_by("sequence").len().iter_rows())
    flat, at, packed = records.tobytes(), 0, []
    for sequence in sorted(sequences):
        end = at + counts.get(sequence, 0) * _RECORD
        packed.append(flat[at:end])
        at = end
    return packed


def unpack(packed: pl.DataFrame) -> pl.DataFrame:
    """`sequence`, `token`, `value` of entries given as `sequence`, `tombstones`."""
    flat = b"".join(packed["tombstones"].to_list())
    counts = packed["tombstones"].bin.size().fill_null(0) // _RECORD
    values = [flat[at + 1 : at + _RECORD] for at in range(0, len(flat), _RECORD)]
    names = pl.Series(TOKEN_NAMES, dtype=pl.String)
    return pl.DataFrame(
        {
            "sequence": np.repeat(packed["sequence"].to_numpy(), counts.to_numpy()),
            "token": names.gather(np.frombuffer(flat, np.uint8)[::_RECORD].astype(np.uint32)),
            "value": pl.Series(values, dtype=pl.Binary),
        },
        schema={"sequence": pl.Int64, "token": pl.String, "value": pl.Binary},
    )


def _place(keys: RegisterKeys, sequence: int) -> bytes:
    return _frame((keys.controller, keys.generation, str(sequence)))


def _places(keys: RegisterKeys, first: int, count: int) -> bytes:
    return _frame((keys.controller, keys.generation, f"{first}-{first + count - 1}"))


def _opened(sealed: bytes, keys: RegisterKeys, place: bytes) -> Any:
    try:
        plain = ChaCha20Poly1305(keys.sealing).decrypt(sealed[:NONCE], sealed[NONCE:], place)
    except InvalidTag:
        raise not_trustworthy("an entry does not open under the register root") from None
    return json.loads(plain)


def _derive(root: RegisterRoot, labels: tuple[str, ...]) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_frame(labels)).derive(
        root.secret
    )


def _frame(labels: tuple[str, ...]) -> bytes:
    encoded = [label.encode() for label in labels]
    return b"".join(len(text).to_bytes(2, "big") + text for text in encoded)
