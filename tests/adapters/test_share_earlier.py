"""Which earlier extracts a release asks: those of every dataset that it reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.adapters import share_desk
from gateway.adapters.share_desk import Desk
from gateway.model import Contract, JoinRule, Plan, Role
from gateway.model.extracts import AGREED, meanings
from tests.rooms.test_selection import column, contract, plan

SPINE = contract("family_register", column("person_id", Role.PERSON_ID), column("participation"))
SURVEY = contract("survey", column("pid", Role.PERSON_ID), column("view", field="participation"))
OLD = contract("survey", column("nhs", Role.NHS_NUMBER), column("no", field="participation"))


def record(dataset: str, agreed: Contract, party: str = "council") -> Any:
    return SimpleNamespace(
        dataset=dataset,
        party=party,
        quarantined=0,
        received_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        evidence={AGREED: meanings(agreed)},
    )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Desk:
    """A desk over extracts that nobody opens."""
    earlier = {
        "family_register": [record("family_register", SPINE)],
        "survey": [record("survey", OLD), record("survey", SURVEY, "somebody")],
        "other": [record("other", SURVEY)],
    }
    contracts = {"family_register": SPINE, "survey": SURVEY, "other": SURVEY}
    extracts = SimpleNamespace(
        in_use=lambda dataset: [record(dataset, contracts[dataset])],
        replaced=lambda dataset: earlier[dataset],
    )
    monkeypatch.setattr(Desk, "_stored", lambda self, found: found)
    monkeypatch.setattr(share_desk, "without_effect", lambda *_: ())
    approvals = SimpleNamespace(bundle=SimpleNamespace(contracts=contracts))
    world = SimpleNamespace(data=tmp_path)
    return Desk(world=world, ring=None, extracts=extracts, approvals=approvals)  # type: ignore[arg-type]


def asked() -> Plan:
    join = JoinRule(dataset="survey", on="pid", take="one")
    return dataclasses.replace(plan([], joins=[join]), senders=("council",))


@pytest.mark.parametrize(
    ("dataset", "called"),
    [
        ("family_register", [("person_id", "participation")]),
        ("survey", [("", "no")]),
        ("other", []),
    ],
)
def test_earlier_extracts_of_the_spine_and_of_joins_are_asked(
    desk: Desk, dataset: str, called: list[tuple[str, str]]
) -> None:
    source = desk._source(asked(), dataset, None)
    assert [each.called for each in source.replaced] == called


def test_those_that_tell_nobody_are_told_as_a_warning(desk: Desk) -> None:
    (told,) = desk._warnings(asked(), SimpleNamespace(), SPINE)  # type: ignore[arg-type]
    assert told.startswith("1 earlier extracts could not be asked")
    alone = dataclasses.replace(asked(), joins=())
    assert desk._warnings(alone, SimpleNamespace(), SPINE) == ()  # type: ignore[arg-type]


def test_the_extract_in_use_is_asked_too_where_the_contract_has_lost_its_word(desk: Desk) -> None:
    in_use = record("family_register", SPINE)
    desk.extracts.in_use = lambda dataset: [in_use]  # type: ignore[method-assign]
    without = contract("family_register", SPINE.columns[0])
    desk.approvals.bundle.contracts["family_register"] = without  # type: ignore[index]
    source = desk._source(asked(), "family_register", None)
    assert [each.called for each in source.replaced] == [("person_id", "participation")] * 2
    assert source.replaced[-1].extract is in_use
