"""What is published for other programs is what the outside definitions say it is.

The lists below are facts of those definitions: OpenLineage 2-0-2 and its column lineage
facet 1-2-0, ODRL 2.2 of 15 February 2018, the Data Privacy Vocabulary 2.3, the register
of 22 March 2019 under the Digital Economy Act, the Information Governance Standard 0.1.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import policy, publishing
from gateway.adapters.release_store import STEPS, ReleaseState
from gateway.policy.tracing import traces_of
from gateway.publishing.names import urn
from gateway.publishing.promises import COMING_BACK

POLICIES = Path(__file__).parents[2] / "policies"
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
BUNDLE = policy.parse(DOCUMENTS)
AGREEMENTS = sorted(BUNDLE.agreements)
TRAFFORD = "trafford-stronger-families"

# Classes and properties of DPV 2.3 (dpv, pd, legal/gb), as far as they are used.
DPV = {
    "dpv:Consent",
    "dpv:DataController",
    "dpv:Deidentification",
    "dpv:ExplicitlyExpressedConsent",
    "dpv:IdentifyingPersonalData",
    "dpv:LegalBasis",
    "dpv:LegalObligation",
    "dpv:PersonalData",
    "dpv:Pseudonymisation",
    "dpv:PseudonymisedData",
    "dpv:PublicInterest",
    "dpv:Purpose",
    "dpv:Recipient",
    "dpv:SpecialCategoryPersonalData",
    "dpv:VitalInterest",
    "dpv:hasApplicableLaw",
    "dpv:hasDataController",
    "dpv:hasLegalBasis",
    "dpv:hasPersonalData",
    "dpv:hasPurpose",
    "dpv:hasRecipient",
    "dpv:hasTechnicalMeasure",
    "legal-gb:law-DPA",
    "legal-gb:law-GDPR",
    "pd:BirthDate",
    "pd:City",
    "pd:Criminal",
    "pd:EthnicOrigin",
    "pd:Gender",
    "pd:Health",
    "pd:HouseNumber",
    "pd:MentalHealth",
    "pd:Name",
    "pd:OfficialID",
    "pd:PhysicalAddress",
    "pd:PostalCode",
    "pd:Street",
    "pd:TelephoneNumber",
    "pd:UID",
}
# Terms of the ODRL Core Vocabulary that the JSON-LD context gives a short name, as far as used.
CORE = {
    "Agreement",
    "Offer",
    "Asset",
    "AssetCollection",
    "Party",
    "action",
    "assignee",
    "assigner",
    "conflict",
    "constraint",
    "eq",
    "gteq",
    "leftOperand",
    "lteq",
    "obligation",
    "operator",
    "partOf",
    "permission",
    "profile",
    "prohibit",
    "prohibition",
    "rightOperand",
    "target",
    "uid",
    "use",
}
COMMON = {"dateTime", "delete", "purpose"}
DUBLIN_CORE = {"dcterms:description", "dcterms:relation", "dcterms:source", "dcterms:title"}
# RFC 8141: a namespace, then at least one character of what it names.
URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[A-Za-z0-9._~!$'()*+,;=@:%-]+")


def odrl(agreement: str) -> Any:
    found = BUNDLE.agreements[agreement]
    return json.loads(json.dumps(publishing.odrl_agreement(found, BUNDLE)))


def nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document but its context."""
    if isinstance(document, list):
        for each in document:
            yield from nodes(each)
    if isinstance(document, dict):
        yield document
        for key, value in document.items():
            if key != "@context":
                yield from nodes(value)


def test_every_privacy_term_of_the_shipped_documents_exists() -> None:
    named = {entry.dpv for entry in BUNDLE.vocabulary.fields.values()}
    named |= {basis.dpv for basis in BUNDLE.legal_bases.values()}
    assert named - {""} <= DPV


def test_a_privacy_term_is_a_class_of_a_known_vocabulary_or_is_refused() -> None:
    path = "vocabulary.toml"
    for spoilt in ("pd:birth date", "xyz:BirthDate", "BirthDate", "https://w3id.org/dpv/pd#Name"):
        text = DOCUMENTS[path].replace('dpv = "pd:BirthDate"', f'dpv = "{spoilt}"')
        with pytest.raises(policy.PolicyInvalid):
            policy.parse(DOCUMENTS | {path: text})


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_an_agreement_uses_no_term_that_its_vocabularies_lack(agreement: str) -> None:
    document = odrl(agreement)
    known = DPV | CORE | DUBLIN_CORE
    for node in nodes(document):
        assert {key for key in node if not key.startswith("@")} <= known
        kinds = node.get("@type", [])
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            assert kind in known | {"xsd:date"}
        for name in ("leftOperand", "operator", "action"):
            if name in node:
                assert node[name] in CORE | COMMON or node[name].startswith("urn:gateway:duty:")


