"""Check a gateway's ledger without the gateway: one file, the standard library and one more.

Written from RFC 9162 and the reference pages, not from the gateway's code, so that
an auditor need not believe that code. It needs Python 3.11 and `cryptography`.

    python verify_ledger.py ledger.jsonl  --trust council.json
    python verify_ledger.py proof.json    --trust council.json
    python verify_ledger.py manifest.json --trust council.json
    python verify_ledger.py manifest.json --trust council.json --ledger ledger.jsonl

The first checks an export (`gateway ledger export`): each leaf, each entry that is
shown, and every checkpoint. The second checks the proof of one entry. The third
checks that the manifest of an opened package stands in the ledger; with --ledger,
also that it stands in that very export. Exit 0: it verifies; 6: it does not.

Source: RFC 9162 section 2.1; RFC 8785; RFC 7515; docs/reference/ledger.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]


class Wrong(Exception):
    """Something does not verify."""


PROOF = {"index", "size", "root", "entry", "salt", "path", "checkpoint"}


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def require(truth: bool, sentence: str) -> None:
    """Stop with a sentence unless it is true."""
    if not truth:
        raise Wrong(sentence)


def canonical(value: object) -> bytes:
    """RFC 8785 for what the ledger holds: every JSON value but numbers that are not whole."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        inside = b",".join(canonical(name) + b":" + canonical(item) for name, item in members)
        return b"{" + inside + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(canonical(item) for item in value) + b"]"
    require(not isinstance(value, float), "a number is not whole")
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def parsed(text: str | bytes) -> Any:
    """JSON in which no object has two members of one name: the one would hide the other."""
    return json.loads(text, object_pairs_hook=_once)


def _once(members: list[tuple[str, Any]]) -> Json:
    found = dict(members)
    require(len(found) == len(members), "a name stands twice in one object")
    return found


def unb64(text: str) -> bytes:
    """Base64url without padding, in its one spelling."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text, "a signature is misspelt")
    return raw


def merkle_root(leaves: list[bytes]) -> bytes:
    """The root over leaf hashes, pairing level by level; a lone last node moves up."""
    if not leaves:
        return sha256(b"")
    level = leaves
    while len(level) > 1:
        pairs = [sha256(b"\x01" + a + b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to, walking down the shape of a tree of `size` leaves."""
    # Any number between two places would lead where the first of them does.
    require(type(index) is int, "an index is no whole number")
    require(0 <= index < size, "the index lies outside the log")
    if size == 1:
        require(not path, "the path is too long")
        return leaf
    require(bool(path), "the path is too short")
    left = 1 << ((size - 1).bit_length() - 1)
    if index < left:
        below = root_from_path(leaf, index, left, path[:-1])
        return sha256(b"\x01" + below + path[-1])
    below = root_from_path(leaf, index - left, size - left, path[:-1])
    return sha256(b"\x01" + path[-1] + below)


def leaf_of(entry: object, salt: str) -> bytes:
    """The leaf hash of an entry that is shown with its salt."""
    raw = bytes.fromhex(salt)
    require(len(raw) == 32, "a salt is not 32 bytes")
    return leaf_hash(sha256(raw + canonical(entry)))


def leaf_hash(commitment: bytes) -> bytes:
    """The leaf hash of a commitment."""
    require(len(commitment) == 32, "a commitment is not 32 bytes")
    return sha256(b"\x00" + commitment)


def read_checkpoint(jws: str, trust: Json) -> Json:
    """The content of a signed checkpoint, its signature and key verified."""
    header, body, signature = jws.split(".")
    said = parsed(unb64(header))
    expected = {"alg": "EdDSA", "kid": said.get("kid"), "typ": "gateway-checkpoint+jws"}
    require(said == expected, "a checkpoint's signature has another header")
    keys = [key for key in trust["keys"] if (key["use"], key["key_id"]) == ("ledger", said["kid"])]
    require(len(keys) == 1, "a checkpoint is signed by a key that the trust file does not list")
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[0]["public"]))
    try:
        public.verify(unb64(signature), f"{header}.{body}".encode("ascii"))
    except InvalidSignature:
        raise Wrong("a checkpoint's signature does not verify") from None
    content: Json = parsed(unb64(body))
    until = keys[0]["not_after"]
    valid = keys[0]["not_before"] <= content["time"] and (until is None or content["time"] <= until)
    require(valid, "a checkpoint was signed outside its key's time")
    require(content["origin"] == trust["origin"], "a checkpoint is of another ledger")
    return content


def read_export(path: Path) -> list[Json]:
    """The lines of an export. Only a newline ends one: a word may hold any other separator."""
    with open(path, "rb") as file:
        return [parsed(line) for line in file]


def check_export(path: Path, trust: Json) -> tuple[Json, list[bytes]]:
    """Verify an export; returns a summary and the leaf hashes."""
    return check_lines(read_export(path), trust)


