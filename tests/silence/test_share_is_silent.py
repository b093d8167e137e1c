"""A release shows no detail of a person: not to the host, the ledger, the log or the researcher.

The recipients open their packages and find tokens without attributes, or
attributes without tokens. Authority: security points 18 to 21; requirement R63.
"""

from __future__ import annotations

import collections
import csv
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.silence.canary import CANARY, COMMON, sightings, sightings_below
from tests.silence.gate import Answer, Gate, founded

PURPOSE = ("national-impact-study", "--agreement", "trafford-stronger-families")
RECIPIENTS = ("ons-linkage-unit", "ons-research")
OPERATORS = {
    "ed": "editor",
    "ap": "approver",
    "cu": "custodian",
    "co": "custodian",
    "ro": "release-officer",
}


@dataclass(frozen=True)
class Released:
    """A gateway after its first release, and what each command said."""

    gate: Gate
    details: Mapping[str, str]
    share: Answer
    opened: tuple[Answer, ...]

    @property
    def home(self) -> Path:
        return self.gate.home


def staffed(gate: Gate) -> None:
    """Operators, keys and recipients, as a custodian sets them up."""
    controller = ("--controller", "trafford-council")
    gate.must("operators", "add", "ada", "--role", "administrator")
    for name, role in OPERATORS.items():
        gate.must("operators", "add", name, "--role", role, *controller, "--as", "ada")
    gate.must("keys", "new", "--kind", "study", "--study", "nis", "--epoch", "2026-1", "--as", "cu")
    gate.must("keys", "new", "--kind", "register", *controller, "--as", "cu")
    for name in RECIPIENTS:
        gate.must("recipient-key", "new", "--to", str(gate.home / name))
        gate.must("recipients", "add", name, str(gate.home / name / "recipient.pub"), "--as", "cu")
        for custodian in ("cu", "co"):
            gate.must("recipients", "confirm", name, "--as", custodian)


def permitted(gate: Gate) -> None:
    """The agreement proposed, approved, and the study's key granted for it."""
    agreement = PURPOSE[2]
    gate.must("policy", "propose", agreement, "--as", "ed")
    digest = gate.must("policy", "approve", agreement, "--as", "ap", "--json").document
    until = str(dt.date.today() + dt.timedelta(days=90))  # noqa: DTZ011
    gate.must(
        *("keys", "grant", "study-nis-2026-1", "--purpose", PURPOSE[0]),
        *("--policy", digest["policy_digest"], "--until", until, "--as", "cu"),
    )


def received(gate: Gate) -> Mapping[str, str]:
    """A small borough with the canary in it, in the company of many; her details."""
    folder = gate.home / "extracts"
    gate.must("synth", "--size", "3000", "--seed", "1", str(folder))
    register = folder / "family_register.csv"
    with register.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    company = collections.Counter(
        (row["postcode"].split(" ")[0], row["sex"], row["dob"][:3])
        for row in rows
        if row["postcode"] and row["sex"] in {"1", "2"} and row["programme_arm"] != "ASSESSED"
    )
    (district, sex, decade), _ = company.most_common(1)[0]
    details = {**CANARY, "postcode": f"{district} 9XH", "dob": f"{decade}2-08-27"}
    mine = {**COMMON, **details, "sex": sex, "extract_date": rows[0]["extract_date"]}
    with register.open("a", encoding="utf-8", newline="") as lines:
        csv.DictWriter(lines, list(rows[0]), restval="", extrasaction="ignore").writerow(mine)
    for name in ("family_register", "family_progress"):
        source = str(folder / f"{name}.csv")
        gate.must("receive", source, "--dataset", name, "--from", "trafford-council")
    return details


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    gate = founded(tmp_path_factory.mktemp("gate"))
    staffed(gate)
    permitted(gate)
    details = received(gate)
    share = gate.must("share", *PURPOSE, "--as", "ro", "--to", str(gate.home / "out"), "--json")
    trust = gate.home / "trust.json"
    trust.write_text(gate.must("trust", "export").out, encoding="utf-8")
    opened = []
    for package in share.document["packages"]:
        name = package["recipient"]
        key, folder = str(gate.home / name / "recipient.key"), str(gate.home / "opened" / name)
        opened.append(
            gate.must(
                *("open", package["path"], "--key", key, "--trust", str(trust)),
                *("--to", folder, "--json"),
            )
        )
    return Released(gate, details, share, tuple(opened))


