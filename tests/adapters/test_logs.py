"""A line of the log says what happened, and shows no detail of a person whoever logs what.

Source: security points 19 and 21.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import logs
from gateway.adapters.settings import read_settings
from gateway.errors import Unavailable, UsageError
from tests.silence.canary import CANARY, row, sightings

JOB = "job-" + "a2" * 13


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """The lines so far, as a program reads them."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.begin("worker", level="info")
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    root.handlers[:], level = before
    root.setLevel(level)
    logs.begin("command", level="warning")
    root.handlers[:] = before[0]


def test_an_event_is_one_line_with_its_time_its_process_and_its_facts(said: Any) -> None:
    logs.log().info("job-begins", job=JOB, kind="check", attempt=2)
    (line,) = said()
    assert list(line)[:3] == ["at", "level", "event"]
    assert line | {"at": "", "pid": 0} == {
        "at": "",
        "level": "info",
        "event": "job-begins",
        "process": "worker",
        "pid": 0,
        "job": JOB,
        "kind": "check",
        "attempt": 2,
    }


def test_less_than_the_level_is_not_written(said: Any) -> None:
    logs.log().debug("answered", status=200)
    assert said() == []


@given(value=st.sampled_from([*CANARY.values(), row()]), name=st.sampled_from(sorted(logs.FIELDS)))
def test_a_detail_in_a_field_that_is_known_is_withheld(value: str, name: str) -> None:
    kept = logs.only_what_is_known(
        None, "info", {"at": "", "level": "info", "event": "x", name: value}
    )
    # A name of one word cannot be told from a class or a library; of all else it can.
    one_word = value.isalpha() and name in {"fault", "logger"}
    assert kept[name] == logs.WITHHELD or one_word or value == CANARY["source_org"]


def test_a_field_that_nobody_knows_is_left_out_with_its_name(said: Any) -> None:
    logs.log().warning("job-again", **{CANARY["surname"]: 1, "row": CANARY["nhs_number"]})
    (line,) = said()
    assert line["fields_withheld"] == 2
    assert sightings(json.dumps(line)) == []


def test_an_event_is_a_name_and_never_a_sentence(said: Any) -> None:
    logs.log().warning(f"cannot read {CANARY['surname']}")
    assert said()[0]["event"] == logs.WITHHELD


@pytest.mark.parametrize("name", sorted(logs.NUMBERS))
def test_a_number_as_long_as_a_persons_is_withheld(name: str) -> None:
    line = {"at": "", "level": "info", "event": "x", name: int(CANARY["nhs_number"])}
    assert logs.only_what_is_known(None, "info", line)[name] == logs.WITHHELD


def test_a_fault_is_told_by_its_class_and_place(said: Any) -> None:
    try:
        int(CANARY["surname"])
    except ValueError as fault:
        logs.log().error("unforeseen-fault", **logs.facts_of(fault))
    (line,) = said()
    assert line["fault"] == "ValueError"
    assert line["where"].startswith("adapters/test_logs.py:")
    assert sightings(json.dumps(line)) == []


def test_one_of_our_faults_is_told_by_its_code(said: Any) -> None:
    logs.log().error("unforeseen-fault", **logs.facts_of(Unavailable("store/database", "Gone.")))
    assert said()[0]["code"] == "store/database"


def test_what_a_library_logs_is_told_by_its_place_and_never_by_its_words(said: Any) -> None:
    loud = logging.getLogger("some.library")
    loud.warning("cannot parse %s", CANARY["surname"])
    try:
        int(CANARY["nino"])
    except ValueError:
        loud.exception("row %s", row())
    first, second = said()
    assert (first["event"], first["logger"]) == ("library", "some.library")
    assert first["where"].startswith("test_logs/test_what_a_library")
    assert (second["level"], second["fault"]) == ("error", "ValueError")
    assert sightings(json.dumps([first, second])) == []


def test_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="settings/log-level"):
        read_settings(environ={"GATEWAY_LOG_LEVEL": "loud"})


def test_what_gunicorn_says_is_told_by_where_it_said_it(said: Any) -> None:
    from gunicorn.config import Config

    from gateway.service.gunicorn_hooks import Quiet

    Quiet(Config()).critical("Error handling request %s", CANARY["surname"])
    (line,) = said()
    assert line["where"].startswith("test_logs/test_what_gunicorn_says")
    assert sightings(json.dumps(line)) == []
