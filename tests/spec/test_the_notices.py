"""The privacy notices, sentence by sentence, kept by the whole gateway on invented people.

Each test quotes the promise that it holds the product to (Knowsley, Trafford and
Kirklees notices of 2015); the council's staff, partners and recipients use the
commands that people use.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.adapters.keyring import open_ring
from gateway.adapters.link_maps import read_link_map
from gateway.adapters.settings import read_settings
from gateway.keyed_hash import base32_column
from gateway.model.keys import KeyKind
from tests.journeys import borough
from tests.journeys.office import Office

COUNCILS = ("trafford", "knowsley", "kirklees")
STUDIES = {"trafford": "nis", "knowsley": "nis-knowsley"}
STUDY = "national-impact-study"
RECIPIENTS = ("ons-linkage-unit", "ons-research", "kirklees-partner-agencies")


@dataclass(frozen=True)
class Town:
    """Three councils on one gateway, with the same invented people, and what they released."""

    office: Office
    register: pl.DataFrame
    shared: dict[str, Any]
    opened: dict[str, Path]

    def subjects(self, council: str) -> pl.DataFrame:
        """link_id and person_id of everyone whom a council forwarded, from the sealed map."""
        release = self.shared[council]["release"]
        with self.office.open():
            ring = open_ring(read_settings(self.office.data))
            key = ring.secret(ring.find(KeyKind.LINK_MAP, owner=release).id, KeyKind.LINK_MAP)
        path = self.office.data / "link-maps" / f"{release}.map"
        frame = pl.concat(list(read_link_map(path, key=key)))
        return pl.DataFrame(
            {"link_id": base32_column(frame["link_id"]), "person_id": frame["person"]}
        )

    def forwarded(self, council: str) -> pl.DataFrame:
        """The register's rows of everyone whom a council forwarded."""
        return self.register.join(self.subjects(council), on="person_id")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    home = tmp_path_factory.mktemp("town")
    people = borough.borough(home / "people", 60_000)
    office = borough.founded(
        home / "office",
        recipients=RECIPIENTS,
        controllers=[f"{council}-council" for council in COUNCILS],
    )
    shared, opened = {}, {}
    with office.open():
        for council in COUNCILS:
            shared[council] = released(office, people, council)
        for council in COUNCILS:
            for package in shared[council]["packages"]:
                name = f"{council}-{package['output']}"
                opened[name] = home / "opened" / name
                key = str(office.home / package["recipient"] / "recipient.key")
                words = ["--key", key, "--trust", str(office.trust()), "--to", str(opened[name])]
                office.must("open", package["path"], *words)
    register = pl.read_csv(people / "family_register.csv", infer_schema=False)
    return Town(office, register, shared, opened)


def released(office: Office, people: Path, council: str) -> Any:
    """One council's release: extracts received, policy approved, keys granted, shared."""
    agreement, party = f"{council}-stronger-families", f"{council}-council"
    digest = office.approve(agreement)
    for dataset in ("family_register", "family_progress"):
        borough.receive(office, people / f"{dataset}.csv", dataset, party)
    if council == "trafford":
        objections = str(people / "objections.csv")
        office.must("object", "--purpose", STUDY, "--agreement", agreement, "--file", objections)
    if council in STUDIES:
        study = STUDIES[council]
        kind = ("--kind", "study", "--study", study, "--epoch", "2026-1", "--as", "kit")
        office.must("keys", "new", *kind)
        office.grant(f"study-{study}-2026-1", STUDY, digest)
    purpose = STUDY if council in STUDIES else "family-support"
    outbox = ["--as", "rosa", "--to", str(office.home / "outbox")]
    return office.ask("share", purpose, "--agreement", agreement, *outbox)


def data(town: Town, name: str) -> pl.DataFrame:
    return pl.read_csv(town.opened[name] / "data.csv", infer_schema=False)


def manifest(town: Town, name: str) -> Any:
    return json.loads((town.opened[name] / "manifest.json").read_text())


def test_only_the_minimum_necessary_information_is_shared(town: Town) -> None:
    """Knowsley and Trafford: "Only the minimum necessary information is shared"."""
    payload = data(town, "trafford-payload")
    assert set(payload.columns) == {"link_id", "age_band", "criteria_met", "district", "sex"}
    linkage = data(town, "trafford-linkage")
    assert set(linkage.columns) == {"link_id", "slot", *(f"T{n:02}" for n in range(1, 40))}


def test_each_column_that_left_names_the_clause_that_allowed_it(town: Town) -> None:
    """Trafford: "shares your personal information only for the reasons set out above"."""
    for name in ("trafford-payload", "trafford-linkage", "knowsley-payload"):
        columns = manifest(town, name)["columns"]
        assert [column["name"] for column in columns] == data(town, name).columns
        assert all(column["clause"].startswith("4.") for column in columns)


