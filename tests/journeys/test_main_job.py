"""The main job, end to end: a borough's files come in, a study's packages go out and are opened.

One borough of invented people. The council receives its extracts and its residents'
objections, shares the national study, and the two recipients open what they got;
what left is then held against the extracts and their truth, person by person.

Source: docs/tutorial/first-release.md.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
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
from gateway.model.rounding import rounded as counted
from gateway.standalone import verify_ledger
from tests.faults.soundness import ledger_facts
from tests.journeys import borough
from tests.journeys.borough import COUNCIL, RESEARCH, SHARE, STUDY, UNIT
from tests.journeys.office import Office

SIZE = 14_000
PAYLOAD = ("link_id", "sex", "age_band", "district", "criteria_met")
LINKAGE = ("link_id", "slot", *(f"T{number:02}" for number in range(1, 40)))


@dataclass(frozen=True)
class Journey:
    """An office after its first release, and what the recipients opened."""

    office: Office
    people: Path
    receipts: Mapping[str, Any]
    objected: Any
    shared: Any
    opened: Mapping[str, Any]

    def file(self, recipient: str) -> Path:
        """The data that a recipient has after opening."""
        return self.office.home / "opened" / recipient / "data.csv"

    def rows(self, recipient: str) -> list[dict[str, str]]:
        return borough.rows_of(self.file(recipient))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), SIZE)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Iterator[Journey]:
    office = borough.founded(tmp_path_factory.mktemp("journey") / "office")
    with office.open():
        borough.permit_study(office)
        receipts = {
            dataset: borough.receive(office, people / f"{dataset}.csv", dataset, party)
            for dataset, party in borough.EXTRACTS
        }
        objected = office.ask(
            "object", "--purpose", STUDY, "--file", str(people / "objections.csv")
        )
        shared = office.ask(*SHARE, "--to", str(office.home / "outbox"))
        trust, opened = str(office.trust()), {}
        for package in shared["packages"]:
            name = package["recipient"]
            key = str(office.home / name / "recipient.key")
            to = str(office.home / "opened" / name)
            words = ("open", package["path"], "--key", key, "--trust", trust, "--to", to)
            opened[name] = office.ask(*words)
        yield Journey(office, people, receipts, objected, shared, opened)


def link_map(office: Office, release: str) -> dict[str, str]:
    """person -> link id of everyone who was forwarded, from the release's sealed map."""
    ring = open_ring(read_settings(office.data))
    key = ring.secret(ring.find(KeyKind.LINK_MAP, owner=release).id, KeyKind.LINK_MAP)
    frames = read_link_map(office.data / "link-maps" / f"{release}.map", key=key)
    frame = pl.concat(list(frames))
    return dict(zip(frame["person"], base32_column(frame["link_id"]), strict=True))


# What was received, and what became of everyone.


def test_everyone_who_was_received_was_forwarded_or_withheld_for_a_reason(journey: Journey) -> None:
    told = journey.shared["conservation"]
    assert told["received"] == told["forwarded"] + sum(told["withheld"].values())
    assert told["forwarded"] > 300
    assert set(told["withheld"]) >= {"objected", "small-group"}
    register = borough.rows_of(journey.people / "family_register.csv")
    cohort = [row for row in register if row["programme_arm"] in {"PROG", "COMP"}]
    assert told["received"] == len(cohort)


def test_the_sealed_map_names_those_who_were_forwarded_and_nobody_else(journey: Journey) -> None:
    there = link_map(journey.office, journey.shared["release"])
    assert len(there) == journey.shared["conservation"]["forwarded"]
    links = {row["link_id"] for row in journey.rows(RESEARCH)}
    assert set(there.values()) == links


def test_linkage_and_payload_are_joined_by_link_ids_exactly(journey: Journey) -> None:
    payload = Counter(row["link_id"] for row in journey.rows(RESEARCH))
    linkage = Counter(row["link_id"] for row in journey.rows(UNIT))
    assert set(payload) == set(linkage)
    assert set(payload.values()) == {1}
    assert len(set(linkage.values())) == 1, "the number of aliases tells people apart"
    assert all(len(link) == 26 for link in payload)


def test_no_column_goes_beyond_the_plan(journey: Journey) -> None:
    for recipient, planned in ((RESEARCH, PAYLOAD), (UNIT, LINKAGE)):
        header = journey.file(recipient).read_text("utf-8").splitlines()[0].split(",")
        manifest = json.loads((journey.file(recipient).parent / "manifest.json").read_text())
        assert sorted(header) == sorted(planned)
        assert sorted(column["name"] for column in manifest["columns"]) == sorted(planned)
        assert journey.opened[recipient]["columns"] in (len(planned), sorted(planned), header)
    assert {name: sorted(columns) for name, columns in journey.shared["columns"].items()} == {
        "linkage": sorted(LINKAGE),
        "payload": sorted(PAYLOAD),
    }