@pytest.mark.parametrize("standing", ["not approved", "withdrawn"])
@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_what_is_not_in_force_grants_nothing(agreement: str, standing: str) -> None:
    found = BUNDLE.agreements[agreement]
    assert odrl(agreement)["@type"] == "Agreement"
    assert "dcterms:description" not in odrl(agreement)
    offered = publishing.odrl_agreement(found, BUNDLE, standing=standing)
    assert offered["@type"] == "Offer"
    assert standing in offered["dcterms:description"]
    held = publishing.sharing_policy(found, BUNDLE, standing=standing)
    assert held["PermittedUse"] == []
    assert f"odrl:use urn:gateway:standing:{standing.replace(' ', '-')}" in held["Restrictions"]
    in_force = publishing.sharing_policy(found, BUNDLE)
    assert in_force["PermittedUse"] == ["odrl:use"]
    assert not [each for each in in_force["Restrictions"] if "standing" in each]


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_each_purpose_says_what_it_reads_is_linked_with_and_gets_back(agreement: str) -> None:
    purposes = BUNDLE.agreements[agreement].purposes
    restricted = publishing.sharing_policy(BUNDLE.agreements[agreement], BUNDLE)["Restrictions"]
    told = {node["uid"]: node for node in odrl(agreement)["dpv:hasPurpose"]}
    assert len(told) == len(purposes)
    for key, purpose in purposes.items():
        node = told[f"urn:gateway:purpose:{key}"]
        assert COMING_BACK[purpose.returns] in node["dcterms:description"]
        assert len(node["dcterms:source"]) == 1 + len(purpose.joins or ())
        named = {*(purpose.linked_with or ()), *(purpose.notice.linked_with or ())}
        linked = {each.rpartition("(")[2].strip(")") for each in node.get("dcterms:relation", [])}
        assert linked >= named
        assert f"urn:gateway:returns:{key}:{purpose.returns}" in restricted
        for database in named or {"none"}:
            assert urn("linked-with", key, database) in restricted


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_a_name_is_a_reference_and_never_a_text(agreement: str) -> None:
    document = odrl(agreement)
    for node in nodes(document):
        for key, value in node.items():
            if key.startswith("dpv:"):
                for each in value if isinstance(value, list) else [value]:
                    assert "@id" in each or "uid" in each
        for name in ("uid", "@id", "partOf", "target", "assignee", "assigner", "profile"):
            for each in node[name] if isinstance(node.get(name), list) else [node.get(name)]:
                if isinstance(each, str) and each not in DPV:
                    assert URN.fullmatch(each)


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_each_rule_has_its_parties_one_target_and_one_action(agreement: str) -> None:
    document = odrl(agreement)
    assert document["assigner"]
    named = {node["uid"] for node in document["dpv:hasRecipient"]}
    rules = [*document["permission"], *document["prohibition"], *document["obligation"]]
    assert rules
    for rule in rules:
        assert rule["target"]
        assert isinstance(rule["action"], str)
        given = rule["assignee"]
        assert set(given if isinstance(given, list) else [given]) <= named


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_what_is_permitted_is_the_released_column_and_never_its_source(agreement: str) -> None:
    document = odrl(agreement)
    targets = [permission["target"]["uid"] for permission in document["permission"]]
    assert len(targets) == len(set(targets))
    assert all(target.startswith("urn:gateway:released:") for target in targets)
    outputs = {rule["target"]["uid"] for rule in document["obligation"]}
    assert {permission["target"]["partOf"] for permission in document["permission"]} <= outputs


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_the_profile_defines_each_term_beyond_the_core(agreement: str) -> None:
    profile = json.loads(json.dumps(publishing.odrl_profile(BUNDLE)))
    head, *actions = profile["@graph"]
    adopted = {member["@id"] for member in head["skos:member"]}
    defined = {action["@id"]: action for action in actions}
    document = odrl(agreement)
    assert document["profile"] == head["@id"]
    for node in nodes(document):
        used = {node[name] for name in ("action", "leftOperand") if name in node} - CORE
        assert {term if term in defined else f"odrl:{term}" for term in used} <= adopted
    for action in defined.values():
        assert action["includedIn"] == "odrl:use"
        assert action["skos:definition"]["@value"]


