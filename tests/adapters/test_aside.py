"""The process beside the web: it answers one question, says no in our words, and ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway import policy
from gateway.adapters.aside import Aside
from gateway.adapters.browser_rules import browser_rules
from gateway.errors import InputRejected, Unavailable
from gateway.model.urgent import Asked

POLICIES = Path(__file__).parents[2] / "policies"
TEXTS = {"risk_statement": "Somebody is in danger tonight", "contact_route": "the duty desk"}
NAMED = "forename: Wren\nsurname: Canaryfield\ndate_of_birth: 2001-02-03"


def test_what_was_typed_comes_back_checked() -> None:
    told = Asked(**Aside().asked("typed", {"told": TEXTS, "identity": NAMED}))
    assert told.details["surname"] == "Canaryfield"
    assert told.risk_statement == TEXTS["risk_statement"]


def test_a_no_is_said_in_the_same_words_as_without_a_process() -> None:
    from gateway.workflows.disclosing import asked_from

    wrong = {"told": TEXTS, "identity": "forename: Wren\ndate_of_birth: yesterday"}
    with pytest.raises(InputRejected) as here:
        asked_from(wrong["told"], str(wrong["identity"]))  # type: ignore[arg-type]
    with pytest.raises(InputRejected) as there:
        Aside().asked("typed", wrong)
    assert str(there.value) == str(here.value)
    assert (there.value.remedy, there.value.facts) == (here.value.remedy, here.value.facts)
    assert "Wren" not in str(there.value)


def test_the_rules_are_those_that_are_made_here() -> None:
    documents = {
        str(path.relative_to(POLICIES)): path.read_text()
        for path in POLICIES.rglob("*.toml")
        if path.parent.name != "agreements"
    }
    bundle, _ = policy.load(documents)
    told = Aside().asked("rules", {"documents": documents})
    assert set(told) == set(bundle.contracts)
    assert told["police_incidents"]["rules"] == _json(
        browser_rules(bundle, bundle.contracts["police_incidents"])["rules"]
    )


def test_a_process_that_fails_or_hangs_is_no_answer_and_frees_the_turn() -> None:
    aside = Aside(patience=30)
    with pytest.raises(Unavailable) as caught:
        aside.asked("no such task", {"secret": "Canaryfield"})
    assert (caught.value.code, caught.value.__suppress_context__) == ("service/aside", True)
    assert "Canaryfield" not in str(caught.value)
    with pytest.raises(Unavailable):
        Aside(patience=0.001).asked("typed", {"told": TEXTS, "identity": NAMED})
    assert aside.asked("typed", {"told": TEXTS, "identity": NAMED})["contact_route"]


def test_whoever_does_not_get_a_turn_is_told_so() -> None:
    aside = Aside(patience=0.05)
    with aside._turn, pytest.raises(Unavailable):
        aside.asked("typed", {"told": TEXTS, "identity": NAMED})
    assert threading.active_count() == 1


def _json(document: object) -> object:
    import json

    return json.loads(json.dumps(document))
