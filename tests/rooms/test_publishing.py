"""What is published of an agreement is what the agreement does, in every form."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import policy, publishing
from gateway.policy.tracing import by_clause, traces, traces_of

POLICIES = Path(__file__).parents[2] / "policies"
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
TRAFFORD = "trafford-stronger-families"


@pytest.fixture(scope="module")
def bundle() -> policy.Bundle:
    return policy.parse(DOCUMENTS)


def test_every_column_that_may_leave_has_one_clause(bundle: policy.Bundle) -> None:
    found = traces(bundle)
    assert all(trace.clause for trace in found)
    places = [(t.agreement, t.purpose, t.output, t.kind, t.column) for t in found]
    assert len(places) == len(set(places))


def test_the_traces_are_the_columns_of_the_plan(bundle: policy.Bundle) -> None:
    request = policy_request("national-impact-study")
    plan = policy.decide(request, bundle, on=dt.date(2026, 11, 2))
    planned = {
        (output.name, column.name, column.clause)
        for output in plan.outputs
        for column in output.columns
    }
    traced = {
        (trace.output, trace.column, trace.clause)
        for trace in traces_of(bundle.agreements[TRAFFORD], bundle.knowledge)
        if trace.purpose == "national-impact-study" and trace.kind == "column"
    }
    assert traced == planned
    tokens = {token for output in plan.outputs for token in output.tokens}
    assert tokens == {
        trace.column
        for trace in traces_of(bundle.agreements[TRAFFORD], bundle.knowledge)
        if trace.purpose == "national-impact-study" and trace.kind == "token"
    }


def test_the_slot_that_goes_with_tokens_is_traced_and_published(bundle: policy.Bundle) -> None:
    found = [
        t for t in traces_of(bundle.agreements[TRAFFORD], bundle.knowledge) if t.kind == "slot"
    ]
    with_tokens = {
        (t.purpose, t.output)
        for t in traces_of(bundle.agreements[TRAFFORD], bundle.knowledge)
        if t.kind == "token"
    }
    assert with_tokens
    assert {(t.purpose, t.output) for t in found} == with_tokens
    assert {(t.column, t.treat, t.sources) for t in found} == {("slot", "keep", ())}


def policy_request(purpose: str) -> policy.decision.SharingRequest:
    return policy.decision.SharingRequest(purpose=purpose, agreement=TRAFFORD)


def test_both_directions_tell_the_same(bundle: policy.Bundle) -> None:
    found = traces(bundle)
    standing = by_clause(found)
    assert sum(len(each) for each in standing.values()) == len(found)
    assert all(
        trace.clause == clause and trace.agreement == agreement
        for (agreement, clause), each in standing.items()
        for trace in each
    )


def test_the_order_of_documents_changes_no_publication(bundle: policy.Bundle) -> None:
    backwards = policy.parse(dict(reversed(DOCUMENTS.items())))
    assert traces(backwards) == traces(bundle)
    assert publishing.agreement_register(backwards) == publishing.agreement_register(bundle)


def test_the_register_fills_each_of_the_eighteen_fields(bundle: policy.Bundle) -> None:
    rows = publishing.agreement_register(bundle)
    assert len(publishing.REGISTER_FIELDS) == 18
    assert len(rows) == sum(len(a.purposes) for a in bundle.agreements.values())
    for row in rows:
        assert tuple(row) == publishing.REGISTER_FIELDS
        assert all(row.values())


def test_what_leaves_coarsened_is_registered_as_coarsened(bundle: policy.Bundle) -> None:
    (row,) = [
        row
        for row in publishing.agreement_register(bundle)
        if row["information-sharing-agreement-0001"] == f"{TRAFFORD}/national-impact-study"
    ]
    told = row["disclosed-information"].split("; ")
    assert "Date of birth, as a five-year age band" in told
    assert "Date of birth" not in told
    assert "Unit postcode of the last known address, as the postcode district" in told
    (entry,) = [
        entry
        for entry in publishing.record_of_processing(bundle)
        if entry["agreement"].startswith(TRAFFORD) and entry["purpose"] == row["purpose"]
    ]
    direct = entry["categories_of_data"]["direct"]
    assert "Date of birth, as a five-year age band." in direct
    assert "Date of birth." not in direct


def test_a_count_by_a_field_is_not_told_as_that_field_rounded(bundle: policy.Bundle) -> None:
    for row in publishing.agreement_register(bundle):
        assert ", rounded to" not in row["disclosed-information"]


def test_the_record_of_processing_names_what_article_30_asks(bundle: policy.Bundle) -> None:
    for entry in publishing.record_of_processing(bundle):
        for asked in ("controllers", "purpose", "categories_of_people", "recipients", "security"):
            assert entry[asked]
        dt.date.fromisoformat(entry["erased_by"])


def test_each_permission_of_the_odrl_names_its_clause_purpose_and_dates(
    bundle: policy.Bundle,
) -> None:
    agreement = bundle.agreements[TRAFFORD]
    said = json.loads(json.dumps(publishing.odrl_agreement(agreement, bundle)))
    assert said["@type"] == "Agreement"
    assert len(said["permission"]) == len(traces_of(agreement, bundle.knowledge))
    for permission in said["permission"]:
        assert permission["dcterms:source"].startswith("clause ")
        operands = [each["leftOperand"] for each in permission["constraint"]]
        assert operands == ["purpose", "dateTime", "dateTime"]
        assert permission["action"] == "use"
    assert len(said["prohibition"]) == len(agreement.prohibitions)


def test_the_sharing_policy_has_each_field_that_the_standard_requires(
    bundle: policy.Bundle,
) -> None:
    said = publishing.sharing_policy(bundle.agreements[TRAFFORD], bundle)
    for required in ("URI", "Identifier", "Name", "Contact", "Party", "Data", "Purpose"):
        assert said[required]
    assert said["StartDate"] < said["EndDate"]


def test_a_release_has_a_start_and_an_end_with_each_column_of_its_outputs(
    bundle: policy.Bundle,
) -> None:
    leaving = [
        trace
        for trace in traces_of(bundle.agreements[TRAFFORD], bundle.knowledge)
        if trace.purpose == "national-impact-study"
    ]
    at = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    start, end = publishing.lineage_events(
        "rel-abc",
        state="forwarded",
        purpose="national-impact-study",
        agreement=TRAFFORD,
        started=at,
        ended=at + dt.timedelta(minutes=1),
        leaving=leaving,
    )
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"] == end["run"]
    told = {
        (output["name"].removeprefix("rel-abc."), column)
        for output in end["outputs"]
        for column in output["facets"]["columnLineage"]["fields"]
    }
    assert told == {(trace.output, trace.column) for trace in leaving}


def test_a_refused_release_has_no_output(bundle: policy.Bundle) -> None:
    at = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    end = publishing.lineage_events(
        "rel-abc",
        state="refused",
        purpose="national-impact-study",
        agreement=TRAFFORD,
        started=at,
        ended=at,
        leaving=traces_of(bundle.agreements[TRAFFORD], bundle.knowledge),
    )[-1]
    assert end["eventType"] == "ABORT"
    assert end["outputs"] == []


def test_the_notice_says_each_purpose_recipient_choice_and_end(bundle: policy.Bundle) -> None:
    agreement = bundle.agreements[TRAFFORD]
    text = publishing.notice_text(agreement, bundle)
    for purpose in agreement.purposes.values():
        assert f"## {purpose.title}" in text
    for output in agreement.purposes["national-impact-study"].outputs.values():
        assert bundle.recipients[output.recipient].team in text
    assert "You can object." in text
    assert "It is destroyed by 31 March 2028." in text
    assert agreement.contact in text


def test_a_new_field_is_a_new_line_of_the_notice(bundle: policy.Bundle) -> None:
    path = "agreements/trafford.toml"
    added = DOCUMENTS[path].replace(
        'criteria_met = { treat = "keep", clause = "4.2(c)iii" }',
        'criteria_met = { treat = "keep", clause = "4.2(c)iii" }\n'
        'intensity = { treat = "keep", clause = "4.2(c)iv" }',
        1,
    )
    assert added != DOCUMENTS[path]
    changed = policy.parse(DOCUMENTS | {path: added})
    before = _study(bundle)
    after = _study(changed)
    assert set(after.sentences) - set(before.sentences) == {"- intensity of the support"}
    assert set(after.clauses) - set(before.clauses) == {"4.2(c)iv"}


def _study(bundle: policy.Bundle) -> publishing.Section:
    sections = publishing.notice(bundle.agreements[TRAFFORD], bundle)
    (found,) = [each for each in sections if each.heading == "National Impact Study"]
    return replace(found)
