"""An office in which two people can disclose in an emergency, and what they type.

The people are invented; the safeguarding authority has its own key pair beside the office.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.emergency_records import EMERGENCIES, REASONS
from gateway.adapters.settings import read_settings
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, COUNCIL
from tests.journeys.office import Answer, Office

MASH = "trafford-mash"
STAFF = {"pia": "practitioner", "percy": "practitioner", "aude": "auditor"}
RISK = "A neighbour heard threats with a knife last night"
CONTACT = "Duty desk of Stronger Families, 0161 496 0000"
ASK = ("emergency", "ask", "--agreement", AGREEMENT, "--to", MASH, "--as", "pia", "--json")
LONG_AGO = "2020-01-01T00:00:00+00:00"


def people_of(folder: Path) -> Path:
    """A small borough in which one person is protected."""
    made = borough.borough(folder, 400)
    file = made / "family_register.csv"
    rows = borough.rows_of(file)
    chosen = next(row for row in rows if row["nhs_number"] and row["postcode"] and row["dob"])
    chosen["protected"] = "Y"
    borough.write_rows(file, rows)
    return made


def founded(home: Path, people: Path) -> Office:
    """An office with Trafford's agreement in force and the council's register received."""
    office = borough.founded(home, recipients=(MASH,))
    with office.open():
        for name, role in STAFF.items():
            office.must("operators", "add", name, "--role", role, "--as", "ada")
        office.approve(AGREEMENT)
        borough.receive(office, people / "family_register.csv", "family_register", COUNCIL)
    return office


def prepare(office: Office, people: Path) -> None:
    """Give an office with pages what a disclosure needs; its staff and accounts are there."""
    with office.open():
        office.must("recipient-key", "new", "--to", str(office.home / MASH))
        office.confirm(MASH, str(office.home / MASH / "recipient.pub"))
        office.approve(AGREEMENT)
        borough.receive(office, people / "family_register.csv", "family_register", COUNCIL)


def somebody(people: Path, number: int = 0) -> dict[str, str]:
    """One person of the register whose name and date of birth nobody else has."""
    rows = borough.rows_of(people / "family_register.csv")
    known = [
        row
        for row in rows
        if all(row[name] for name in ("forename", "surname", "dob", "nhs_number", "postcode"))
        and row["protected"] != "Y"
    ]
    names = [(row["forename"], row["surname"], row["dob"]) for row in known]
    return [row for row, name in zip(known, names, strict=True) if names.count(name) == 1][number]


def typed(row: Mapping[str, str], **more: str) -> str:
    """What the first person types about somebody."""
    told = {
        "forename": row["forename"],
        "surname": row["surname"],
        "date_of_birth": row["dob"],
        "risk_statement": RISK,
        "contact_route": CONTACT,
    }
    return json.dumps({name: value for name, value in (told | more).items() if value})


def asked(office: Office, row: Mapping[str, str], **more: str) -> str:
    """The id of a disclosure that was asked for and whose person was found."""
    told = office.must(*ASK, given=typed(row, **more)).document
    assert told["state"] == "found", told
    return str(told["id"])


def confirm(office: Office, emergency: str, by: str = "rosa") -> Answer:
    """The second person's word."""
    return office.run("emergency", "confirm", emergency, "--as", by, "--json")


def disclosed(office: Office, row: Mapping[str, str], **more: str) -> Any:
    """A disclosure from the first word to the package."""
    answer = confirm(office, asked(office, row, **more))
    assert answer.code == 0, answer.out + answer.err
    return answer.document


def file_reasons(office: Office, emergency: str, *names: str) -> None:
    """Each of these people files a reason."""
    for name in names:
        words = ("emergency", "reason", emergency, "--as", name)
        office.must(*words, given="It could not wait for the panel.\nThe duty lead decided.")


@contextmanager
def tables(office: Office) -> Iterator[sa.Connection]:
    """The tables, to be looked into or turned back in time."""
    settings = read_settings(office.data, environ=dict(office.environment()))
    database = Database(settings.database_url)
    with database.begin() as connection:
        yield connection
    database.close()


def make_overdue(office: Office) -> None:
    """As if a day had passed since each disclosure."""
    with tables(office) as connection:
        connection.execute(REASONS.update().values(due=LONG_AGO))


def make_late(office: Office) -> None:
    """As if an hour had passed since each request."""
    with tables(office) as connection:
        connection.execute(EMERGENCIES.update().values(until=LONG_AGO))


def package_file(office: Office, told: Mapping[str, Any]) -> Path:
    """The one sealed package of a disclosure."""
    (package,) = told["packages"]
    return office.data / "outbox" / MASH / f"{package}.gwp"


def opened(office: Office, told: Mapping[str, Any], to: Path) -> list[dict[str, str]]:
    """The rows that the authority finds when it opens its package."""
    trust = str(office.trust())
    key = str(office.home / MASH / "recipient.key")
    file = str(package_file(office, told))
    office.must("open", file, "--key", key, "--trust", trust, "--to", str(to))
    return borough.rows_of(to / "data.csv")


def asked_by_percy(office: Office, people: Path) -> str:
    """Another disclosure, asked for by somebody who owes nothing."""
    words = (*ASK[:-3], "--as", "percy", "--json")
    return str(office.must(*words, given=typed(somebody(people, 1))).document["id"])
