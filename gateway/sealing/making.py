"""Seal: manifest, signature, data and padding into age, and the envelope around it.

The sealed part is written first, at its final place; the envelope, which holds its
digest, is written before it afterwards. Its length is known beforehand, because
every digest and signature has one length.

Source: docs/reference/package.md, "Outside" and "Inside"; age-encryption.org/v1; UK GDPR Art 32.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Any

import pyrage
import rfc8785

from gateway.errors import REPORT, IntegrityError, UsageError
from gateway.model.packages import Sealed
from gateway.sealing.archive import BLOCK, END, MAX_MEMBER, fill, member_header, stored_size
from gateway.sealing.envelope import Envelope, encode_envelope, recipient_key_id
from gateway.sealing.jws import ENVELOPE_TYP, MANIFEST_TYP, Signer, sign_detached
from gateway.sealing.ladder import rung
from gateway.sealing.streams import (
    CHUNK,
    Buffered,
    ByteSink,
    ByteSource,
    FaultKeeper,
    HashingSink,
    PartsReader,
    checked_chunks,
)


def seal(
    sink: ByteSink,
    *,
    manifest: Mapping[str, Any],
    datapackage: bytes,
    data: ByteSource,
    recipient: str,
    signer: Signer,
) -> Sealed:
    """Write one package.

    Args:
        sink: a new, empty place; on any exception what it holds is void.
        manifest: as `complete_manifest` made it.
        datapackage: as `datapackage` made it from the same manifest.
        data: the serialised output.
        recipient: the recipient's age X25519 public key, `age1...`.
        signer: the package signing key.

    Returns:
        The stage value; its digest is SHA-256 of the sealed part `data.age`.

    Raises:
        UsageError: the recipient is not an age key, or the package too large.
        IntegrityError: data, datapackage or recipient are not the manifest's.
    """
    _check_belongs(manifest, datapackage, data, recipient)
    signed = rfc8785.dumps(dict(manifest))
    signature = sign_detached(signed, typ=MANIFEST_TYP, signer=signer).encode("ascii")
    small = {"manifest.json": signed, "manifest.jws": signature}
    inner = _inner(small, str(manifest["data_file"]), data, datapackage)
    sink.seek(len(_head(manifest, "0" * 64, size=0, signer=signer)))
    hashed = HashingSink(sink)
    _encrypt(PartsReader(inner), hashed, _recipient(recipient))
    sink.write(fill(hashed.size) + END)
    sink.seek(0)
    sink.write(_head(manifest, hashed.sha256, size=hashed.size, signer=signer))
    return Sealed(
        package=manifest["package"],
        output=manifest["output"],
        recipient=manifest["recipient"],
        digest=hashed.sha256,
        rows=manifest["rows"],
    )


def inner_sizes(sizes: tuple[int, ...]) -> tuple[int, int]:
    """The size of the inner archive and of its padding member.

    Args:
        sizes: of the four members before the padding.
    """
    bare = sum(stored_size(size) for size in sizes) + BLOCK + len(END)
    whole = rung(bare)
    return whole, whole - bare


def _encrypt(inner: PartsReader, sink: HashingSink, to: pyrage.x25519.Recipient) -> None:
    """Encrypt; a fault of the source or the sink comes out as what it was."""
    keeper = FaultKeeper(sink)
    try:
        pyrage.encrypt_io(io.BufferedReader(Buffered(inner), CHUNK), keeper, [to])
    except (pyrage.EncryptError, OSError, ValueError):
        fault = inner.fault or keeper.fault
        if fault is not None:
            raise fault from None
        raise


def _inner(
    small: Mapping[str, bytes], data_file: str, data: ByteSource, datapackage: bytes
) -> Iterator[bytes]:
    sizes = (*(len(content) for content in small.values()), data.size, len(datapackage))
    whole, padding = inner_sizes(sizes)
    if whole > MAX_MEMBER // 2:
        member_header(data_file, MAX_MEMBER + 1)  # raises: the sealed part would not fit
    for name, content in small.items():
        yield member_header(name, len(content)) + content + fill(len(content))
    yield member_header(data_file, data.size)
    yield from checked_chunks(data)
    yield fill(data.size)
    yield member_header("datapackage.json", len(datapackage)) + datapackage
    yield fill(len(datapackage)) + member_header("padding", padding)
    while padding:
        step = min(padding, CHUNK)
        yield bytes(step)
        padding -= step
    yield END


def _head(manifest: Mapping[str, Any], digest: str, *, size: int, signer: Signer) -> bytes:
    """Everything before the content of `data.age`."""
    envelope = encode_envelope(
        Envelope(
            package=manifest["package"],
            sender=manifest["sender"],
            recipient_key=manifest["recipient_key"],
            digest=digest,
        )
    )
    signature = sign_detached(envelope, typ=ENVELOPE_TYP, signer=signer).encode("ascii")
    members = {"envelope.json": envelope, "envelope.jws": signature}
    head = b"".join(
        member_header(name, len(content)) + content + fill(len(content))
        for name, content in members.items()
    )
    return head + member_header("data.age", size)


def _check_belongs(
    manifest: Mapping[str, Any], datapackage: bytes, data: ByteSource, recipient: str
) -> None:
    pairs = {
        "data_digest": data.sha256,
        "datapackage_digest": hashlib.sha256(datapackage).hexdigest(),
        "recipient_key": recipient_key_id(recipient),
    }
    for name, found in pairs.items():
        if manifest[name] != found:
            raise IntegrityError(
                "package/not-the-manifests",
                f'"{name}" of the manifest is of something else.',
                remedy=REPORT,
            )
    if "ledger" not in manifest:
        raise IntegrityError(
            "package/not-recorded", "The manifest has no ledger part.", remedy=REPORT
        )


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except (ValueError, pyrage.RecipientError):
        raise UsageError(
            "package/recipient-key",
            "The recipient's public key is not an age X25519 key.",
            remedy="Ask the recipient for the file of `gateway recipient-key new`, and "
            "register it again.",
        ) from None
