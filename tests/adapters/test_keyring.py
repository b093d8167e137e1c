"""The key ring on a real file system: safe files, lazy secrets, exact kinds."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.keyring import KeyRing, month_of, months_from, open_ring
from gateway.adapters.keyring_memory import spill_key
from gateway.adapters.keyring_signing import verifies
from gateway.adapters.settings import read_settings
from gateway.errors import IntegrityError, RefusedError, Unavailable, UsageError
from gateway.identity import ControllerRoot, RegisterRoot, StudyRoot
from gateway.model.keys import FORMS, MEANINGS, KeyForm, KeyKind, KeyState

AT = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
PASSPHRASE = b"correct-horse-battery-staple"


def never() -> bytes:
    raise AssertionError("the passphrase was asked for")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made") / "keys"
    ring = KeyRing.create(directory, PASSPHRASE, sender="trafford-council")
    ring.make(KeyKind.STUDY_ROOT, owner="nis", epoch="2026-1", at=AT)
    ring.make(KeyKind.REGISTER_ROOT, owner="trafford-council", epoch="1", at=AT)
    ring.make(KeyKind.STORAGE, owner="2026-11", epoch="2026-11", at=AT)
    ring.make(KeyKind.UPLOAD, owner="2026-11", epoch="2026-11", at=AT)
    ring.make(KeyKind.PACKAGE_SIGNING, epoch="1", at=AT)
    ring.make(KeyKind.SUBJECT_INDEX, epoch="1", at=AT)
    return directory


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "keys"
    copied.mkdir(mode=0o700)
    copied.chmod(0o700)
    for path in made.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
        (copied / path.name).chmod(0o400)
    return copied


@pytest.fixture
def ring(directory: Path) -> KeyRing:
    return KeyRing(directory, lambda: PASSPHRASE)


def test_every_kind_has_a_form_and_a_meaning() -> None:
    assert set(FORMS) == set(MEANINGS) == set(KeyKind)


def test_public_parts_are_read_without_any_passphrase(directory: Path) -> None:
    ring = KeyRing(directory, never)
    assert ring.storage_recipient(dt.date(2026, 11, 30)).public.startswith("age1")
    assert ring.upload_recipient(dt.date(2026, 11, 30)).public.startswith("x25519:")
    assert {record.id for record in ring.records()} >= {"study-nis-2026-1", "package-signing-1"}
    assert ring.verifying_keys("package-signing")[0].public.startswith("ed25519:")
    assert ring.sender == "trafford-council"


def test_the_passphrase_is_asked_for_once(directory: Path) -> None:
    asked = []

    def ask() -> bytes:
        asked.append(1)
        return PASSPHRASE

    ring = KeyRing(directory, ask)
    ring.secret("study-nis-2026-1", KeyKind.STUDY_ROOT)
    ring.signer("package-signing")
    assert asked == [1]


def test_a_file_of_the_ring_shows_no_secret_in_clear(ring: KeyRing, directory: Path) -> None:
    root = ring.secret("study-nis-2026-1", KeyKind.STUDY_ROOT)
    identity = ring.storage_identity("storage-2026-11").encode()
    for path in directory.iterdir():
        held = path.read_bytes()
        assert root not in held
        assert root.hex().encode() not in held
        assert identity not in held


def test_files_are_0400_in_a_directory_of_0700(directory: Path, made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o400}


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o640, 0o666])
def test_a_key_file_that_others_can_reach_is_not_read(directory: Path, mode: int) -> None:
    (directory / "study-nis-2026-1.json").chmod(mode)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        KeyRing(directory, never).records()


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_ring_directory_that_others_can_reach_is_not_read(directory: Path, mode: int) -> None:
    directory.chmod(mode)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        KeyRing(directory, never).storage_recipient(dt.date(2026, 11, 1))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_not_read(directory: Path) -> None:
    os.chown(directory / "study-nis-2026-1.json", 12345, -1)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        KeyRing(directory, never).records()


def test_a_key_file_that_is_no_file_is_not_read(directory: Path) -> None:
    os.mkfifo(directory / "fifo-1.json", 0o400)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        KeyRing(directory, never).records()


def test_a_wrong_passphrase_opens_nothing(directory: Path) -> None:
    ring = KeyRing(directory, lambda: b"another-long-passphrase")
    with pytest.raises(Unavailable, match="keys/wrong-passphrase"):
        ring.secret("study-nis-2026-1", KeyKind.STUDY_ROOT)


def test_a_key_of_another_kind_is_refused_by_name(ring: KeyRing) -> None:
    with pytest.raises(RefusedError, match=r"keys/wrong-kind.*register key; a study key"):
        ring.secret("register-trafford-council-1", KeyKind.STUDY_ROOT)
    with pytest.raises(RefusedError, match="keys/wrong-kind"):
        ring.signer("study", owner="nis")
    with pytest.raises(RefusedError, match="keys/wrong-kind"):
        ring.symmetric("study")


def test_each_root_is_given_out_as_its_own_type(ring: KeyRing) -> None:
    ring.make(KeyKind.CONTROLLER_ROOT, owner="trafford-council", epoch="1", at=AT)
    assert type(ring.study_root("nis", "2026-1")) is StudyRoot
    assert type(ring.register_root("trafford-council")) is RegisterRoot
    assert type(ring.controller_root("trafford-council")) is ControllerRoot
    with pytest.raises(Unavailable, match="keys/absent"):
        ring.study_root("nis", "2026-2")


def _rewrite(path: Path, **changes: str) -> None:
    content = json.loads(path.read_bytes()) | changes
    path.chmod(0o600)
    path.write_text(json.dumps(content))
    path.chmod(0o400)


@pytest.mark.parametrize(
    "changes",
    [{"kind": "study", "id": "study-x-1"}, {"epoch": "2"}, {"owner": "x"}, {"sealed": "00" * 48}],
)
def test_a_key_relabelled_on_disk_does_not_open(
    ring: KeyRing, directory: Path, changes: dict[str, str]
) -> None:
    _rewrite(directory / "register-trafford-council-1.json", **changes)
    kind = KeyKind(changes.get("kind", "register"))
    with pytest.raises(IntegrityError, match="keys/damaged"):
        ring.secret("register-trafford-council-1", kind)


def test_a_key_of_another_ring_does_not_open(ring: KeyRing, tmp_path: Path) -> None:
    other = KeyRing.create(tmp_path / "other", PASSPHRASE, sender="x")
    other.make(KeyKind.BLIND_INDEX, epoch="7", at=AT)
    foreign = tmp_path / "other" / "blind-index-7.json"
    foreign.rename(tmp_path / "keys" / "blind-index-7.json")
    with pytest.raises(IntegrityError, match="keys/damaged"):
        ring.secret("blind-index-7", KeyKind.BLIND_INDEX)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"format": "gateway-key/1"}'])
def test_a_damaged_key_file_is_named_as_damaged(directory: Path, content: bytes) -> None:
    path = directory / "study-nis-2026-1.json"
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(IntegrityError, match="keys/damaged"):
        KeyRing(directory, never).records()


def test_a_header_without_salt_is_named_as_damaged(ring: KeyRing, directory: Path) -> None:
    _rewrite(directory / "ring.json", salt="")
    with pytest.raises(IntegrityError, match="keys/damaged"):
        ring.unlock()


def test_no_key_is_ever_overwritten(ring: KeyRing, directory: Path) -> None:
    before = (directory / "study-nis-2026-1.json").read_bytes()
    with pytest.raises(UsageError, match="keys/exists"):
        ring.make(KeyKind.STUDY_ROOT, owner="nis", epoch="2026-1", at=AT)
    assert (directory / "study-nis-2026-1.json").read_bytes() == before
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "kind", [KeyKind.SPILL, KeyKind.TOKEN_VERIFYING, KeyKind.RECIPIENT_SEALING]
)
def test_kinds_without_a_stored_secret_are_not_made(ring: KeyRing, kind: KeyKind) -> None:
    assert FORMS[kind] in {KeyForm.MEMORY_ONLY, KeyForm.PUBLIC_ONLY}
    with pytest.raises(UsageError, match="keys/kind-not-kept"):
        ring.make(kind, at=AT)


@pytest.mark.parametrize("name", ["../x", "A", "a_b", "x" * 41, "é"])
def test_malformed_names_never_reach_the_file_system(ring: KeyRing, name: str) -> None:
    with pytest.raises(UsageError, match="keys/malformed-name"):
        ring.make(KeyKind.STUDY_ROOT, owner=name, epoch="1", at=AT)
    with pytest.raises(UsageError, match=r"keys/malformed-name|keys/unknown"):
        ring.record(name)


def test_a_pending_key_is_used_only_after_it_is_settled(ring: KeyRing) -> None:
    ring.put(KeyKind.STUDY_ROOT, b"r" * 32, owner="nis", epoch="2026-2", at=AT)
    with pytest.raises(Unavailable, match="keys/absent"):
        ring.find(KeyKind.STUDY_ROOT, owner="nis", epoch="2026-2")
    with pytest.raises(RefusedError, match="keys/pending"):
        ring.secret("study-nis-2026-2", KeyKind.STUDY_ROOT)
    assert ring.settle("study-nis-2026-2").state is KeyState.READY
    assert ring.secret("study-nis-2026-2", KeyKind.STUDY_ROOT) == b"r" * 32


def test_a_pending_key_cannot_be_made_ready_by_editing_its_file(
    ring: KeyRing, directory: Path
) -> None:
    ring.put(KeyKind.STUDY_ROOT, b"r" * 32, owner="nis", epoch="2026-2", at=AT)
    _rewrite(directory / "study-nis-2026-2.json", state="ready")
    with pytest.raises(IntegrityError, match="keys/damaged"):
        ring.secret("study-nis-2026-2", KeyKind.STUDY_ROOT)


def test_the_tenth_generation_is_newer_than_the_ninth(ring: KeyRing) -> None:
    for generation in ("9", "10"):
        ring.make(KeyKind.PACKAGE_SIGNING, epoch=generation, at=AT)
    assert ring.signer("package-signing").key_id == "package-signing-10"


def test_signatures_verify_under_the_public_half_in_the_list(ring: KeyRing) -> None:
    public = ring.record("package-signing-1").public
    signature = ring.signer("package-signing").sign(b"manifest")
    assert verifies(public, signature, b"manifest")
    assert not verifies(public, signature, b"another")


def test_a_destroyed_key_is_gone_from_ring_and_disk(ring: KeyRing, directory: Path) -> None:
    wrapped = json.loads((directory / "study-nis-2026-1.json").read_bytes())["sealed"]
    ring.destroy("study-nis-2026-1")
    with pytest.raises(UsageError, match="keys/unknown"):
        ring.secret("study-nis-2026-1", KeyKind.STUDY_ROOT)
    assert not [path for path in directory.iterdir() if wrapped.encode() in path.read_bytes()]


def test_shredding_overwrites_the_bytes_before_the_name_goes(
    ring: KeyRing, directory: Path
) -> None:
    path = directory / "study-nis-2026-1.json"
    length = path.stat().st_size
    with path.open("rb") as held:
        ring.destroy("study-nis-2026-1")
        assert held.read() == bytes(length)


def test_destroying_a_key_shreds_the_drafts_that_killed_writers_left(
    ring: KeyRing, directory: Path
) -> None:
    wrapped = (directory / "study-nis-2026-1.json").read_bytes()
    draft = directory / ".draft-0011223344556677"
    draft.write_bytes(wrapped)
    draft.chmod(0o400)
    ring.destroy("study-nis-2026-1")
    assert not draft.exists()


def test_settling_a_key_overwrites_its_pending_copy(ring: KeyRing, directory: Path) -> None:
    ring.put(KeyKind.STUDY_ROOT, b"r" * 32, owner="nis", epoch="2026-2", at=AT)
    path = directory / "study-nis-2026-2.json"
    length = path.stat().st_size
    with path.open("rb") as old:
        ring.settle("study-nis-2026-2")
        assert old.read() == bytes(length)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_month_without_a_pair_stops_receiving_by_name(ring: KeyRing) -> None:
    with pytest.raises(Unavailable, match=r"keys/absent.*2031-01"):
        ring.storage_recipient(dt.date(2031, 1, 1))
    assert ring.storage_months_left(dt.date(2026, 11, 1)) == 1
    assert ring.storage_months_left(dt.date(2027, 11, 1)) == 0
    assert ring.months_missing(dt.date(2026, 11, 30))[0] == (KeyKind.STORAGE, "2026-12")


def test_a_month_without_its_pair_for_uploads_is_told_by_name(
    ring: KeyRing, directory: Path
) -> None:
    ring.destroy("upload-2026-11")
    with pytest.raises(Unavailable, match=r"keys/absent.*upload"):
        KeyRing(directory, never).upload_recipient(dt.date(2026, 11, 1))
    assert ring.storage_months_left(dt.date(2026, 11, 1)) == 0
    assert ring.months_missing(dt.date(2026, 11, 1))[12] == (KeyKind.UPLOAD, "2026-11")


def test_a_pair_for_uploads_opens_no_stored_file_and_the_other_way_round(ring: KeyRing) -> None:
    with pytest.raises(RefusedError, match="keys/wrong-kind"):
        ring.upload_secret("storage-2026-11")
    with pytest.raises(RefusedError, match="keys/wrong-kind"):
        ring.storage_identity("upload-2026-11")


def test_months_follow_each_other_over_the_year() -> None:
    assert months_from(dt.date(2026, 11, 30), 3) == ("2026-11", "2026-12", "2027-01")
    assert month_of(dt.date(2027, 1, 31)) == "2027-01"


def test_no_secret_stands_in_a_repr(ring: KeyRing) -> None:
    key = ring.symmetric("subject-index")
    signer = ring.signer("package-signing")
    assert len(key.secret) == 32
    assert repr(key.secret)[2:-1] not in repr(key)
    assert "_sign" not in repr(signer)
    assert "Wrapping(...)" in repr(ring._wrapping)
    assert spill_key() != spill_key()


def test_a_data_directory_without_a_ring_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="keys/no-ring"):
        open_ring(read_settings(tmp_path, environ={}))


def test_a_process_that_opened_a_secret_leaves_no_core_file(directory: Path) -> None:
    program = """
