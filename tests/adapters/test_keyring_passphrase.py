"""Where the passphrase comes from: a safe file, generated once, never inside the data."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from gateway.adapters.keyring_passphrase import new_passphrase, read_passphrase
from gateway.adapters.settings import Settings, describe, read_settings
from gateway.errors import Unavailable, UsageError


def settings_with(tmp_path: Path, named: Path | None) -> Settings:
    environ = {"GATEWAY_PASSPHRASE_FILE": str(named)} if named else {}
    return read_settings(tmp_path / "var", environ=environ)


def written(path: Path, content: bytes, mode: int = 0o400) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_named_file_that_is_missing_is_generated_with_120_bits(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, tmp_path / "secret" / "passphrase")
    first, made = new_passphrase(settings)
    assert made
    assert len(first.replace(b"-", b"")) * 5 == 120
    assert stat.S_IMODE((tmp_path / "secret" / "passphrase").stat().st_mode) == 0o400
    assert new_passphrase(settings) == (first, False)
    assert read_passphrase(settings) == first


def test_two_generated_passphrases_differ(tmp_path: Path) -> None:
    made = {new_passphrase(settings_with(tmp_path, tmp_path / name))[0] for name in "abc"}
    assert len(made) == 3


@pytest.mark.parametrize("weak", [b"short", b"fifteen-letters", b"x\n"])
def test_a_weak_passphrase_makes_no_ring(tmp_path: Path, weak: bytes) -> None:
    settings = settings_with(tmp_path, written(tmp_path / "p", weak))
    with pytest.raises(Unavailable, match="keys/weak-passphrase"):
        new_passphrase(settings)


def test_an_empty_passphrase_file_is_refused(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, written(tmp_path / "p", b"\n"))
    with pytest.raises(Unavailable, match="keys/empty-passphrase"):
        read_passphrase(settings)


@pytest.mark.parametrize("mode", [0o440, 0o444, 0o600, 0o644])
def test_a_passphrase_file_of_any_mode_but_0400_is_refused(tmp_path: Path, mode: int) -> None:
    settings = settings_with(tmp_path, written(tmp_path / "p", b"x" * 20, mode))
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        read_passphrase(settings)


def test_a_passphrase_file_inside_the_data_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    settings = settings_with(tmp_path, written(tmp_path / "var" / "p", b"x" * 20))
    with pytest.raises(Unavailable, match="keys/passphrase-inside-data"):
        read_passphrase(settings)


def test_a_link_into_the_data_directory_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "p").symlink_to(written(tmp_path / "var" / "p", b"x" * 20))
    with pytest.raises(Unavailable, match="keys/passphrase-inside-data"):
        read_passphrase(settings_with(tmp_path, tmp_path / "p"))


def test_a_missing_passphrase_file_is_refused_when_a_ring_is_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="keys/unreadable"):
        read_passphrase(settings_with(tmp_path, tmp_path / "absent"))


def test_without_file_and_terminal_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Unavailable, match=r"keys/no-passphrase.*GATEWAY_PASSPHRASE_FILE"):
        read_passphrase(settings_with(tmp_path, None))


def test_an_unknown_setting_is_refused_by_name_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"GATEWAY_DTAA.*GATEWAY_DATA\?"):
        read_settings(environ={"GATEWAY_DTAA": "x"})


def test_settings_say_where_each_value_comes_from_and_hide_passwords(tmp_path: Path) -> None:
    environ = {"GATEWAY_DATABASE_URL": "postgresql://me:hush@host/db?password=hush"}
    settings = read_settings(tmp_path, environ=environ)
    shown = {row["name"]: row for row in describe(settings)}
    assert shown["GATEWAY_DATA"]["source"] == "--data"
    assert shown["GATEWAY_DATABASE_URL"]["value"] == "postgresql://***@host/db"
    assert shown["GATEWAY_POLICIES"]["source"] == "default"
    assert "hush" not in repr(settings)
    assert all(row["meaning"] for row in shown.values())