def test_it_is_shared_on_a_need_to_know_basis(town: Town) -> None:
    """Trafford: "strictly on a need to know basis only by those specifically authorised"."""
    words = ["share", STUDY, "--agreement", "trafford-stronger-families", "--as"]
    for stranger in ("edith", "april", "kit", "nobody"):
        answer = town.office.run(*words, stranger)
        assert answer.code in {2, 3}, stranger
    linkage, payload = (manifest(town, f"trafford-{name}") for name in ("linkage", "payload"))
    assert linkage["recipient_key"] != payload["recipient_key"]


def test_people_are_included_whether_or_not_they_were_asked_to_join(town: Town) -> None:
    """Trafford: "This is the case whether or not a family has been asked to join"."""
    arms = set(town.forwarded("trafford")["programme_arm"])
    assert arms == {"PROG", "COMP"}


def test_objections_are_considered(town: Town) -> None:
    """Trafford: "ask the Council to consider any objections you may have"."""
    withheld = town.shared["trafford"]["conservation"]["withheld"]
    assert withheld["objected"] >= 5
    refused = {"OPTOUT", "OBJECTED"}
    assert refused.isdisjoint(town.forwarded("trafford")["participation"])


def test_only_those_who_consented_are_in_knowsleys_research(town: Town) -> None:
    """Knowsley: "We have only included data of individuals who have consented"."""
    assert set(town.forwarded("knowsley")["participation"]) == {"CONSENT"}
    assert town.shared["knowsley"]["conservation"]["withheld"]["no-consent"] > 100


def test_nobody_is_lost_and_nobody_is_doubled(town: Town) -> None:
    for council, told in town.shared.items():
        people = told["conservation"]
        assert people["received"] == people["forwarded"] + sum(people["withheld"].values())
        if council in STUDIES:
            subjects = town.subjects(council)
            assert subjects["person_id"].n_unique() == subjects.height == people["forwarded"]


def test_research_data_are_de_identified(town: Town) -> None:
    """Trafford: "be de-identified ... so as to limit any chance of ... being re-identified"."""
    direct = ("nhs_number", "upn", "nino", "forename", "surname", "dob", "postcode", "uprn")
    known = {value for column in direct for value in town.register[column].drop_nulls()}
    for name in ("trafford-linkage", "trafford-payload", "knowsley-linkage", "knowsley-payload"):
        frame = data(town, name)
        cells = {cell for column in frame.columns for cell in frame[column].drop_nulls()}
        assert not cells & known
    payload = data(town, "trafford-payload")
    sizes = payload.group_by("age_band", "sex", "district").len()["len"]
    assert sizes.min() >= 5


def test_the_linkage_unit_and_research_join_by_a_random_id_only(town: Town) -> None:
    linkage, payload = (data(town, f"trafford-{name}") for name in ("linkage", "payload"))
    assert set(linkage["link_id"]) == set(payload["link_id"])
    assert linkage["link_id"].unique(maintain_order=True).to_list() != payload["link_id"].to_list()
    other = data(town, "knowsley-payload")
    assert set(other["link_id"]).isdisjoint(payload["link_id"])


def test_the_linkage_unit_never_holds_a_study_key(town: Town, tmp_path: Path) -> None:
    words = ["--study", "nis", "--epoch", "2026-1", "--to", "ons-linkage-unit", "--as", "kit"]
    answer = town.office.run("keys", "offer", str(tmp_path / "nis.offer"), *words)
    assert answer.code == 3
    assert "keys/linkage-unit" in answer.err
    assert not (tmp_path / "nis.offer").exists()


def test_it_is_not_used_for_decisions_not_sent_back_and_destroyed(town: Town) -> None:
    """Trafford: "not be used for making decisions", "not be shared back", "be destroyed"."""
    duties = manifest(town, "trafford-payload")["duties"]
    assert {"no-decisions", "not-returned", "destroy-and-certify"} <= set(duties)
    (until,) = [duty.split()[1] for duty in duties if duty.startswith("destroy-by ")]
    assert dt.date.fromisoformat(until) > dt.date.today()  # noqa: DTZ011
    assert any("s171" in duty for duty in duties)


def test_names_and_addresses_are_shared_for_support_and_sensitive_facts_are_not(
    town: Town,
) -> None:
    """Kirklees: "Names and addresses can be shared for the purposes of providing support"."""
    contacts = data(town, "kirklees-contacts")
    assert {"forename", "surname", "street", "postcode"} <= set(contacts.columns)
    classes = {column["class"] for column in manifest(town, "kirklees-contacts")["columns"]}
    assert classes.isdisjoint({"special-category", "criminal"})
    assert "criteria_met" not in contacts.columns


def test_what_was_destroyed_here_can_make_no_token_again(town: Town) -> None:
    """Trafford: "be destroyed once the research project is concluded"."""
    office = town.office
    with office.open():
        office.must("keys", "destroy", "study-nis-knowsley-2026-1", "--as", "kit")
        words = ["share", STUDY, "--agreement", "knowsley-stronger-families", "--as", "rosa"]
        answer = office.run(*words, "--to", str(office.home / "outbox"))
    assert answer.code in {3, 7}
    assert "keys/" in answer.out + answer.err
    assert office.must("ledger", "verify").code == 0
