"""What holds for each shipped agreement, of every council, however it is changed.

The example of the reference is tried with any field in `test_policy_decisions`; here
each real purpose, its tiers and its signatures are.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.policy_folder import read_policies
from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy import Bundle, decide, load, parse
from gateway.policy.bundle import build_agreement
from gateway.policy.protocols import Protocol
from tests.policies import shelf

SHIPPED = shelf.shipped()
REQUESTS = [
    SharingRequest(purpose=purpose, agreement=key)
    for key, agreement in sorted(SHIPPED.agreements.items())
    for purpose in sorted(agreement.purposes)
]
TIERED = [request for request in REQUESTS if SHIPPED.agreements[request.agreement].under]
SIGNED = [request for request in REQUESTS if SHIPPED.agreements[request.agreement].signed]
WORDS = sorted(SHIPPED.vocabulary.fields) + [
    f"class:{each}" for each in ("direct", "key-variable", "special-category", "criminal", "plain")
]
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1))
RULE = {"clause": "9.9", "reason": "No."}


@cache
def _texts() -> dict[str, bytes]:
    return read_policies(shelf.REPOSITORY / "policies")


def _tree(request: SharingRequest) -> dict[str, Any]:
    return copy.deepcopy(dict(SHIPPED.trees[request.agreement]))


def _with(tree: dict[str, Any], bundle: Bundle = SHIPPED) -> Bundle:
    agreement, findings = build_agreement("changed.toml", tree, bundle.knowledge)
    assert agreement is not None, findings
    return replace(bundle, agreements={**bundle.agreements, agreement.id: agreement})


def _above(request: SharingRequest, **changes: Any) -> Bundle:
    """The shipped documents with the protocol above the request's agreement changed."""
    key = SHIPPED.agreements[request.agreement].under or ""
    changed: Protocol = SHIPPED.knowledge.protocols[key].model_copy(update=changes)
    knowledge = replace(SHIPPED.knowledge, protocols={key: changed})
    return replace(SHIPPED, knowledge=knowledge)


def _leaving(plan: Plan) -> set[tuple[str, str, Any]]:
    """Everything that leaves: to whom, in which output, which column, token or table."""
    return {
        (output.recipient.id, output.name, each)
        for output in plan.outputs
        for each in (*output.columns, *output.tokens, *output.tables)
    }


def _no_more(old: Plan | Refusal, new: Plan | Refusal) -> None:
    """The new decision permits nothing that the old one did not."""
    if isinstance(new, Plan):
        assert isinstance(old, Plan)
        assert _leaving(new) <= _leaving(old)
        assert new.senders <= old.senders


@given(data=st.data(), request=st.sampled_from(REQUESTS), on=DAYS)
@settings(max_examples=40)
def test_no_order_of_keys_and_lists_changes_a_decision(
    data: Any, request: SharingRequest, on: dt.date
) -> None:
    other = _shuffled(lambda given: data.draw(st.permutations(given)), _tree(request))
    assert decide(request, _with(other), on=on) == decide(request, SHIPPED, on=on)


def _shuffled(order: Any, value: Any, key: str = "") -> Any:
    """The value with its keys and lists in another order, as `order` puts each list."""
    if isinstance(value, dict):
        return {each: _shuffled(order, value[each], each) for each in order(list(value))}
    if isinstance(value, tuple) and key not in {"coarsen", "controllers"}:
        return tuple(order([_shuffled(order, each) for each in value]))
    return value


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda each: f"{each.agreement}-{each.purpose}")
def test_everything_in_reverse_decides_the_same(asked: SharingRequest) -> None:
    other = _with(_shuffled(lambda given: given[::-1], _tree(asked)))
    assert decide(asked, other, on=shelf.DAY) == decide(asked, SHIPPED, on=shelf.DAY)


@given(paths=st.permutations(sorted(_texts())))
@settings(max_examples=4)
def test_no_order_of_documents_changes_any_decision(paths: list[str]) -> None:
    other = parse({path: _texts()[path] for path in paths})
    for request in REQUESTS:
        assert decide(request, other, on=shelf.DAY) == decide(request, SHIPPED, on=shelf.DAY)


