"""Which earlier extracts a release asks: those of every dataset that it reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.adapters.share_desk import Desk
from gateway.model import Contract, JoinRule, Plan, Role
from gateway.model.extracts import AGREED, meanings
from tests.rooms.test_selection import column, contract, plan

SPINE = contract("family_register", column("person_id", Role.PERSON_ID), column("participation"))
SURVEY = contract("survey", column("pid", Role.PERSON_ID), column("view", field="participation"))


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
        "survey": [record("survey", SURVEY), record("survey", SURVEY, "somebody")],
        "other": [record("other", SURVEY)],
    }
    contracts = {"family_register": SPINE, "survey": SURVEY, "other": SURVEY}
    extracts = SimpleNamespace(
        in_use=lambda dataset: [record(dataset, contracts[dataset])],
        replaced=lambda dataset: earlier[dataset],
    )
    monkeypatch.setattr(Desk, "_stored", lambda self, found: found)
    approvals = SimpleNamespace(bundle=SimpleNamespace(contracts=contracts))
    world = SimpleNamespace(data=tmp_path)
    return Desk(world=world, ring=None, extracts=extracts, approvals=approvals)  # type: ignore[arg-type]


def asked() -> Plan:
    join = JoinRule(dataset="survey", on="pid", take="one")
    return dataclasses.replace(plan([], joins=[join]), senders=("council",))


@pytest.mark.parametrize(
    ("dataset", "count"), [("family_register", 1), ("survey", 1), ("other", 0)]
)
def test_earlier_extracts_of_the_spine_and_of_joins_are_asked(
    desk: Desk, dataset: str, count: int
) -> None:
    assert len(desk._source(asked(), dataset, None).replaced) == count
