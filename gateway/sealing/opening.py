"""Open: believe nothing until everything has been checked.

    check_outer     form of every byte outside, envelope signature, digest of the sealed part
    check_inner     this key, form of every byte inside, manifest signature, digests, rows, columns
    unseal          the same bytes once more, now handed out

The ledger's part is returned for the ledger room to check. Nothing is handed out
before `unseal`, and whoever calls it compares the digest again.

Source: docs/reference/package.md, "What `gateway open` does".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyrage
import rfc8785

from gateway.errors import GatewayError, IntegrityError
from gateway.sealing.archive import (
    BLOCK,
    ArchiveReader,
    Collector,
    Member,
    form_error,
    stored_size,
)
from gateway.sealing.envelope import Envelope, decode_envelope, recipient_key_id
from gateway.sealing.inside import DATA_FILES, SMALL, WHOLE, InnerParts
from gateway.sealing.jws import ENVELOPE_TYP, MANIFEST_TYP, verify_detached
from gateway.sealing.making import inner_sizes
from gateway.sealing.manifest import FORMAT
from gateway.sealing.streams import FaultKeeper, Reader, chunks
from gateway.sealing.trust import Trust, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """A package whose outside is right: `offset` and `size` say where `data.age` is."""

    envelope: Envelope
    signed_by: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A package whose inside is right; the data itself has not been handed out."""

    manifest: Mapping[str, Any]
    manifest_bytes: bytes = field(repr=False)
    manifest_jws: bytes = field(repr=False)
    datapackage: bytes = field(repr=False)
    data_file: str
    rows: int
    columns: tuple[str, ...]


def check_outer(package: Reader, *, trust: Trust) -> Outer:
    """Check everything that needs no secret, in one pass over the file.

    Raises:
        IntegrityError: `package/form`, `package/envelope-form`, `package/digest`,
            `package/other-sender` or a `jws/` code.
    """
    envelope, signature, sealed = Collector(), Collector(), hashlib.sha256()
    sizes: list[int] = []
    archive = ArchiveReader(
        (
            Member(("envelope.json",), SMALL, envelope.receive, lambda _, n: sizes.append(n)),
            Member(("envelope.jws",), SMALL, signature.receive, lambda _, n: sizes.append(n)),
            Member(("data.age",), WHOLE, sealed.update, lambda _, n: sizes.append(n)),
        )
    )
    for chunk in chunks(package):
        archive.write(chunk)
    archive.close()
    kid = verify_detached(
        _ascii(signature.content),
        envelope.content,
        typ=ENVELOPE_TYP,
        keys=trust.keys_for("signing"),
    )
    read = decode_envelope(envelope.content)
    if read.sender != trust.sender:
        raise _refuse("package/other-sender", "The package is from another sender.")
    if not hmac.compare_digest(sealed.hexdigest(), read.digest):
        raise _refuse("package/digest", "The sealed part is not the one the envelope names.")
    offset = stored_size(sizes[0]) + stored_size(sizes[1]) + BLOCK
    return Outer(envelope=read, signed_by=kid, offset=offset, size=sizes[2])


def check_inner(sealed: Reader, *, outer: Outer, key: str, trust: Trust) -> Contents:
    """Decrypt once, keep nothing of the data, and check all of it.

    Args:
        sealed: exactly the bytes of `data.age`.
        outer: what `check_outer` found.
        key: the recipient's secret, `AGE-SECRET-KEY-1...`.
        trust: the sender's descriptor.

    Raises:
        IntegrityError: `package/not-for-this-key`, `package/form`, `package/manifest-form`,
            `package/digest`, `package/rows`, `package/columns` or a `jws/` code.
    """
    identity = identity_of(key)
    if recipient_key_id(str(identity.to_public())) != outer.envelope.recipient_key:
        raise _not_for_this_key()
    found = InnerParts()
    archive = ArchiveReader(found.members())
    _decrypt(sealed, archive, identity)
    archive.close()
    _check_padding(found)
    manifest = _manifest(found, outer, trust)
    _check_table(found, manifest)
    columns, rows = found.data.columns_and_rows()
    if rows != manifest["rows"]:
        raise _refuse("package/rows", "The data has another number of rows than the manifest.")
    if list(columns) != [column["name"] for column in manifest["columns"]]:
        raise _refuse("package/columns", "The data has other columns than the manifest.")
    return Contents(
        manifest=manifest,
        manifest_bytes=found.manifest,
        manifest_jws=found.signature,
        datapackage=found.datapackage,
        data_file=found.data_file,
        rows=rows,
        columns=columns,
    )


