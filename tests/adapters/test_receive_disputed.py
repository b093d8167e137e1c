"""What becomes of an extract about which Great Expectations and the compiled pass differ."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.judge import Judge
from gateway.adapters.settings import read_settings
from gateway.intake import Verdict
from gateway.model import Contract
from gateway.wiring.receiving import intake_desk
from gateway.workflows.ports import IntakeDesk
from gateway.workflows.receive import receive
from tests.journeys.office import REPOSITORY, Office

HEADER = (
    "person_id,family_id,nhs_number,upn,nino,dob,sex,postcode,programme_arm,criteria_met,"
    "support_start,possible_sessions,absent_sessions,incidents,on_benefit\n"
)


class UnderStricterTerms:
    """The real judge, who was told that no row at all may fail."""

    def __init__(self, judge: Any) -> None:
        self._judge = judge

    def judge(
        self, contract: Contract, verdict: Verdict, previous: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        evidence: Mapping[str, Any] = self._judge.judge(
            replace(contract, quarantine_above=0.0), verdict, previous
        )
        return evidence


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[IntakeDesk]:
    office = Office(tmp_path, policies=REPOSITORY / "tests" / "benchmarks" / "policies")
    office.run("init", "--name", "bench")
    settings = read_settings(office.data, environ=office.environment())
    with intake_desk(settings, progress=lambda *_words, **_more: None) as made:
        assert isinstance(made.judge, Judge)
        yield made


def extract(people: int) -> io.BytesIO:
    rows = [f"P{n:05},F{n:05},,,,1990-01-01,1,ZA7 2EU,,,,10,1,0,Y\n" for n in range(people)]
    rows[7] = rows[7].replace(",Y\n", ",perhaps\n")
    return io.BytesIO((HEADER + "".join(rows)).encode())


def test_an_extract_about_which_both_agree_is_accepted(desk: IntakeDesk) -> None:
    receipt = receive(desk, extract(50), dataset="bench", party="bench-council")
    assert (receipt.state, receipt.accepted, receipt.quarantined) == ("accepted", 49, 1)
    assert [found["code"] for found in receipt.findings] == ["intake/code-unknown"]


def test_an_extract_about_which_they_differ_waits_and_says_so(desk: IntakeDesk) -> None:
    disputed = replace(desk, judge=UnderStricterTerms(desk.judge))
    receipt = receive(disputed, extract(50), dataset="bench", party="bench-council")
    assert (receipt.state, receipt.accepted, receipt.quarantined) == ("quarantined", 0, 50)
    codes = [found["code"] for found in receipt.findings]
    assert codes == ["intake/judgement-differs", "intake/code-unknown"]
    assert receipt.evidence["state"] == "quarantined"
