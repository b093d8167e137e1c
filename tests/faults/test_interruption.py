"""An order to stop is told as one, even from inside code that hides it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pyrage
import pytest

from gateway.cli.common import exits
from gateway.service.worker import _OVER as OVER
from gateway.service.worker import Stopping, stopped_by_signal


class Ordering(io.RawIOBase):
    """A file that gets the order to stop while native code reads it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        os.kill(os.getpid(), self.number)
        return 0


def sealing(number: int) -> None:
    """Let native code read `Ordering`."""
    to = pyrage.x25519.Identity.generate().to_public()
    pyrage.encrypt_io(io.BufferedReader(Ordering(number)), io.BytesIO(), [to])


def faulty() -> None:
    raise RuntimeError("a person's value")


class Leaving:
    """An object that gets the order to stop while Python clears it away."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(10))


def clearing() -> None:
    leaving = Leaving()
    del leaving
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def hearing() -> Iterator[None]:
    """Ctrl-C is heard, also where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_native_code_that_was_reading_does_not_hide_the_order(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        exits(sealing)(number)
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith("gateway/stopped: ")


def test_an_order_that_python_dropped_is_given_again(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        exits(clearing)()
    told = capsys.readouterr().err
    assert told.startswith("gateway/stopped: ")
    assert "Traceback" not in told


def test_a_fault_without_an_order_stays_the_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        exits(faulty)()
    told = capsys.readouterr().err
    assert told.startswith("gateway/unexpected: ")
    assert "person" not in told


def test_a_command_leaves_the_signals_as_it_found_them() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    exits(lambda: None)()
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_worker_whose_grace_is_over_stops_whatever_the_job_makes_of_it() -> None:
    with stopped_by_signal(), pytest.raises(Stopping), OVER.unmasked():
        sealing(signal.SIGALRM)


def test_a_worker_that_was_stopped_once_tells_later_faults_as_they_are() -> None:
    with stopped_by_signal(), pytest.raises(Stopping), OVER.unmasked():
        sealing(signal.SIGALRM)
    with stopped_by_signal(), pytest.raises(RuntimeError), OVER.unmasked():
        faulty()


def test_a_command_in_the_background_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    script = (
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from gateway.cli.common import exits\n"
        "exits(lambda: os.kill(os.getpid(), signal.SIGINT))()\n"
        "print('went on')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "went on\n"
