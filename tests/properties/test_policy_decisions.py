"""What holds for every document, request and day."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from dataclasses import replace
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy import Bundle, decide, explain, load, parse, policy_digest
from gateway.policy.bundle import build_agreement
from gateway.policy.reading import read
from tests.policies import shelf

AGREEMENT = tomllib.loads(shelf.EXAMPLE)
AROUND = parse(shelf.around())
STUDY = "national-impact-study"
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1))
FIELDS = sorted(shelf.shipped().vocabulary.fields)
COLUMNS = [
    column.name
    for dataset in ("family_register", "family_progress")
    for column in shelf.shipped().contracts[dataset].columns
]
TREATMENTS = [
    "keep", "flag", "pseudonym", "year", "age", "age-band-10", "postcode-district",
    "threshold:2", "band:1,5", "nonsense",
]  # fmt: skip


def _loaded(tree: dict[str, Any]) -> Bundle:
    """The bundle of the tree written as TOML and read again, over documents read once."""
    written, _ = read("example.toml", tomlkit.dumps(tree))
    agreement, _ = build_agreement("example.toml", written, AROUND.knowledge)
    return replace(AROUND, agreements={agreement.id: agreement} if agreement else {})


def _asked(tree: dict[str, Any], on: dt.date = shelf.DAY) -> Plan | Refusal:
    return decide(shelf.STUDY, _loaded(tree), on=on)


def _shuffled(draw: Any, value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: _shuffled(draw, value[key], (*path, key)) for key in keys}
    if isinstance(value, list) and path[-1] not in {"coarsen", "controllers"}:
        return draw(st.permutations(value))
    return value


@st.composite
def reordered(draw: Any) -> dict[str, Any]:
    """The example with its tables, keys and lists in another order."""
    shuffled: dict[str, Any] = _shuffled(draw, AGREEMENT)
    return shuffled


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """Field rules, sensible or not."""
    names = draw(st.lists(st.sampled_from(COLUMNS + FIELDS), max_size=4, unique=True))
    return {
        name: {"treat": draw(st.sampled_from(TREATMENTS)), "clause": "9.9"}
        | ({"at": dt.date(2026, 1, 1)} if draw(st.booleans()) else {})
        for name in names
    }


@st.composite
def agreements(draw: Any) -> dict[str, Any]:
    """The example with other fields, and with anything put where something stood."""
    tree: dict[str, Any] = copy.deepcopy(AGREEMENT)
    payload = tree["purposes"][STUDY]["outputs"]["payload"]
    payload["fields"] |= draw(rules())
    places = [tree, tree["purposes"][STUDY], payload]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(places))
        key = draw(st.sampled_from(sorted(place)))
        place[key] = draw(
            st.one_of(
                st.text(max_size=5), st.integers(), st.dates(), st.booleans(),
                st.just([]), st.just({}), st.lists(st.sampled_from(FIELDS), max_size=2),
            )
        )  # fmt: skip
    return tree


@given(tree=reordered(), on=DAYS)
@settings(max_examples=40)
def test_the_order_of_rules_never_matters(tree: dict[str, Any], on: dt.date) -> None:
    assert _asked(tree, on) == _asked(AGREEMENT, on)


@given(paths=st.permutations(sorted(shelf.documents())))
@settings(max_examples=10)
def test_the_order_of_documents_never_matters(paths: list[str]) -> None:
    texts = shelf.documents()
    other = parse({path: texts[path] for path in paths})
    assert decide(shelf.STUDY, other, on=shelf.DAY) == shelf.permitted()


@given(fields=rules(), word=st.sampled_from(FIELDS + COLUMNS))
@settings(max_examples=40)
def test_adding_a_prohibition_never_permits_and_never_adds(
    fields: dict[str, Any], word: str
) -> None:
    before = copy.deepcopy(AGREEMENT)
    before["purposes"][STUDY]["outputs"]["payload"]["fields"] |= fields
    after = copy.deepcopy(before)
    after["prohibitions"][word] = {"clause": "1", "reason": "No."}
    old, new = _asked(before), _asked(after)
    if isinstance(new, Plan):
        assert isinstance(old, Plan)
        assert new.outputs == old.outputs
        assert all(word not in {c.name, c.field, c.column} for o in new.outputs for c in o.columns)


@given(fields=rules(), data=st.data())
@settings(max_examples=40)
def test_removing_a_field_never_adds_information(fields: dict[str, Any], data: Any) -> None:
    before = copy.deepcopy(AGREEMENT)
    written = before["purposes"][STUDY]["outputs"]["payload"]["fields"]
    written |= fields
    gone = data.draw(st.sampled_from(sorted(written)))
    after = copy.deepcopy(before)
    del after["purposes"][STUDY]["outputs"]["payload"]["fields"][gone]
    old, new = _asked(before), _asked(after)
    if isinstance(old, Plan) and isinstance(new, Plan):
        kept = {column for output in old.outputs for column in output.columns}
        assert {column for output in new.outputs for column in output.columns} < kept


@given(tree=agreements(), on=st.dates(), purpose=st.sampled_from([STUDY, "x"]))
@settings(max_examples=80)
def test_every_request_of_every_document_is_answered(
    tree: dict[str, Any], on: dt.date, purpose: str
) -> None:
    """`load` and `decide` never raise, and a refusal always says why."""
    decision = decide(replace(shelf.STUDY, purpose=purpose), _loaded(tree), on=on)
    assert isinstance(decision, Plan) or decision.reasons
    assert explain(decision)


@given(text=st.text(max_size=300) | st.binary(max_size=300))
@settings(max_examples=30)
def test_any_text_at_all_is_read_or_named(text: str | bytes) -> None:
    _, findings = load({**shelf.around(), "agreements/example.toml": text})
    assert findings
    assert all(finding.document == "agreements/example.toml" for finding in findings)


@given(on=DAYS)
@settings(max_examples=20)
def test_an_empty_agreement_shares_nothing_on_any_day(on: dt.date) -> None:
    empty = {key: value for key, value in AGREEMENT.items() if key != "purposes"}
    assert isinstance(_asked(empty, on), Refusal)


@given(on=DAYS, fields=rules())
@settings(max_examples=30)
def test_the_same_question_has_the_same_answer(on: dt.date, fields: dict[str, Any]) -> None:
    tree = copy.deepcopy(AGREEMENT)
    tree["purposes"][STUDY]["outputs"]["payload"]["fields"] |= fields
    assert _asked(tree, on) == _asked(tree, on)


def test_one_agreement_is_decided_the_same_among_many() -> None:
    """The digest of one agreement does not depend on the others."""
    many = {
        f"agreements/{n}.toml": shelf.EXAMPLE.replace("trafford-stronger", f"a{n}")
        for n in range(20)
    }
    bundle = parse({**shelf.documents(), **many})
    assert policy_digest(bundle, shelf.STUDY.agreement) == policy_digest(
        parse(shelf.documents()), shelf.STUDY.agreement
    )
    request = SharingRequest(purpose=STUDY, agreement="a7-families")
    assert isinstance(decide(request, bundle, on=shelf.DAY), Plan)