import ctypes, resource, sys
from pathlib import Path
from gateway.adapters.keyring import KeyRing
ring = KeyRing(Path(sys.argv[1]), lambda: sys.argv[2].encode())
ring.records()
assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1
ring.unlock()
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0
"""
    subprocess.run([sys.executable, "-c", program, str(directory), PASSPHRASE.decode()], check=True)


def test_a_disk_that_takes_no_more_leaves_no_half_key(directory: Path) -> None:
    program = """
import datetime as dt, resource, sys
from pathlib import Path
from gateway.adapters.keyring import KeyRing
from gateway.errors import Unavailable
from gateway.model.keys import KeyKind
ring = KeyRing(Path(sys.argv[1]), lambda: sys.argv[2].encode())
ring.unlock()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    ring.make(KeyKind.BLIND_INDEX, epoch="1", at=dt.datetime.now(dt.UTC))
except Unavailable as fault:
    print(fault.code)
"""
    before = sorted(path.name for path in directory.iterdir())
    arguments = [sys.executable, "-c", program, str(directory), PASSPHRASE.decode()]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "keys/not-written"
    assert sorted(path.name for path in directory.iterdir()) == before


def test_two_processes_making_the_same_key_leave_exactly_one(directory: Path) -> None:
    program = """
import datetime as dt, sys
from pathlib import Path
from gateway.adapters.keyring import KeyRing
from gateway.errors import UsageError
from gateway.model.keys import KeyKind
ring = KeyRing(Path(sys.argv[1]), lambda: sys.argv[2].encode())
ring.unlock()
made = 0
for number in range(30):
    try:
        ring.make(KeyKind.BLIND_INDEX, epoch=str(number), at=dt.datetime.now(dt.UTC))
        made += 1
    except UsageError as fault:
        assert fault.code == "keys/exists"
print(made)
"""
    arguments = [sys.executable, "-c", program, str(directory), PASSPHRASE.decode()]
    both = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [int(one.communicate()[0]) for one in both]
    assert sum(counts) == 30
    ring = KeyRing(directory, lambda: PASSPHRASE)
    for number in range(30):
        assert len(ring.secret(f"blind-index-{number}", KeyKind.BLIND_INDEX)) == 32
