"""Sealing one package, beside the age library alone and beside one AES-GCM call in memory.

Ours is everything that a package needs: canonical archive, manifest and its signature,
digests of data and sealed part, padding, envelope, and the same age underneath.

    python tests/benchmarks/bench_seal.py 300

Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway import sealing
from gateway.adapters.spill import ScratchDirectory

CHUNK = 1 << 20
RUNS = 3


class _Signer:
    key_id = "bench"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def run(megabytes: int = 300) -> dict[str, Any]:
    """Seal that many megabytes from the sealed scratch room, `RUNS` times each way."""
    identity = pyrage.x25519.Identity.generate()
    recipient = identity.to_public()
    with tempfile.TemporaryDirectory() as name, ScratchDirectory(Path(name)) as scratch:
        home = Path(name)
        data = scratch.byte_spill()
        for _ in range(megabytes):
            data.write(os.urandom(CHUNK))
        manifest = _manifest(data.sha256, str(recipient))

        def ours() -> None:
            with (home / "ours").open("wb") as sink:
                sealing.seal(
                    sink,
                    manifest=manifest,
                    datapackage=_DATAPACKAGE,
                    data=data,
                    recipient=str(recipient),
                    signer=_Signer(),
                )

        def age_alone() -> None:
            with (home / "age").open("wb") as sink:
                pyrage.encrypt_io(data.open(), sink, [recipient])

        def aes_in_memory() -> None:
            whole = data.open().read()
            (home / "aes").write_bytes(AESGCM(bytes(32)).encrypt(bytes(12), whole, None))

        before = _peak()
        times = {"ours": _median(ours), "age alone": _median(age_alone)}
        grown = _peak() - before
        times["AES-GCM in memory"] = _median(aes_in_memory)
        grown_peer = _peak() - before
    return {
        "name": "seal",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": RUNS,
        "megabytes": megabytes,
        "ours": times["ours"],
        "peer": times["age alone"],
        "ratio": round(times["age alone"] / times["ours"], 2),
        "unit": "s",
        "peak_mb": _peak(),
        "memory_of_sealing_mb": grown,
        "memory_of_aes_in_memory_mb": grown_peer,
        "seconds": times,
    }


_MANIFEST = {
    "package": "rel-bench.payload",
    "sender": "bench",
    "release": "rel-bench",
    "output": "payload",
    "purpose": "bench-study",
    "agreement": "bench",
    "clause": "4.1",
    "policy_digest": "0" * 64,
    "recipient": "bench-research",
    "rows": 1,
    "withheld": "<10",
    "duties": ("research-only",),
    "release_record": "0" * 64,
    "data_file": "data.parquet",
}
_COLUMN = sealing.ManifestColumn(name="a", field_class="plain", treatment="keep", clause="4.1")
_DATAPACKAGE = b""


def _manifest(data_digest: str, recipient: str) -> dict[str, Any]:
    global _DATAPACKAGE  # noqa: PLW0603 - the two belong together and are made once
    at = dt.datetime.now(dt.UTC)
    manifest = sealing.Manifest(
        **_MANIFEST,  # type: ignore[arg-type]
        recipient_key=sealing.recipient_key_id(recipient),
        created=at,
        register_read_at=at,
        columns=(_COLUMN,),
        data_digest=data_digest,
    )
    _DATAPACKAGE = sealing.datapackage(manifest)
    part = sealing.LedgerPart(
        index=0, size=1, root=bytes(32), entry=b"{}", salt=bytes(32), path=(), checkpoint=""
    )
    core = sealing.core_manifest(manifest)
    if core["datapackage_digest"] != hashlib.sha256(_DATAPACKAGE).hexdigest():
        raise AssertionError("the datapackage is not the manifest's")
    return sealing.complete_manifest(core, part)


def _median(work: Callable[[], None]) -> float:
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken), 3)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:])), indent=1))