def test_the_release_really_went_out(released: Released) -> None:
    told = released.share.document["conservation"]
    assert told["forwarded"] > 100
    assert told["received"] == told["forwarded"] + sum(told["withheld"].values())
    assert len(released.opened) == len(RECIPIENTS)


def test_the_answers_of_the_release_name_nobody(released: Released) -> None:
    said = released.share.said + "".join(answer.said for answer in released.opened)
    assert sightings(said, released.details) == []


def test_what_lies_on_the_sender_s_disk_names_nobody(released: Released) -> None:
    assert sightings_below(released.gate.data, released.details) == []


def test_packages_on_their_way_name_nobody(released: Released) -> None:
    packages = list((released.home / "out").rglob("*.gwp"))
    assert len(packages) == len(RECIPIENTS)
    assert sightings_below(released.home / "out", released.details) == []


def test_what_the_recipients_open_names_nobody(released: Released) -> None:
    files = [path for path in (released.home / "opened").rglob("*") if path.is_file()]
    assert len(files) >= 2 * len(RECIPIENTS)
    assert sightings_below(released.home / "opened", released.details) == []


def test_no_recipient_holds_both_tokens_and_attributes(released: Released) -> None:
    columns = {}
    for name in RECIPIENTS:
        (data,) = (released.home / "opened" / name).rglob("data.csv")
        columns[name] = set(data.read_text(encoding="utf-8").splitlines()[0].split(","))
    linkage, research = columns["ons-linkage-unit"], columns["ons-research"]
    assert linkage & research == {"link_id"}
    assert not {column for column in research if column.startswith("T")}


def test_the_ledger_written_out_whole_names_nobody(released: Released) -> None:
    file = released.home / "ledger.jsonl"
    released.gate.must("ledger", "export", str(file), "--show-all")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 10
    assert all(json.loads(line) for line in lines)
    assert sightings(file.read_bytes(), released.details) == []


def test_lists_and_rehearsals_name_nobody(released: Released) -> None:
    gate, release = released.gate, released.share.document["release"]
    said = gate.must("releases", release).said + gate.must("releases", release, "--json").said
    said += gate.must("explain", *PURPOSE).said
    said += gate.run("share", *PURPOSE, "--as", "ro", "--dry-run").said
    assert sightings(said, released.details) == []


def test_an_objection_names_nobody_once_it_is_recorded(released: Released) -> None:
    gate, mine = released.gate, released.details
    identity = {
        "forename": mine["forename"],
        "surname": mine["surname"],
        "date_of_birth": mine["dob"],
        "postcode": mine["postcode"],
        "nhs_number": mine["nhs_number"],
    }
    answer = gate.must("object", "--purpose", PURPOSE[0], "--json", given=json.dumps(identity))
    assert answer.document["people"] == 1
    spoilt = {**identity, "date_of_birth": "27th of " + mine["forename"]}
    refused = gate.run("object", "--purpose", PURPOSE[0], given=json.dumps(spoilt))
    assert sightings(answer.said + refused.said, mine) == []
    assert sightings_below(gate.data, mine) == []


def test_a_tampered_package_is_refused_without_a_word_about_anyone(released: Released) -> None:
    package = Path(released.share.document["packages"][0]["path"])
    broken = released.home / "broken.gwp"
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(content)
    name = released.share.document["packages"][0]["recipient"]
    answer = released.gate.run(
        *("open", str(broken), "--key", str(released.home / name / "recipient.key")),
        *("--trust", str(released.home / "trust.json"), "--to", str(released.home / "never")),
    )
    assert answer.code == 6
    assert not (released.home / "never").exists() or not any((released.home / "never").iterdir())
    assert sightings(answer.said, released.details) == []
