"""Processes that live on another day: the real commands, with the machine's clock moved on.

The product takes the time from the machine and from nowhere else, so that a test of what
holds a year later moves that clock, for the processes it starts, and changes nothing in them.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.office import Answer, Office

REPOSITORY = Path(__file__).resolve().parents[1]
DAY = 86_400
SOURCE = Path(__file__).with_suffix(".c")
# Given on standard input: the office's folders, then the commands, each a list of words.
COMMANDS = """
import dataclasses, json, sys
from pathlib import Path
from tests.journeys.office import Office
told = json.load(sys.stdin)
office = Office(Path(told["home"]), policies=Path(told["policies"]))
with office.open():
    answers = [dataclasses.asdict(office.run(*words)) for words in told["commands"]]
json.dump(answers, sys.stdout)
"""


@functools.cache
def library() -> Path:
    """The clock, built by the machine's compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a clock can be moved on Linux with a C compiler only")
    built = Path(tempfile.mkdtemp(prefix="moved-clock-")) / "moved_clock.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(SOURCE)]
    subprocess.run(words, check=True, timeout=60)
    return built


def environment(days: int) -> dict[str, str]:
    """What a process needs to live so many days later."""
    moved = {"LD_PRELOAD": str(library()), "CLOCK_MOVED_BY": str(days * DAY)}
    return {**os.environ, **moved}


def day_after(days: int) -> dt.date:
    """The day that such a process lives on."""
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)


def python(program: str, days: int, *, given: str = "", cwd: Path = REPOSITORY) -> str:
    """What a program prints that runs so many days later."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=given,
        cwd=cwd,
        env=environment(days),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def later(office: Office, days: int, *commands: Sequence[str]) -> list[Answer]:
    """The answers to commands that run, one after the other, so many days later."""
    told = {"home": str(office.home), "policies": str(office.policies), "commands": commands}
    printed: list[dict[str, Any]] = json.loads(python(COMMANDS, days, given=json.dumps(told)))
    return [Answer(**each) for each in printed]


def done(office: Office, days: int, *commands: Sequence[str]) -> list[Answer]:
    """The same where every one of them has to succeed."""
    answers = later(office, days, *commands)
    for words, answer in zip(commands, answers, strict=True):
        assert answer.code == 0, (words, answer.code, answer.out[-800:], answer.err[-800:])
    return answers
