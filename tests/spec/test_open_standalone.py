"""The stand-alone verifier: no line of the gateway in it, and it finds what was tampered with."""

import ast
import datetime as dt
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import gateway
from gateway import sealing
from gateway.adapters import ledger_check, ledger_store
from gateway.adapters.database import Database
from gateway.standalone import verify_ledger

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
FILE = Path(gateway.__file__).parent / "standalone" / "verify_ledger.py"


PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))


@dataclass(frozen=True)
class Key:
    key_id: str = "ledger-signing-1"
    private: Ed25519PrivateKey = PRIVATE

    def sign(self, message):
        return self.private.sign(message)


def core():
    return {"package": "p1", "release": "r1", "rows": 2, "text": "é\n\u2028"}


@pytest.fixture
def made(tmp_path):
    """An export, a proof, a manifest and the trust file of one ledger of 11 entries."""
    store = Database(f"sqlite:///{tmp_path / 'g.db'}")
    store.create_all()
    facts = {"release": "r1", "output": "o", "package": "p1", "recipient": "ons", "rows": 2}
    with store.begin() as connection:
        for number in range(10):
            code = {"release": f"r{number}", "code": "held"}
            ledger_store.append(connection, "release-held", code, salt=os.urandom(32), at=AT)
            if number in (0, 4):
                ledger_store.checkpoint(connection, Key(), AT, origin="knowsley")
        told = facts | {"core_digest": sealing.core_digest(core())}
        leaf = ledger_store.append(connection, "package-made", told, salt=os.urandom(32), at=AT)
        signed = ledger_store.checkpoint(connection, Key(), AT, origin="knowsley")
        part = ledger_store.ledger_part(connection, leaf, signed, recipient_key="age-1")
        proof = ledger_check.proof_document(ledger_store.prove(connection, 3), signed.jws)
        shown = "package-made".__eq__
        ledger_check.export(connection, tmp_path / "export", origin="knowsley", show=shown)
    store.close()
    (tmp_path / "proof").write_text(json.dumps(proof))
    (tmp_path / "manifest").write_text(json.dumps(sealing.complete_manifest(core(), part)))
    public = Key().private.public_key().public_bytes_raw()
    key = sealing.TrustedKey(use="ledger", key_id=Key().key_id, public=public, not_before=AT)
    (tmp_path / "trust").write_bytes(sealing.trust_descriptor("knowsley", [key]))
    return tmp_path


def run(made, name, capsys, *more):
    code = verify_ledger.main([str(made / name), "--trust", str(made / "trust"), *more])
    return code, json.loads(capsys.readouterr().out)


def test_it_imports_nothing_but_the_standard_library_and_cryptography():
    tree = ast.parse(FILE.read_text())
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert names <= sys.stdlib_module_names | {"cryptography"}


def test_it_runs_alone_from_another_place(made):
    alone = made / "verify_ledger.py"
    alone.write_bytes(FILE.read_bytes())
    command = [
        sys.executable,
        "-I",
        str(alone),
        str(made / "export"),
        "--trust",
        str(made / "trust"),
    ]
    done = subprocess.run(command, capture_output=True, cwd=made, timeout=60, check=True)
    summary = json.loads(done.stdout)
    assert (summary["ok"], summary["size"], summary["shown"], summary["checkpoints"]) == (
        True,
        11,
        1,
        3,
    )


@pytest.mark.parametrize("name", ["export", "proof", "manifest"])
def test_what_is_right_verifies(made, name, capsys):
    assert run(made, name, capsys)[0] == 0


@pytest.mark.parametrize("name", ["proof", "manifest"])
def test_a_proof_stands_in_the_export(made, name, capsys):
    assert run(made, name, capsys, "--ledger", str(made / "export"))[0] == 0


@pytest.mark.parametrize("name", ["export", "proof", "manifest"])
def test_changed_digits_and_letters_are_found(made, name, capsys):
    whole = (made / name).read_bytes()
    places = [i for i, byte in enumerate(whole) if chr(byte).isalnum()]
    for place in random.Random(1).sample(places, 150):
        other = b"1" if whole[place : place + 1] != b"1" else b"2"
        (made / name).write_bytes(whole[:place] + other + whole[place + 1 :])
        code, _ = run(made, name, capsys)
        assert code == 6, (place, whole[max(0, place - 20) : place + 20])


def test_removed_and_exchanged_lines_of_an_export_are_found(made, capsys):
    lines = (made / "export").read_bytes().splitlines(keepends=True)
    for place in range(12):
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        for change in (lines[:place] + lines[place + 1 :], swapped):
            (made / "export").write_bytes(b"".join(change))
            code, _ = run(made, "export", capsys)
            assert code == 6, place


def test_an_export_of_another_ledger_does_not_hold_the_proof(made, capsys):
    trust = json.loads((made / "trust").read_text()) | {"origin": "kirklees"}
    (made / "trust").write_text(json.dumps(trust))
    assert run(made, "export", capsys)[0] == 6
    assert run(made, "proof", capsys)[0] == 6


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'{"format":"x"}'])
def test_malformed_files_are_refused_without_a_traceback(made, content, capsys):
    (made / "proof").write_bytes(content)
    assert run(made, "proof", capsys)[0] == 6