def test_a_name_with_unusual_characters_is_still_one_name() -> None:
    assert urn("column", "a b", "c:d", "é") == "urn:gateway:column:a%20b:c%3Ad:%C3%A9"


def test_each_output_is_deleted_by_the_day_that_was_agreed() -> None:
    agreement = BUNDLE.agreements[TRAFFORD]
    deleted = {
        rule["target"]["uid"]: rule["constraint"][0]["rightOperand"]
        for rule in odrl(TRAFFORD)["obligation"]
        if rule["action"] == "delete"
    }
    for key, purpose in agreement.purposes.items():
        for output in purpose.outputs:
            day = deleted.pop(f"urn:gateway:output:{TRAFFORD}:{key}:{output}")
            assert day == {"@value": purpose.retain_until.isoformat(), "@type": "xsd:date"}
    assert not deleted


def test_an_agreement_that_permits_nothing_forbids_everything() -> None:
    empty = BUNDLE.agreements[TRAFFORD].model_copy(update={"purposes": {}, "prohibitions": {}})
    document = publishing.odrl_agreement(empty, BUNDLE)
    assert document["permission"] == []
    (rule,) = (each for each in document["prohibition"] if "everything" in each["target"])
    assert rule["action"] == "use"
    assert rule["assignee"]


def test_a_value_that_leaves_as_it_is_names_no_measure_and_each_other_names_one() -> None:
    treated = {
        permission["target"]["uid"]: permission["target"].get("dpv:hasTechnicalMeasure")
        for permission in odrl(TRAFFORD)["permission"]
    }
    for trace in traces_of(BUNDLE.agreements[TRAFFORD], BUNDLE.knowledge):
        place = (TRAFFORD, trace.purpose, trace.output, trace.column)
        assert bool(treated[":".join(("urn:gateway:released", *place))]) is (trace.treat != "keep")


def test_no_provision_of_the_european_union_is_named_as_law() -> None:
    for agreement in AGREEMENTS:
        assert "legal/eu" not in json.dumps(odrl(agreement))


def test_the_register_has_the_fields_of_the_public_register_in_its_order() -> None:
    labels = [
        "Information sharing agreement 0001",
        "Name",
        "Purpose",
        "Information sharing benefits",
        "Legal power disclosure",
        "Disclosed information",
        "Controllers",
        "Controller names",
        "Information sharing method",
        "Processors",
        "Processor names",
        "Retention period",
        "Start date",
        "End date",
        "Review date",
        "Contact",
        "Areas",
        "Area names",
    ]
    assert [name.replace("-", " ").capitalize() for name in publishing.REGISTER_FIELDS] == labels


def test_the_register_refers_to_each_controller_and_names_it_beside() -> None:
    for row in publishing.agreement_register(BUNDLE):
        referred = row["controllers"].split(";")
        assert set(referred) <= set(BUNDLE.vocabulary.parties)
        titles = [BUNDLE.vocabulary.parties[party].title for party in referred]
        assert row["controller-names"] == "; ".join(titles)
        for name in ("start-date", "end-date", "review-date"):
            dt.date.fromisoformat(row[name])


def test_the_data_protection_officer_stands_in_the_record_and_the_notice() -> None:
    path = "agreements/trafford.toml"
    line = 'contact = "stronger.families@trafford.example"\n'
    text = DOCUMENTS[path].replace(
        line, f'{line}data_protection_officer = "dpo@trafford.example"\n', 1
    )
    bundle = policy.parse(DOCUMENTS | {path: text})
    agreement = bundle.agreements[TRAFFORD]
    named = {
        entry["data_protection_officer"]
        for entry in publishing.record_of_processing(bundle)
        if entry["agreement"].startswith(TRAFFORD)
    }
    assert named == {"dpo@trafford.example"}
    notice = publishing.notice_text(agreement, bundle)
    assert "Our data protection officer: dpo@trafford.example." in notice
    closed = text.replace("dpo@trafford.example", "dpo@trafford.gsi.gov.uk")
    with pytest.raises(policy.PolicyInvalid, match="retired-mail-domain"):
        policy.parse(DOCUMENTS | {path: closed})