def test_each_row_of_the_payload_is_about_the_person_of_its_link_id(journey: Journey) -> None:
    links = link_map(journey.office, journey.shared["release"])
    register = {row["person_id"]: row for row in borough.rows_of(register_file(journey))}
    payload = {row["link_id"]: row for row in journey.rows(RESEARCH)}
    for person, link in links.items():
        source, sent = register[person], payload[link]
        assert sent["sex"] in {source["sex"], ""}
        assert sent["district"] in {source["postcode"].replace(" ", "")[:-3], ""}
        if sent["age_band"] and source["dob"]:
            low = int("".join(filter(str.isdigit, sent["age_band"].split("-")[0])))
            age = 2026 - int(source["dob"][:4]) - (source["dob"][5:] > "04-01")
            assert low <= age


def test_a_family_s_problems_are_those_of_its_members_who_may_be_shared(journey: Journey) -> None:
    # The vocabulary calls the six problems the family's: its rows carry their union.
    objected, problems = objectors(journey), dict[str, set[str]]()
    rows = borough.rows_of(register_file(journey))
    for row in rows:
        if row["person_id"] not in objected:
            problems.setdefault(row["family_id"], set()).update(row["criteria_met"].split(";"))
    family = {row["person_id"]: row["family_id"] for row in rows}
    payload = {row["link_id"]: row for row in journey.rows(RESEARCH)}
    for person, link in link_map(journey.office, journey.shared["release"]).items():
        assert set(payload[link]["criteria_met"].split(";")) <= problems[family[person]] | {""}


def register_file(journey: Journey) -> Path:
    return journey.people / "family_register.csv"


def objectors(journey: Journey) -> set[str]:
    """Who objected, by the truth that the council does not have."""
    truth = borough.rows_of(journey.people / "truth" / "objections.csv")
    return {row["person_key"] for row in truth}


def test_nobody_who_objected_was_forwarded_however_they_were_spelt(journey: Journey) -> None:
    objected = objectors(journey)
    cohort = {row["person_id"] for row in borough.rows_of(register_file(journey))}
    assert journey.objected["people"] == len(borough.rows_of(journey.people / "objections.csv"))
    assert len(objected & cohort) >= 5
    assert objected.isdisjoint(link_map(journey.office, journey.shared["release"]))


def test_the_family_of_someone_who_objected_stays_where_the_notice_says_so(
    journey: Journey,
) -> None:
    # household = "drop-person": each person answers for themselves.
    there = link_map(journey.office, journey.shared["release"])
    rows = borough.rows_of(register_file(journey))
    families = {row["family_id"] for row in rows if row["person_id"] in objectors(journey)}
    family = {row["person_id"] for row in rows if row["family_id"] in families}
    assert family & set(there)


def test_small_groups_do_not_leave(journey: Journey) -> None:
    rows = journey.rows(RESEARCH)
    groups = Counter((row["age_band"], row["sex"], row["district"]) for row in rows)
    assert min(groups.values()) >= 5


def test_no_value_of_the_register_stands_in_the_linkage_file(journey: Journey) -> None:
    cells = {cell for row in journey.rows(UNIT) for cell in row.values()}
    for row in borough.rows_of(register_file(journey)):
        for name in ("nhs_number", "nino", "surname", "forename", "postcode", "dob", "person_id"):
            assert not row[name] or row[name] not in cells


# Proof.


def test_every_check_of_the_recipients_passed(journey: Journey) -> None:
    assert set(journey.opened) == {UNIT, RESEARCH}
    for told in journey.opened.values():
        assert all(told["verified"][name] for name in ("form", "envelope", "manifest", "ledger"))