def unseal(sealed: Reader, receive: Callable[[bytes], object], *, key: str) -> str:
    """Decrypt again and hand the data out; returns its SHA-256 to compare once more."""
    digest = hashlib.sha256()

    def take(chunk: bytes) -> None:
        digest.update(chunk)
        receive(chunk)

    def drop(_chunk: bytes) -> None:
        return

    names = (("manifest.json",), ("manifest.jws",), DATA_FILES, ("datapackage.json",), ("padding",))
    members = [Member(name, WHOLE, take if name == DATA_FILES else drop) for name in names]
    archive = ArchiveReader(members)
    _decrypt(sealed, archive, identity_of(key))
    archive.close()
    return digest.hexdigest()


def identity_of(key: str) -> pyrage.x25519.Identity:
    """The age identity of a secret key's text.

    Raises:
        IntegrityError: `package/not-for-this-key`: it is not an age X25519 secret.
    """
    try:
        return pyrage.x25519.Identity.from_str(key)
    except (ValueError, pyrage.IdentityError):
        raise _not_for_this_key() from None


def _decrypt(sealed: Reader, archive: ArchiveReader, identity: pyrage.x25519.Identity) -> None:
    keeper = FaultKeeper(archive)
    try:
        pyrage.decrypt_io(sealed, keeper, [identity])
    except (GatewayError, pyrage.DecryptError, OSError, ValueError):
        if keeper.fault is not None:
            raise keeper.fault from None
        raise _refuse("package/sealed-part", "The sealed part does not decrypt.") from None


def _check_padding(found: InnerParts) -> None:
    sizes = (len(found.manifest), len(found.signature), found.data.size, len(found.datapackage))
    if inner_sizes(sizes)[1] != found.padding:
        raise form_error()


def _manifest(found: InnerParts, outer: Outer, trust: Trust) -> dict[str, Any]:
    """The manifest, once its signature and its ties to the envelope are right."""
    kid = verify_detached(
        _ascii(found.signature), found.manifest, typ=MANIFEST_TYP, keys=trust.keys_for("signing")
    )
    try:
        manifest = json.loads(found.manifest)
        if not isinstance(manifest, dict) or rfc8785.dumps(manifest) != found.manifest:
            raise _manifest_form()
        created = parse_time(manifest["created"])
        named = [column["name"] for column in manifest["columns"]]
        told = {name: manifest[name] for name in ("format", "package", "sender", "recipient_key")}
        digests = manifest["data_digest"], manifest["datapackage_digest"], manifest["rows"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _manifest_form() from None
    expected = {
        "format": FORMAT,
        "package": outer.envelope.package,
        "sender": outer.envelope.sender,
        "recipient_key": outer.envelope.recipient_key,
    }
    if told != expected or kid != outer.signed_by or not named or None in digests:
        raise _refuse("package/manifest-other", "The manifest belongs to another envelope.")
    if kid not in trust.keys_for("signing", created):
        raise _refuse("package/key-validity", "The signing key was not valid on that day.")
    return manifest


def _check_table(found: InnerParts, manifest: Mapping[str, Any]) -> None:
    """Digests of both files, and what the data package says against the manifest."""
    packed = hashlib.sha256(found.datapackage).hexdigest()
    if (found.data.sha256, packed, found.data_file) != tuple(
        manifest.get(name) for name in ("data_digest", "datapackage_digest", "data_file")
    ):
        raise _refuse("package/digest", "A file is not the one the manifest names.")
    try:
        document = json.loads(found.datapackage)
        (resource,) = document["resources"]
        said = (
            resource["path"],
            resource["hash"],
            resource["rows"],
            [member["name"] for member in resource["schema"]["fields"]],
        )
        canonical = rfc8785.dumps(document) == found.datapackage
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _manifest_form() from None
    names = [column["name"] for column in manifest["columns"]]
    true = (found.data_file, f"sha256:{found.data.sha256}", manifest["rows"], names)
    if said != true or not canonical:
        raise _refuse("package/columns", "datapackage.json says other than the manifest.")


def _ascii(raw: bytes) -> str:
    return raw.decode("ascii", "replace")


def _not_for_this_key() -> IntegrityError:
    return _refuse("package/not-for-this-key", "The package is sealed to another key.")


def _manifest_form() -> IntegrityError:
    return _refuse("package/manifest-form", "The manifest is malformed.")


def _refuse(code: str, sentence: str) -> IntegrityError:
    return IntegrityError(code, sentence, remedy="Nothing was written. Ask the sender.")
