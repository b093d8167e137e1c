"""The files of a told release: its proof, an export of the ledger, and the sender's trust."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger import Entry, encode_entry
from gateway.standalone import verify_ledger
from tests.rooms.told_releases import RELEASE, START, Case

Json = dict[str, Any]
ASKED = "2026-06-16"
SIGNED = "2026-06-16T09:00:00Z"


def a_path(leaves: list[bytes], index: int) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, as written there."""
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < k:
        return [*a_path(leaves[:k], index), verify_ledger.merkle_root(leaves[k:])]
    return [*a_path(leaves[k:], index - k), verify_ledger.merkle_root(leaves[:k])]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Ledger:
    """A ledger of nothing but what a case tells, in its order, and the key that signs it."""

    case: Case
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.entries: list[Json] = []
        for n, (event, facts) in enumerate(self.case.lines):
            told = Entry(event=event, facts=facts, at=START + dt.timedelta(minutes=n))
            self.entries.append(json.loads(encode_entry(told)))
        self._found()

    def _found(self) -> None:
        self.salts = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(len(self.entries))]
        self.leaves = [
            verify_ledger.leaf_of(entry, salt)
            for entry, salt in zip(self.entries, self.salts, strict=True)
        ]

    def append(self, event: str, **facts: Any) -> None:
        """One more entry, in whatever words: the verifier has no table of them."""
        self.entries.append({"at": SIGNED, "event": event, "facts": facts})
        self._found()

    @property
    def trust(self) -> Json:
        public = self.key.public_key().public_bytes_raw().hex()
        since = {"not_before": "2026-01-01T00:00:00Z", "not_after": None}
        one = {"use": "ledger", "key_id": "k", "public": public, **since}
        return {"origin": "council", "keys": [one]}

    def checkpoint(self, size: int) -> str:
        header = {"alg": "EdDSA", "kid": "k", "typ": "gateway-checkpoint+jws"}
        root = verify_ledger.merkle_root(self.leaves[:size]).hex()
        body = {"origin": "council", "size": size, "root": root, "time": SIGNED}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, body))
        return f"{signed}.{b64(self.key.sign(signed.encode()))}"

    def proof(self, size: int, *, without: Collection[int] = ()) -> Json:
        """What a gateway would write whose ledger had this many entries."""
        verdicts = [
            {
                "promise": verdict.promise,
                "words": verdict.words,
                "outcome": verdict.outcome.value,
                "because": verdict.because,
                "evidence": [n - 100 for n in verdict.evidence if n - 100 not in without],
            }
            for verdict in self.case.verdicts().values()
        ]
        entries = [
            {
                "index": n,
                "entry": self.entries[n],
                "salt": self.salts[n],
                "path": [step.hex() for step in a_path(self.leaves[:size], n)],
            }
            for n in range(size)
            if n not in without
        ]
        return {
            "format": "gateway-release-proof-1",
            "release": RELEASE,
            "asked": ASKED,
            "verdicts": verdicts,
            "manifests": list(self.case.manifests),
            "checkpoint": self.checkpoint(size),
            "entries": entries,
        }

    def export(self, file: Path, *, hidden: Collection[int] = ()) -> Path:
        lines: list[Json] = [
            {"format": "gateway-ledger-export-1", "origin": "council", "size": len(self.entries)}
        ]
        for n, (entry, salt) in enumerate(zip(self.entries, self.salts, strict=True)):
            raw = bytes.fromhex(salt) + verify_ledger.canonical(entry)
            line = {"index": n, "commitment": hashlib.sha256(raw).hexdigest()}
            lines.append(line if n in hidden else {**line, "entry": entry, "salt": salt})
        lines.append({"checkpoint": self.checkpoint(len(self.entries))})
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        file.write_bytes(text.encode("utf-8"))
        return file
