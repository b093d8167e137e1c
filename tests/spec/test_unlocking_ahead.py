"""The key ring is unlocked beside the loading of a command, and is as strict as ever."""

import pytest

from gateway.adapters.keyring import KeyRing, open_ring
from gateway.adapters.settings import read_settings
from gateway.errors import Unavailable
from gateway.wiring import unlock_ahead

PASSPHRASE = b"correct-horse-battery-staple"


def settings_with(tmp_path, passphrase):
    data = tmp_path / "data"
    data.mkdir()
    KeyRing.create(data / "keys", PASSPHRASE, sender="trafford")
    path = tmp_path / "passphrase"
    path.write_bytes(passphrase)
    path.chmod(0o400)
    return read_settings(data, environ={"GATEWAY_PASSPHRASE_FILE": str(path)})


def test_a_ring_unlocked_ahead_opens(tmp_path):
    settings = settings_with(tmp_path, PASSPHRASE)
    beginning = unlock_ahead(settings)
    open_ring(settings).unlock()
    beginning.join()


def test_a_wrong_passphrase_is_refused_where_it_always_was(tmp_path):
    settings = settings_with(tmp_path, b"another-horse-battery-staple")
    beginning = unlock_ahead(settings)
    with pytest.raises(Unavailable, match="keys/wrong-passphrase"):
        open_ring(settings).unlock()
    beginning.join()


def test_nobody_is_asked_ahead_for_a_passphrase_that_is_typed(tmp_path):
    assert unlock_ahead(read_settings(tmp_path, environ={})) is None