def check_lines(lines: list[Json], trust: Json) -> tuple[Json, list[bytes]]:
    """Verify an export that was read; returns a summary and the leaf hashes."""
    head, rest = lines[0], lines[1:]
    require(set(head) == {"format", "origin", "size"}, "the export's first line is malformed")
    require(head.get("format") == "gateway-ledger-export-1", "this is not a ledger export")
    require(head["origin"] == trust["origin"], "the export is of another ledger")
    leaves: list[bytes] = []
    shown = 0
    for line in rest[: head["size"]]:
        require(line.get("index") == len(leaves), f"entry {len(leaves)} is missing or out of order")
        leaf = leaf_hash(bytes.fromhex(line["commitment"]))
        hidden = set(line) == {"index", "commitment"}
        whole = set(line) == {"index", "commitment", "entry", "salt"}
        require(hidden or whole, f"entry {len(leaves)} is malformed")
        if whole:
            shown += 1
            where = f"entry {len(leaves)} is not the one the log commits to"
            require(leaf_of(line["entry"], line["salt"]) == leaf, where)
        leaves.append(leaf)
    require(len(leaves) == head["size"], "the export is cut short")
    signed = [read_checkpoint(line["checkpoint"], trust) for line in rest[head["size"] :]]
    for checkpoint in signed:
        check_against(checkpoint, leaves)
    covered = max((checkpoint["size"] for checkpoint in signed), default=0)
    summary = {"kind": "export", "size": len(leaves), "root": merkle_root(leaves).hex()}
    # Nobody has signed that the entries after the last checkpoint are all there are.
    told = {"covered": covered, "uncovered": len(leaves) - covered}
    return summary | {"shown": shown, "checkpoints": len(signed), **told}, leaves


def check_against(checkpoint: Json, leaves: list[bytes]) -> None:
    """A checkpoint is of a log that begins with, or is, these leaves."""
    size = checkpoint["size"]
    require(size <= len(leaves), f"a checkpoint of {size} entries is longer than the log")
    root = merkle_root(leaves[:size]).hex()
    require(root == checkpoint["root"], f"the checkpoint of {size} entries has another root")


def check_proof(proof: Json, trust: Json) -> Json:
    """Verify the proof of one entry, from its salt to the signed checkpoint."""
    require(set(proof) == PROOF, "the proof has other members than it should")
    checkpoint = read_checkpoint(proof["checkpoint"], trust)
    same = (proof["size"], proof["root"]) == (checkpoint["size"], checkpoint["root"])
    require(same, "the proof leads to another checkpoint than the signed one")
    leaf = leaf_of(proof["entry"], proof["salt"])
    path = [bytes.fromhex(step) for step in proof["path"]]
    reached = root_from_path(leaf, proof["index"], proof["size"], path)
    require(reached.hex() == checkpoint["root"], "the entry does not stand in the log")
    return {"kind": "proof", "index": proof["index"], "size": proof["size"]}


def check_manifest(manifest: Json, trust: Json) -> Json:
    """Verify that a manifest's core is what its ledger entry commits to, and that it stands."""
    proof = manifest["ledger"]
    core = {name: value for name, value in manifest.items() if name != "ledger"}
    facts = proof["entry"]["facts"]
    require(proof["entry"]["event"] == "package-made", "the entry is about something else")
    digest = sha256(canonical(core)).hex()
    require(facts["core_digest"] == digest, "the entry commits to another manifest")
    require(facts["package"] == manifest["package"], "the entry is about another package")
    require(set(proof) == PROOF | {"consistency"}, "the manifest's proof is malformed")
    bare = {name: value for name, value in proof.items() if name != "consistency"}
    return check_proof(bare, trust) | {"kind": "manifest", "package": manifest["package"]}


def check(path: Path, trust: Json, export: Path | None) -> Json:
    """Find out what the file is, and verify it."""
    raw = path.read_bytes()
    first = parsed(raw.split(b"\n", 1)[0])
    if first.get("format") == "gateway-ledger-export-1":
        return check_export(path, trust)[0]
    document = parsed(raw)
    is_manifest = "ledger" in document
    if is_manifest:
        done = check_manifest(document, trust)
    else:
        require(document.pop("format") == "gateway-ledger-proof-1", "this is no proof")
        done = check_proof(document, trust)
    if export is not None:
        _, leaves = check_export(export, trust)
        proof = document["ledger"] if is_manifest else document
        check_against(read_checkpoint(proof["checkpoint"], trust), leaves)
        there = leaves[proof["index"]] == leaf_of(proof["entry"], proof["salt"])
        require(there, "the export holds another entry in its place")
    return done


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Verify a gateway's ledger independently.")
    parser.add_argument("file", type=Path, help="an export, a proof, or a package's manifest.json")
    parser.add_argument("--trust", type=Path, required=True, help="the sender's descriptor")
    parser.add_argument("--ledger", type=Path, help="an export that must hold the proved entry")
    given = parser.parse_args(arguments)
    try:
        done = check(given.file, parsed(given.trust.read_bytes()), given.ledger)
    except Wrong as fault:
        done = {"fault": str(fault)}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        done = {"fault": "a file is malformed or cannot be read"}
    print(json.dumps({"ok": "fault" not in done} | done))  # noqa: T201 - its answer
    return 6 if "fault" in done else 0


if __name__ == "__main__":
    sys.exit(main())
