"""The manifest: what left, by which clause, for whom, with which duties.

The core is what the ledger commits to; the manifest is the core with the ledger's
part. Exact counts of who was withheld stay with the controller: the recipient gets
one band for all reasons.

Source: UK GDPR Arts 5(1)(b), 5(2), 28; docs/reference/package.md, "`manifest.json`"; RFC 8785.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from gateway.errors import REPORT, IntegrityError, UsageError

FORMAT = "gateway-package-1"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestColumn:
    """One column: its name, class, the treatment used and the clause that allows it.

    `type` is the Table Schema type in `datapackage.json`: string, integer, number,
    date, boolean, year.
    """

    name: str
    field_class: str
    treatment: str
    clause: str
    type: str = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything the recipient is told, before the ledger's part is known."""

    package: str
    sender: str
    release: str
    output: str
    purpose: str
    agreement: str
    clause: str
    policy_digest: str
    recipient: str
    recipient_key: str
    created: dt.datetime
    columns: tuple[ManifestColumn, ...]
    rows: int
    withheld: str
    register_read_at: dt.datetime
    data_file: str
    data_digest: str
    duties: tuple[str, ...]
    release_record: str
    disclosure: Mapping[str, Any] = field(default_factory=dict)
    key: Mapping[str, str] | None = None
    duty_sentences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPart:
    """Where the core stands in the ledger, and how that log continues earlier ones.

    `entry` is the encoded entry and `salt` its salt; `checkpoint` is the signed
    checkpoint (compact JWS); `consistency` holds (size, root, path) of earlier sizes
    that this recipient was shown.
    """

    index: int
    size: int
    root: bytes = field(repr=False)
    entry: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)
    checkpoint: str = field(repr=False)
    consistency: tuple[tuple[int, bytes, tuple[bytes, ...]], ...] = field(default=(), repr=False)


def withheld_band(withheld: int) -> str:
    """One band for all reasons: rounded to 10, "<10" below 10."""
    return "<10" if withheld < 10 else str((withheld + 5) // 10 * 10)


def core_manifest(manifest: Manifest) -> dict[str, Any]:
    """The manifest without the ledger's part, ready for RFC 8785.

    Raises:
        UsageError: `package/manifest`: a member is empty or malformed; it is named.
    """
    _check(manifest)
    names = ("package", "sender", "release", "output", "purpose", "agreement", "clause")
    more = ("policy_digest", "recipient", "recipient_key", "rows", "withheld", "data_digest")
    core: dict[str, Any] = {name: getattr(manifest, name) for name in (*names, *more)}
    return core | {
        "format": FORMAT,
        "created": _utc(manifest.created),
        "columns": [
            {
                "name": column.name,
                "class": column.field_class,
                "treatment": column.treatment,
                "clause": column.clause,
            }
            for column in manifest.columns
        ],
        "data_file": manifest.data_file,
        "datapackage_digest": hashlib.sha256(datapackage(manifest)).hexdigest(),
        "disclosure": dict(manifest.disclosure),
        "duties": list(manifest.duties),
        "duty_sentences": dict(manifest.duty_sentences),
        "key": None if manifest.key is None else dict(manifest.key),
        "register_read_at": _utc(manifest.register_read_at),
        "release_record": manifest.release_record,
    }


def core_digest(core: Mapping[str, Any]) -> str:
    """SHA-256 of the core in RFC 8785 form: what the ledger's leaf commits to."""
    return hashlib.sha256(rfc8785.dumps(dict(core))).hexdigest()


def complete_manifest(core: Mapping[str, Any], ledger: LedgerPart) -> dict[str, Any]:
    """Core and ledger part together: what is signed."""
    part = {
        "index": ledger.index,
        "size": ledger.size,
        "root": ledger.root.hex(),
        "entry": json.loads(ledger.entry),
        "salt": ledger.salt.hex(),
        "path": [step.hex() for step in ledger.path],
        "checkpoint": ledger.checkpoint,
        "consistency": [
            {"size": size, "root": root.hex(), "path": [step.hex() for step in path]}
            for size, root, path in ledger.consistency
        ],
    }
    return {**core, "ledger": part}


def split_manifest(manifest: Mapping[str, Any]) -> tuple[dict[str, Any], LedgerPart]:
    """A received manifest as its core and its ledger part, types checked.

    Raises:
        IntegrityError: `package/manifest-form`.
    """
    core = {name: value for name, value in manifest.items() if name != "ledger"}
    try:
        part = manifest["ledger"]
        ledger = LedgerPart(
            index=_count(part["index"]),
            size=_count(part["size"]),
            root=_hash(part["root"]),
            entry=rfc8785.dumps(part["entry"]),
            salt=_hash(part["salt"]),
            path=tuple(_hash(step) for step in part["path"]),
            checkpoint=_text(part["checkpoint"]),
            consistency=tuple(
                (_count(c["size"]), _hash(c["root"]), tuple(_hash(step) for step in c["path"]))
                for c in part["consistency"]
            ),
        )
    except (KeyError, TypeError, ValueError):
        raise IntegrityError(
            "package/manifest-form",
            "The manifest is malformed.",
            remedy="Nothing was written. Ask the sender.",
        ) from None
    return core, ledger


def datapackage(manifest: Manifest) -> bytes:
    """`datapackage.json`: Frictionless Data Package with Table Schema, RFC 8785."""
    is_csv = manifest.data_file.endswith(".csv")
    resource: dict[str, Any] = {
        "name": "data",
        "path": manifest.data_file,
        "format": "csv" if is_csv else "parquet",
        "mediatype": "text/csv" if is_csv else "application/vnd.apache.parquet",
        "hash": f"sha256:{manifest.data_digest}",
        "rows": manifest.rows,
        "schema": {
            "fields": [{"name": column.name, "type": column.type} for column in manifest.columns],
            "missingValues": [""],
        },
    }
    if is_csv:
        resource["encoding"] = "utf-8"
        resource["dialect"] = {"delimiter": ",", "lineTerminator": "\n", "header": True}
    return rfc8785.dumps(
        {"name": f"{manifest.release}-{manifest.output}".lower(), "resources": [resource]}
    )


def _check(manifest: Manifest) -> None:
    digests = ("policy_digest", "data_digest", "release_record")
    wrong = [name for name in digests if not _DIGEST.fullmatch(getattr(manifest, name))]
    ids = ("package", "sender", "release", "output", "purpose", "agreement", "recipient")
    wrong += [name for name in ids if not _ID.fullmatch(getattr(manifest, name))]
    wrong += [name for name in ("clause", "recipient_key") if not getattr(manifest, name)]
    wrong += [] if manifest.rows >= 0 else ["rows"]
    wrong += [] if manifest.columns else ["columns"]
    wrong += [] if manifest.duties else ["duties"]
    wrong += [] if manifest.data_file in ("data.csv", "data.parquet") else ["data_file"]
    for name in wrong:
        raise UsageError(
            "package/manifest",
            f'The manifest\'s "{name}" is empty or malformed.',
            remedy=REPORT,
            member=name,
        )


def _utc(at: dt.datetime) -> str:
    if at.tzinfo is None:
        raise UsageError("package/manifest", "A manifest's time needs a zone.", remedy=REPORT)
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _hash(value: object) -> bytes:
    text = _text(value)
    if not _DIGEST.fullmatch(text):
        raise ValueError
    return bytes.fromhex(text)