def test_the_ledger_verifies_here_and_by_the_stand_alone_verifier(journey: Journey) -> None:
    office, export = journey.office, journey.office.home / "export.jsonl"
    told = office.ask("ledger", "verify")
    assert told["ok"]
    office.must("ledger", "export", str(export))
    trust = str(office.home / "trust.json")
    verifier = [sys.executable, verify_ledger.__file__, str(export), "--trust", trust]
    shown = subprocess.run(verifier, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    lines = export.read_text("utf-8").splitlines(keepends=True)
    export.unlink()
    place = len(lines) // 2
    export.write_text("".join(lines[:place] + lines[place + 1 :]), "utf-8")
    assert subprocess.run(verifier, capture_output=True, check=False).returncode != 0


def test_the_release_is_on_record_with_its_packages(journey: Journey) -> None:
    exact = ("releases", journey.shared["release"])
    assert journey.office.run(*exact, "--as", "rosa").code == 3
    rounded = journey.office.ask(*exact)["record"]
    assert rounded["forwarded"] != journey.shared["conservation"]["forwarded"]
    assert "k_reached" not in rounded
    packages = journey.office.ask(*exact)["packages"]
    made = {package["package"]: package["rows"] for package in journey.shared["packages"]}
    assert {each["package"]: each["rows"] for each in packages} == {
        package: counted(rows) for package, rows in made.items()
    }
    shown = journey.office.must(*exact).out
    assert not any(f": {rows} rows" in shown for rows in made.values() if rows % 10)
    mine = journey.office.ask(*exact, "--as", "rita")
    assert mine["state"] == "forwarded"
    assert {package["recipient"] for package in mine["packages"]} == {UNIT, RESEARCH}
    for package in mine["packages"]:
        assert package["forwarded"]
        assert package["rows"] == made[package["package"]]
    told = {name: mine["record"][name] for name in ("received", "forwarded", "withheld")}
    assert told == journey.shared["conservation"]


# Again, corrected, rehearsed.


def test_a_second_run_is_a_new_release_that_shares_nothing_with_the_first(
    journey: Journey, tmp_path: Path
) -> None:
    office = journey.office
    again = office.ask(*SHARE, "--to", str(tmp_path / "outbox"))
    assert again["release"] != journey.shared["release"]
    told, before = again["conservation"], journey.shared["conservation"]
    assert told["received"] == before["received"]
    # Whose district is hidden is drawn anew, and with it who stands in a small group.
    certain = lambda counts: {**counts["withheld"], "small-group": 0}  # noqa: E731
    assert certain(told) == certain(before)
    first = link_map(office, journey.shared["release"])
    second = link_map(office, again["release"])
    assert len(set(first) ^ set(second)) < len(first) / 10
    assert set(first.values()).isdisjoint(second.values())
    orders = []
    for links, rows in (
        (first, journey.rows(RESEARCH)),
        (second, opened(office, again, RESEARCH, tmp_path / "research")),
    ):
        person = {link: name for name, link in links.items()}
        both = (person[row["link_id"]] for row in rows)
        orders.append([name for name in both if name in first and name in second])
    assert sorted(orders[0]) == sorted(orders[1])
    assert sum(a == b for a, b in zip(*orders, strict=True)) < len(orders[0]) / 20


def opened(office: Office, shared: Any, recipient: str, to: Path) -> list[dict[str, str]]:
    """What a recipient opens of a release."""
    path = next(p["path"] for p in shared["packages"] if p["recipient"] == recipient)
    key = str(office.home / recipient / "recipient.key")
    trust = str(office.home / "trust.json")
    office.must("open", path, "--key", key, "--trust", trust, "--to", str(to))
    return borough.rows_of(to / "data.csv")


def test_the_same_bytes_always_get_the_same_receipt(journey: Journey) -> None:
    again = journey.office.ask(
        *("receive", str(register_file(journey)), "--dataset", "family_register"),
        *("--from", COUNCIL),
    )
    assert again["extract"] == journey.receipts["family_register"]["extract"]
    everything = journey.office.ask("extracts")["extracts"]
    assert len({each["extract"] for each in everything}) == len(everything) == 2


def test_a_corrected_file_takes_the_place_of_the_one_before(
    journey: Journey, tmp_path: Path
) -> None:
    office = borough.copied(journey.office, tmp_path / "office")
    rows = borough.rows_of(register_file(journey))
    corrected = borough.write_rows(tmp_path / "corrected.csv", rows[:-7])
    with office.open():
        first = journey.receipts["family_register"]["extract"]
        told = borough.receive(office, corrected, "family_register", COUNCIL)
        assert told["supersedes"] == first
        assert office.ask("extracts", first)["superseded_by"] == told["extract"]
        before = office.must("receive", str(register_file(journey)), *sent_by_council)
        assert told["extract"] in before.out, "an old file says that another has taken its place"
        shared = office.ask(*SHARE, "--to", str(tmp_path / "outbox"))
        gone = {row["person_id"] for row in rows[-7:]}
        assert gone.isdisjoint(link_map(office, shared["release"]))


def test_bytes_whose_place_a_wrong_file_took_are_taken_in_anew_when_asked(
    journey: Journey, tmp_path: Path
) -> None:
    office = borough.copied(journey.office, tmp_path / "office")
    right = str(register_file(journey))
    wrong = borough.write_rows(tmp_path / "wrong.csv", borough.rows_of(register_file(journey))[:9])
    first = journey.receipts["family_register"]["extract"]
    unchanged = office.ask("receive", right, *sent_by_council, "--again")
    assert unchanged["extract"] == first, "nothing has taken its place yet"
    taken = borough.receive(office, wrong, "family_register", COUNCIL)["extract"]
    plain = office.must("receive", right, *sent_by_council)
    assert taken in plain.out
    assert "--again" in plain.out
    anew = office.ask("receive", right, *sent_by_council, "--again")
    assert (anew["state"], anew["supersedes"], anew["superseded_by"]) == ("accepted", taken, "")
    assert anew["extract"] not in {first, taken}
    assert anew["evidence"]["success"], "it went the whole way"
    for words in ((), ("--again",)):
        assert office.ask("receive", right, *sent_by_council, *words)["extract"] == anew["extract"]
    assert office.ask("extracts", taken)["superseded_by"] == anew["extract"]
    assert office.ask("extracts", first)["superseded_by"] == taken
    old = borough.receive(office, wrong, "family_register", COUNCIL)
    assert (old["extract"], old["superseded_by"]) == (taken, anew["extract"])
    office.must("ledger", "verify")


sent_by_council = ("--dataset", "family_register", "--from", COUNCIL)


def digest_of(folder: Path) -> dict[str, str]:
    """Every file of a folder with its digest, apart from what SQLite makes anew when it opens."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(("-wal", "-shm"))
    }


def test_a_dry_run_leaves_only_its_own_entry_and_tells_rounded_counts_only(
    journey: Journey, tmp_path: Path
) -> None:
    office = borough.copied(journey.office, tmp_path / "office")
    for made in ("outgoing", "link-maps", "scratch", "release.lock"):
        with contextlib.suppress(OSError):
            (office.data / made).rmdir()
    with office.apart("ledger", "verify") as running:  # closes what a copy left open
        running.communicate()
    before = digest_of(office.home)
    with office.apart(*SHARE, "--to", str(tmp_path / "outbox"), "--dry-run", "--json") as running:
        out, err = running.communicate()
    assert running.returncode == 0, out + err
    after = digest_of(office.home)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"data/gateway.sqlite"}
    assert [entry["code"] for entry in ledger_facts(office, "dry-run")] == ["before-release"]
    assert ledger_facts(office, "key-used") == ledger_facts(journey.office, "key-used")
    assert not (tmp_path / "outbox").exists()
    told = json.loads(out)
    assert told["state"] == "would-forward"
    assert told["packages"] == []
    counts = told["conservation"]
    for count in (counts["received"], counts["forwarded"], *counts["withheld"].values()):
        assert count == "<10" or int(count) % 10 == 0, count
    exact = journey.shared["conservation"]
    assert abs(int(counts["received"]) - exact["received"]) <= 5


# Every records purpose of the shipped agreements.

COUNCILS = {
    "kirklees": ("kirklees-council", "kirklees-schools", "kirklees-neighbourhood-housing"),
    "knowsley": ("knowsley-council", "knowsley-schools", "knowsley-housing-trust"),
    "trafford": ("trafford-council", "trafford-schools", "greater-manchester-police"),
}


def purposes() -> list[tuple[str, str]]:
    """Every purpose of the three councils that lets out rows."""
    shipped = borough.agreements(Path(__file__).resolve().parents[2] / "policies")
    return [
        (name, purpose)
        for name, each in sorted(shipped.items())
        if name.split("-")[0] in COUNCILS
        for purpose, stated in each["purposes"].items()
        if stated["kind"] == "records"
    ]


@pytest.fixture(scope="module")
def councils(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Iterator[Office]:
    """An office with the extracts of all three councils and every key and grant."""
    home = tmp_path_factory.mktemp("councils") / "office"
    shipped = borough.agreements(Path(__file__).resolve().parents[2] / "policies")
    wanted = [shipped[name]["purposes"][purpose] for name, purpose in purposes()]
    outputs = [output for each in wanted for output in each["outputs"].values()]
    office = borough.founded(
        home,
        recipients=sorted({output["recipient"] for output in outputs}),
        controllers=[parties[0] for parties in COUNCILS.values()],
    )
    with office.open():
        for council, parties in COUNCILS.items():
            _council(office, people, shipped[f"{council}-stronger-families"], parties)
        yield office


def _council(
    office: Office, people: Path, agreement: Mapping[str, Any], parties: tuple[str, ...]
) -> None:
    digest, made = office.approve(agreement["id"]), dict[str, str]()
    stated = {n: p for n, p in agreement["purposes"].items() if p["kind"] == "records"}
    for name, purpose in stated.items():
        for output in purpose["outputs"].values():
            _key(office, parties[0], name, output, digest, made)
    datasets = {p["spine"] for p in stated.values()}
    datasets |= {join["source"] for p in stated.values() for join in p.get("joins", [])}
    contracts = {
        path.stem: path.read_text("utf-8") for path in (office.policies / "datasets").glob("*.toml")
    }
    for dataset in sorted(datasets):
        sender = next(party for party in parties if f'"{party}"' in contracts[dataset])
        borough.receive(office, people / f"{dataset}.csv", dataset, sender)


def _key(
    office: Office,
    controller: str,
    purpose: str,
    output: Mapping[str, Any],
    digest: str,
    made: dict[str, str],
) -> None:
    """The key that an output needs, made once and granted for the purpose."""
    if output["identifiers"] == "tokens":
        study, epoch = output["key"]["study"], output["key"]["epoch"]
        what = ("--kind", "study", "--study", study, "--epoch", epoch)
    elif output["identifiers"] == "pseudonym":
        what = ("--kind", "controller", "--controller", controller)
    else:
        return
    if " ".join(what) not in made:
        told = office.ask("keys", "new", *what, "--as", "kit")
        made[" ".join(what)] = told["keys"][0]["key"]
    office.grant(made[" ".join(what)], purpose, digest)


# What a partner's extract does not let out as the shipped agreements stand, and why it may say no:
# it has several rows of one person, its schools know of no consent, or what is missing in a row
# cannot be coarsened away.
MAY_REFUSE = {
    ("knowsley-stronger-families", "local-attendance-research"): {
        "release/nobody-left",
        "sharing/spine-repeats",
    },
    ("trafford-stronger-families", "local-attendance-research"): {
        "disclosure/group-too-small",
        "sharing/spine-repeats",
    },
    ("trafford-stronger-families", "local-incident-research"): {"sharing/spine-repeats"},
}


@pytest.mark.parametrize(("agreement", "purpose"), purposes())
def test_every_purpose_that_lets_out_rows_does_so_or_says_why_not(
    councils: Office, tmp_path: Path, agreement: str, purpose: str
) -> None:
    words = ("share", purpose, "--agreement", agreement, "--as", "rosa")
    answer = councils.run(*words, "--to", str(tmp_path), "--json")
    told = answer.document
    if answer.code == 3:
        codes = {reason["code"] for reason in told["refusal"]}
        assert codes <= MAY_REFUSE.get((agreement, purpose), set()), told["refusal"]
        assert all(reason["reason"].endswith(".") for reason in told["refusal"])
        assert list(tmp_path.iterdir()) == []
        return
    assert (answer.code, told["state"]) == (0, "forwarded"), answer.out + answer.err
    counts = told["conservation"]
    assert counts["received"] == counts["forwarded"] + sum(counts["withheld"].values())
    assert counts["forwarded"] > 0
    stated = borough.agreements(councils.policies)[agreement]["purposes"][purpose]["outputs"]
    assert {package["output"] for package in told["packages"]} == set(stated)
    for package in told["packages"]:
        _opens_as_stated(councils, package, stated[package["output"]], tmp_path)


def _opens_as_stated(
    office: Office, package: Mapping[str, Any], stated: Mapping[str, Any], room: Path
) -> None:
    """The recipient opens it and finds the stated fields, and identifiers of the stated form."""
    key = str(office.home / package["recipient"] / "recipient.key")
    to = room / f"opened-{package['output']}"
    words = ("--key", key, "--trust", str(office.trust()), "--to", str(to))
    told = office.ask("open", package["path"], *words)
    assert told["rows"] == package["rows"]
    with (to / "data.csv").open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    fields = stated.get("fields", {})
    beyond = [name for name in header if name not in fields and not _spread(name, fields)]
    allowed = {
        "tokens": {"link_id", "slot", *LINKAGE, "TN-nhs", "TN-upn", "TN-nino"},
        "link-id": {"link_id"},
        "pseudonym": {"pseudonym"},
        "sealed-clear": {"link_id"},
        "none": set[str](),
    }[stated["identifiers"]]
    assert set(beyond) <= allowed, beyond


def _spread(name: str, fields: Mapping[str, Any]) -> bool:
    """Whether a column is one of a stated range or wave, as `FPD01..FPD58` over T0, T1, T2."""
    ranges = [each.split("..")[0].rstrip("0123456789") for each in fields if ".." in each]
    return any(name.startswith(each) for each in ranges)
