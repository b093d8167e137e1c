"""Files that are whole or not there, for their owner alone."""

import os
import stat

import pytest

from gateway.adapters.durable import written_beside


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    place = tmp_path / "book"
    place.write_bytes(b"former")
    with written_beside(place) as file:
        file.write(b"new")
        assert place.read_bytes() == b"former"
    assert place.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["book"]


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_a_fault_leaves_what_was_there_and_nothing_else(tmp_path, fault):
    place = tmp_path / "book"
    place.write_bytes(b"former")

    def broken_off() -> None:
        with written_beside(place) as file:
            file.write(b"half")
            raise fault

    with pytest.raises(fault):
        broken_off()
    assert place.read_bytes() == b"former"
    assert os.listdir(tmp_path) == ["book"]


def test_only_its_owner_may_read_a_file(tmp_path):
    with written_beside(tmp_path / "book") as file:
        file.write(b"x")
    assert stat.S_IMODE((tmp_path / "book").stat().st_mode) == 0o600
