"""The demo runs through, ends with an opened package and a proof, and will in years to come."""

import datetime as dt
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from gateway import policy
from gateway.adapters.policy_folder import read_policies
from gateway.cli.demo_renewal import renewed
from gateway.model import Plan, SharingRequest
from tests.journeys.office import REPOSITORY, Office


def test_the_demo_tells_the_whole_story(tmp_path):
    office = Office(tmp_path)
    told = office.must("demo", "--size", "20000", "--to", str(tmp_path / "demo")).out
    for said in (
        "Rejected: 399 rows read",
        "intake/row-width",
        "operators/not-permitted",
        "sharing/no-agreement",
        "people received =",
        "fields of the sources were not sent",
        "form, envelope, manifest, digests, ledger verify",
        "With one byte changed it is refused",
        '"ok": true',
        "The end, after",
    ):
        assert said in told
    assert (tmp_path / "demo" / "opened" / "payload" / "data.csv").exists()
    assert not (tmp_path / "demo" / "opened" / "tampered").exists()
    for command in recommended(told):
        done = subprocess.run(command, capture_output=True, text=True, check=False, shell=True)
        assert done.returncode == 0, command + done.stdout + done.stderr


def recommended(told):
    """What it says to try next, each command with the settings that it says to export."""
    export, *commands = (line.strip() for line in told.split("Try next:")[1].splitlines()[1:5])
    assert export.startswith("export GATEWAY_DATA=")
    assert len(commands) == 3
    gateway = shlex.quote(str(Path(sys.executable).with_name("gateway")))
    return [f"{export}; {gateway}{each.removeprefix('gateway')}" for each in commands]


def test_documents_that_are_in_force_are_used_as_shipped(tmp_path):
    shipped = REPOSITORY / "policies"
    assert renewed(shipped, tmp_path / "copy", today=dt.date(2026, 5, 1)) == shipped
    assert not (tmp_path / "copy").exists()


def test_ended_documents_are_renewed_with_their_comments(tmp_path):
    shipped, today = tmp_path / "shipped", dt.date(2031, 5, 1)
    shutil.copytree(REPOSITORY / "policies", shipped)
    copy = renewed(shipped, tmp_path / "copy", today=today)
    bundle, findings = policy.load(read_policies(copy))
    request = SharingRequest(
        purpose="national-impact-study", agreement="trafford-stronger-families"
    )
    assert findings == ()
    assert isinstance(policy.decide(request, bundle, on=today), Plan)
    text = (copy / "agreements" / "trafford.toml").read_text("utf-8")
    assert "# the unit of a release is the person of the spine" in text
