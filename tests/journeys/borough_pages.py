"""The office of the browser's journeys: accounts, extracts received, one file that is bad."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.journeys import borough
from tests.journeys.office import Office
from tests.web import office as offices

SIZE = 6000
POLICE = "greater-manchester-police"
REST = (("school_attendance", "trafford-schools"),)


def ready(home: Path) -> Office:
    """An office whose study can be released, with objections and what partners sent."""
    people = borough.borough(home / "people", SIZE)
    office = offices.built(home / "office")
    with office.open():
        for dataset, party in (*borough.EXTRACTS, *REST):
            borough.receive(office, people / f"{dataset}.csv", dataset, party)
        objections = str(people / "objections.csv")
        office.must("object", "--purpose", borough.STUDY, "--file", objections, "--as", "rita")
    bad_file(people / "police_incidents.csv", people / "police_bad.csv")
    return office


def bad_file(good: Path, bad: Path) -> None:
    """The same rows as a tired spreadsheet gives them: impossible dates, own codes, a note."""
    with good.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for number, row in enumerate(rows):
        if number % 3 == 0:
            row["dob"] = "31/02/1987"
        if number % 20 == 0:
            row["sex"] = "M"
        if number % 50 == 7:
            row["postcode"] = "UNKNOWN"
        row["officer_notes"] = "seen at home"
    with bad.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
