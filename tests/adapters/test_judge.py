"""Great Expectations judges numbers only, and a disagreement or silence holds the extract."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.adapters.judge import Judge
from gateway.intake import ACCEPTED, QUARANTINED, Verdict, rejected, suite
from tests.bad_input.police_extract import NHS, POLICE, check, row, rows, text


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as warm:
        yield warm


@pytest.fixture(scope="module")
def good() -> Verdict:
    return check(text(rows(60)))


CASES = {
    "good": rows(60),
    "one required value missing": [*rows(60), row(60, surname="")],
    "too many rows failing": [*rows(60), *(row(60 + n, surname="") for n in range(5))],
    "most rows failing": [*rows(9), *(row(60 + n, surname="") for n in range(5))],
    "more than tolerated": [row(n, nhs="123456789" if n < 4 else NHS[n - 4]) for n in range(10)],
    "no rows": [],
    "a field too many": [[*line, "x"] for line in rows(9)],
}


@pytest.mark.parametrize("case", CASES)
def test_the_library_agrees_with_the_compiled_decision(judge: Judge, case: str) -> None:
    verdict = check(text(CASES[case]))
    evidence = judge.judge(POLICE, verdict)
    assert evidence["success"]
    assert evidence["state"] == verdict.state
    assert evidence["library"].startswith("great_expectations 1.")


def test_each_expectation_says_what_was_observed_and_tolerated(judge: Judge) -> None:
    verdict = check(text(CASES["one required value missing"]))
    evidence = judge.judge(POLICE, verdict)
    found = {each["rule"]: each for each in evidence["expectations"]}
    assert not found["surname.required"]["success"]
    assert found["surname.required"]["observed"] == pytest.approx(1 / 61)
    assert found["surname.required"]["tolerated"] == 0
    assert found["nhs.nhs-number"]["tolerated"] == 0.3
    assert {count.rule for count in verdict.rules} <= set(found)


@pytest.mark.parametrize(
    "change",
    [
        {"state": QUARANTINED},
        {"failing_rows": 30},
        {"broken": True},
        {"rows": 0},
    ],
)
def test_a_decision_that_the_numbers_do_not_bear_out_is_not_confirmed(
    judge: Judge, good: Verdict, change: dict[str, object]
) -> None:
    assert good.state == ACCEPTED
    assert not judge.judge(POLICE, replace(good, **change))["success"]


def test_what_changed_against_the_last_extract_is_watched(judge: Judge, good: Verdict) -> None:
    before = {
        **good.profile,
        "rows": 600,
        "nulls": {**good.profile["nulls"], "flag": 300},
        "codes": {**good.profile["codes"], "sex": {"1": 600}},
    }
    evidence = judge.judge(POLICE, good, before)
    moved = {(each["kind"], each["rule"]) for each in evidence["watch"] if not each["success"]}
    assert moved >= {("watch-volume", "rows"), ("watch-nulls", "flag"), ("watch-codes", "sex")}
    assert evidence["success"]


def test_an_unchanged_extract_raises_nothing_to_watch(judge: Judge, good: Verdict) -> None:
    evidence = judge.judge(POLICE, good, good.profile)
    assert evidence["watch"]
    assert all(each["success"] for each in evidence["watch"])


def test_the_suite_in_force_is_named_by_its_digest(judge: Judge, good: Verdict) -> None:
    changed = replace(POLICE, version=POLICE.version + 1)
    first, second = judge.judge(POLICE, good), judge.judge(changed, good)
    assert first["suite"] != second["suite"]
    assert len(first["suite"]) == 64


def test_a_judge_that_is_gone_confirms_nothing(good: Verdict) -> None:
    with Judge() as warm:
        warm._child.process.kill()
        evidence = warm.judge(POLICE, good)
    assert not evidence["success"]
    assert evidence["fault"] == "judge-unavailable"


def test_one_that_is_killed_while_it_judges_is_followed_by_a_fresh_one_once(good: Verdict) -> None:
    with Judge(fresh=True) as judging:
        judging.wait()
        process = judging._child.process.pid
        # Stopped, so that it still judges when it is killed.
        os.kill(process, signal.SIGSTOP)
        threading.Timer(0.5, os.kill, (process, signal.SIGKILL)).start()
        assert judging.judge(POLICE, good)["success"]
        assert judging._child.process.pid != process


def test_a_judge_that_does_not_answer_in_time_confirms_nothing(good: Verdict) -> None:
    with Judge(answer_seconds=0.01) as warm:
        assert not warm.judge(POLICE, good)["success"]


def test_the_evidence_is_json_without_a_value_of_a_person(judge: Judge) -> None:
    canary = "Canaryname"
    lines = [*rows(60), row(60, surname=canary, nhs="4010232137", postcode="CANARY")]
    evidence = judge.judge(POLICE, check(text(lines)))
    document = json.dumps(evidence)
    for value in (canary, "4010232137", "CANARY", "Testcase", "1990-02-03", "R000001"):
        assert value not in document


def test_a_file_that_could_not_be_read_is_rejected_by_both(judge: Judge) -> None:
    assert judge.judge(POLICE, rejected())["state"] == "rejected"


def test_the_suite_names_every_rule_and_its_code() -> None:
    document = suite(POLICE)
    assert document["name"] == "police_incidents.3"
    rules = [each["meta"]["rule"] for each in document["expectations"]]
    assert len(rules) == len(set(rules))
    assert json.loads(json.dumps(document)) == document
