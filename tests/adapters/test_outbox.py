"""Forwarding: whole or not there, once, and never over other bytes."""

import hashlib

import pytest

from gateway.adapters.outbox import forward_to_folder
from gateway.errors import IntegrityError, Unavailable


@pytest.fixture
def staged(tmp_path):
    path = tmp_path / "pkg-1.gwp"
    path.write_bytes(b"package")
    return path


DIGEST = hashlib.sha256(b"package").hexdigest()


def test_a_package_lies_in_its_recipients_folder(tmp_path, staged):
    place = forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST)
    assert place == tmp_path / "out" / "ons" / "pkg-1.gwp"
    assert [path.name for path in place.parent.iterdir()] == ["pkg-1.gwp"]


def test_forwarding_twice_changes_nothing(tmp_path, staged):
    first = forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST).stat()
    second = forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST).stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_a_half_copied_package_of_a_killed_run_is_replaced(tmp_path, staged):
    (tmp_path / "out" / "ons").mkdir(parents=True)
    (tmp_path / "out" / "ons" / "pkg-1.gwp.part").write_bytes(b"pack")
    place = forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST)
    assert [path.name for path in place.parent.iterdir()] == ["pkg-1.gwp"]


def test_other_bytes_under_the_same_name_are_not_written_over(tmp_path, staged):
    (tmp_path / "out" / "ons").mkdir(parents=True)
    (tmp_path / "out" / "ons" / "pkg-1.gwp").write_bytes(b"other")
    with pytest.raises(IntegrityError, match="release/other-bytes"):
        forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST)
    assert (tmp_path / "out" / "ons" / "pkg-1.gwp").read_bytes() == b"other"


def test_a_staged_file_that_changed_does_not_leave(tmp_path, staged):
    staged.write_bytes(b"tampered")
    with pytest.raises(IntegrityError, match="release/other-bytes"):
        forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST)
    assert not (tmp_path / "out" / "ons" / "pkg-1.gwp").exists()


def test_an_outbox_that_cannot_be_written_is_said_so(tmp_path, staged):
    (tmp_path / "out").write_bytes(b"a file, not a folder")
    with pytest.raises(Unavailable, match="release/not-forwarded"):
        forward_to_folder(staged, tmp_path / "out", "ons", digest=DIGEST)
