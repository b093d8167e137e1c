"""A borough's office ready to share: invented people received, Trafford's agreement in force.

Made once for a session's worth of tests and copied for each that would change it.
"""

from __future__ import annotations

import csv
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.journeys.office import REPOSITORY, Office
from tests.silence.gate import in_time

AGREEMENT = "trafford-stronger-families"
STUDY = "national-impact-study"
COUNCIL = "trafford-council"
UNIT, RESEARCH = "ons-linkage-unit", "ons-research"
SHARE = ("share", STUDY, "--agreement", AGREEMENT, "--as", "rosa")
EXTRACTS = (("family_register", COUNCIL), ("family_progress", COUNCIL))


def policies_in_time(folder: Path) -> Path:
    """The shipped documents with their ends ahead of today."""
    shutil.copytree(REPOSITORY / "policies", folder)
    for document in folder.rglob("*.toml"):
        document.write_text(in_time(document.read_text("utf-8")), "utf-8")
    return folder


def borough(folder: Path, size: int, seed: int = 3) -> Path:
    """Extracts of invented people, their objections, and the truth apart."""
    Office(folder).must("synth", "--size", str(size), "--seed", str(seed), str(folder))
    return folder


def founded(
    home: Path,
    *,
    recipients: Sequence[str] = (UNIT, RESEARCH),
    controllers: Sequence[str] = (COUNCIL,),
    database_url: str = "",
) -> Office:
    """An office with its staff and confirmed recipients; nothing is approved yet."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    office = Office(home, policies=policies_in_time(home / "policies"))
    if database_url:
        office.settings["GATEWAY_DATABASE_URL"] = database_url
    office.found(controllers=controllers, recipients=recipients)
    return office


def permit_study(office: Office) -> str:
    """Approve the agreement, make and grant the study's key; the policy digest."""
    digest = office.approve(AGREEMENT)
    study = ("--kind", "study", "--study", "nis", "--epoch", "2026-1")
    office.must("keys", "new", *study, "--as", "kit")
    office.grant("study-nis-2026-1", STUDY, digest)
    return digest


def receive(office: Office, file: Path, dataset: str, party: str) -> Any:
    """The receipt of one file that is accepted."""
    told = office.ask("receive", str(file), "--dataset", dataset, "--from", party)
    assert told["state"] == "accepted", told
    return told


def ready(home: Path, people: Path) -> Office:
    """An office that can run the study's release at once."""
    office = founded(home)
    with office.open():
        permit_study(office)
        for dataset, party in EXTRACTS:
            receive(office, people / f"{dataset}.csv", dataset, party)
    return office


def copied(office: Office, home: Path) -> Office:
    """The same office elsewhere, to be changed at will."""
    shutil.copytree(office.home, home)
    return Office(home, policies=home / "policies")


def agreements(folder: Path) -> Mapping[str, Any]:
    """The shipped agreements by id."""
    found = [tomllib.loads(path.read_text("utf-8")) for path in folder.glob("agreements/*.toml")]
    return {each["id"]: each for each in found}


def rows_of(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_rows(file: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Rows as a CSV file."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file
