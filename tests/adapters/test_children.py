"""The processes of receiving leave nothing behind, and die when they take too long."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.adapters.children import JudgeChild

PARENT = """
import sys, time
from gateway.adapters.children import JudgeChild
child = JudgeChild()
child.wait()
print(child.process.pid, flush=True)
time.sleep(600)
"""
PATIENCE = 30.0


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def until(pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while not gone(pid):
        assert time.monotonic() < end, "the child lives on"
        time.sleep(0.05)


def test_a_judge_whose_parent_is_killed_ends_and_leaves_no_folder(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE, text=True
    )
    with parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    until(child)
    assert list(tmp_path.iterdir()) == []


def test_a_judge_makes_no_folder_of_its_own():
    before = set(os.listdir(tempfile.gettempdir()))
    judge = JudgeChild()
    try:
        judge.wait()
        new = set(os.listdir(tempfile.gettempdir())) - before
        assert not [name for name in new if name.startswith("judge")]
    finally:
        judge.end()


def test_a_child_that_takes_too_long_is_killed_and_its_end_is_told():
    told = []
    judge = JudgeChild()
    try:
        with judge.killed_after(0.05, told=lambda: told.append("late")):
            until(judge.process.pid)
        assert told == ["late"]
    finally:
        judge.end()