def test_the_record_of_processing_has_what_article_30_asks_of_a_controller() -> None:
    for entry in publishing.record_of_processing(BUNDLE):
        assert entry["controllers"]
        for text in ("contact", "data_protection_officer", "purpose", "categories_of_people"):
            assert entry[text]
        assert entry["categories_of_data"]
        assert entry["recipients"]
        assert entry["transfers_abroad"]
        dt.date.fromisoformat(entry["erased_by"])
        assert entry["security"]


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_the_sharing_policy_has_each_member_as_often_as_the_standard_asks(agreement: str) -> None:
    said = publishing.sharing_policy(BUNDLE.agreements[agreement], BUNDLE)
    for once in ("Name", "Contact"):
        assert isinstance(said[once], str)
        assert said[once]
    for address in (said["URI"], said["Identifier"]["System"]):
        assert URN.fullmatch(address)
    assert said["Identifier"]["value"]
    for many in ("Party", "Data", "Purpose", "PermittedUse"):
        assert said[many]
    for name in ("StartDate", "EndDate"):
        dt.date.fromisoformat(said[name])
    for codes in ("PermittedUse", "Restrictions", "DataRecipientResponsibilities"):
        assert all(re.fullmatch(r"[^\s]+( [^\s]+)?", code) for code in said[codes])
    catalogued = [each for party in said["Party"] for each in party["CatalogueID"]]
    assert len(catalogued) == len(set(catalogued))


def test_a_party_of_the_sharing_policy_has_the_name_that_people_know() -> None:
    said = publishing.sharing_policy(BUNDLE.agreements[TRAFFORD], BUNDLE)
    names = {party["Name"] for party in said["Party"]}
    assert "Trafford Council" in names
    assert not names & set(BUNDLE.recipients)


def events(state: str) -> tuple[Any, ...]:
    at = dt.datetime(2026, 11, 2, 9, 30, tzinfo=dt.UTC)
    leaving = traces_of(BUNDLE.agreements[TRAFFORD], BUNDLE.knowledge)
    found = publishing.lineage_events(
        "rel-abc",
        state=state,
        purpose="national-impact-study",
        agreement=TRAFFORD,
        started=at,
        ended=at + dt.timedelta(minutes=1),
        leaving=leaving,
    )
    return tuple(json.loads(json.dumps(found)))


@pytest.mark.parametrize("state", list(ReleaseState))
def test_an_event_has_what_openlineage_requires(state: ReleaseState) -> None:
    for event in events(state.value):
        assert event["eventType"] in {"START", "COMPLETE", "ABORT", "FAIL"}
        assert dt.datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        assert str(uuid.UUID(event["run"]["runId"])) == event["run"]["runId"]
        assert event["job"]["namespace"]
        assert event["job"]["name"]
        assert URN.fullmatch(event["producer"])
        assert event["schemaURL"] == (
            "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        )
        for dataset in (*event["inputs"], *event["outputs"]):
            assert dataset["namespace"]
            assert dataset["name"]


def test_the_column_facet_has_what_openlineage_requires() -> None:
    start, _ = events("forwarded")
    for output in start["outputs"]:
        facet = output["facets"]["columnLineage"]
        assert URN.fullmatch(facet["_producer"])
        assert facet["_schemaURL"] == (
            "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
            "#/$defs/ColumnLineageDatasetFacet"
        )
        for column in facet["fields"].values():
            for source in column["inputFields"]:
                assert {"namespace", "name", "field"} <= set(source)
                for step in source["transformations"]:
                    assert step["type"] in {"DIRECT", "INDIRECT"}
                    assert step["subtype"] in {"IDENTITY", "TRANSFORMATION", "AGGREGATION"}


def test_a_run_has_one_end_whatever_becomes_of_the_release_later() -> None:
    """A step after the end must not make another end of the same run."""

    def end(state: ReleaseState) -> str:
        (*_, last) = events(state.value)
        return str(last["eventType"])

    for state, steps in STEPS.items():
        if end(state) != "START":
            assert {end(later) for later in steps} <= {end(state)}
        if not steps:
            assert end(state) != "START"