@given(request=st.sampled_from(REQUESTS), word=st.sampled_from(WORDS), deep=st.booleans(), on=DAYS)
@settings(max_examples=60)
def test_a_prohibition_of_an_agreement_or_purpose_never_permits(
    request: SharingRequest, word: str, deep: bool, on: dt.date
) -> None:
    tree = _tree(request)
    place = tree["purposes"][request.purpose] if deep else tree
    place["prohibitions"] = {**place.get("prohibitions", {}), word: RULE}
    old, new = decide(request, SHIPPED, on=on), decide(request, _with(tree), on=on)
    _no_more(old, new)
    if isinstance(new, Plan):
        left = {(c.field, f"class:{c.field_class}") for o in new.outputs for c in o.columns}
        assert all(word not in each for each in left)


@given(request=st.sampled_from(TIERED), word=st.sampled_from(WORDS), on=DAYS)
@settings(max_examples=30)
def test_a_prohibition_of_the_protocol_never_permits(
    request: SharingRequest, word: str, on: dt.date
) -> None:
    forbidding = SHIPPED.knowledge.protocol_of(SHIPPED.agreements[request.agreement])
    assert forbidding is not None
    rule = next(iter(forbidding.prohibitions.values()))
    other = _above(request, prohibitions={**forbidding.prohibitions, word: rule})
    _no_more(decide(request, SHIPPED, on=on), decide(request, other, on=on))


@given(request=st.sampled_from(TIERED), on=DAYS, starts=DAYS, ends=DAYS, keep=st.data())
@settings(max_examples=40)
def test_a_narrower_protocol_never_permits(
    request: SharingRequest, on: dt.date, starts: dt.date, ends: dt.date, keep: Any
) -> None:
    protocol = SHIPPED.knowledge.protocol_of(SHIPPED.agreements[request.agreement])
    assert protocol is not None
    other = _above(
        request,
        starts=max(starts, protocol.starts),
        ends=min(ends, protocol.ends),
        parties=tuple(keep.draw(st.sets(st.sampled_from(protocol.parties), min_size=1))),
    )
    _no_more(decide(request, SHIPPED, on=on), decide(request, other, on=on))


@given(request=st.sampled_from(SIGNED), on=DAYS, data=st.data())
@settings(max_examples=60)
def test_a_signature_that_is_missing_or_later_never_permits(
    request: SharingRequest, on: dt.date, data: Any
) -> None:
    tree = _tree(request)
    party = data.draw(st.sampled_from(sorted(tree["signed"])))
    later = data.draw(st.none() | st.integers(0, 400))
    if later is None and len(tree["signed"]) > 1:
        del tree["signed"][party]
    else:
        tree["signed"][party] += dt.timedelta(days=later or 0)
    _no_more(decide(request, SHIPPED, on=on), decide(request, _with(tree), on=on))


@given(request=st.sampled_from(REQUESTS), on=DAYS, data=st.data())
@settings(max_examples=60)
def test_taking_out_a_field_or_an_output_never_adds_information(
    request: SharingRequest, on: dt.date, data: Any
) -> None:
    tree = _tree(request)
    outputs = tree["purposes"][request.purpose]["outputs"]
    output = data.draw(st.sampled_from(sorted(outputs)))
    fields = outputs[output].get("fields", {})
    if fields and data.draw(st.booleans()):
        del fields[data.draw(st.sampled_from(sorted(fields)))]
    elif len(outputs) > 1:
        del outputs[output]
    agreement, _ = build_agreement("changed.toml", tree, SHIPPED.knowledge)
    if agreement is None:
        return
    old, new = decide(request, SHIPPED, on=on), decide(request, _with(tree), on=on)
    if isinstance(old, Plan) and isinstance(new, Plan):
        assert _leaving(new) <= _leaving(old)


@pytest.mark.parametrize("key", sorted(SHIPPED.agreements))
def test_an_agreement_without_purposes_shares_nothing(key: str) -> None:
    tree = {part: each for part, each in SHIPPED.trees[key].items() if part != "purposes"}
    empty = _with(tree)
    for request in REQUESTS:
        asked = replace(request, agreement=key)
        assert isinstance(decide(asked, empty, on=shelf.DAY), Refusal)


def test_documents_without_agreements_share_nothing() -> None:
    others = {path: text for path, text in _texts().items() if not path.startswith("agreements/")}
    bundle, findings = load(others)
    assert not findings
    assert SHIPPED.knowledge.protocols.keys() == bundle.knowledge.protocols.keys() != set()
    for request in REQUESTS:
        assert isinstance(decide(request, bundle, on=shelf.DAY), Refusal)
        protocol = replace(request, agreement="warrington-tier-1")
        assert isinstance(decide(protocol, bundle, on=shelf.DAY), Refusal)
