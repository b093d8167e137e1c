"""`gateway demo --serve`: the service on the demo's data, and a sign-in for each role.

The accounts are the demo's own: their passwords and codes are drawn anew each time and
printed on the terminal, which no real account's ever are.

Source: docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.adapters import accounts, jobs, operators, second_factors, uploads
from gateway.adapters.accounts import Binding
from gateway.adapters.database import Database
from gateway.adapters.keyring import kept_open, open_ring
from gateway.adapters.passwords import Passwords
from gateway.adapters.settings import Settings
from gateway.adapters.web_keys import open_web_keys
from gateway.cli import main
from gateway.cli.demo_story import AGREEMENT, STUDY
from gateway.model.words import PartyRole
from gateway.wiring import common

SCHOOLS, POLICE, ONS = "trafford-schools", "greater-manchester-police", "ons"
MORE_STAFF = {
    "anna": "analyst",
    "aude": "auditor",
    "dora": "data-protection-officer",
    "pia": "practitioner",
    "kora": "custodian",
}
# login -> what they do, and for whom; staff have the operator of their own name.
PEOPLE = {
    "school-desk": ("sends a school's extracts", SCHOOLS, PartyRole.UPLOADER),
    "police-desk": ("sends the police's extracts", POLICE, PartyRole.UPLOADER),
    "ons-desk": ("receives packages", ONS, PartyRole.RECIPIENT),
    "anna": ("analyst: extracts, quality, releases", "", None),
    "rosa": ("release officer: runs releases", "", None),
    "edith": ("edits agreements", "", None),
    "april": ("approves agreements", "", None),
    "kit": ("custodian of keys", "", None),
    "rita": ("rights officer: objections, exact records", "", None),
    "pia": ("practitioner", "", None),
    "aude": ("auditor: ledger, exact records", "", None),
    "dora": ("data protection officer: audit, proofs, emergency disclosures", "", None),
    "ada": ("administrator: accounts, operation", "", None),
}
CODES_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How one invented person signs in."""

    login: str
    does: str
    password: str
    codes: tuple[str, ...]


def serve(home: Path, settings: Settings, *, port: int | None) -> None:
    """Give everybody a sign-in, leave some work for the service, and become it."""
    with _database(settings) as database:
        with kept_open(settings):
            _staff(database)
        for line in _lines(_sign_ins(settings, database)):
            click.echo(line)
        _work(home, settings, database)
    sys.stdout.flush()
    place = [] if port is None else ["--port", str(port)]
    command = [sys.executable, "-P", "-m", "gateway", "--data", str(settings.data), "serve", *place]
    # This process has opened the ring; the service begins in a fresh one.
    os.execve(sys.executable, command, dict(os.environ))  # noqa: S606


def _staff(database: Database) -> None:
    with database.read() as connection:
        there = {one.name for one in operators.listed(connection)}
    for name, role in MORE_STAFF.items():
        if name not in there:
            _quietly("operators", "add", name, "--role", role, "--as", "ada")


def _sign_ins(settings: Settings, database: Database) -> list[SignIn]:
    """An account for each, with a fresh password and recovery codes as second step."""
    password, at = _password(), common.now()
    hashed = Passwords().hashed(password)
    key = open_web_keys(settings, at=at).subkey("second-factor")
    made = []
    with database.begin() as connection:
        for login, (does, party, role) in PEOPLE.items():
            if accounts.find(connection, login) is None:
                accounts.add(connection, login, _binding(login, party, role), by="ada", at=at)
            accounts.set_password(connection, login, hashed, first_until=None)
            secret = second_factors.new_secret()
            codes = second_factors.enrol(connection, login, secret, key=key)
            made.append(SignIn(login=login, does=does, password=password, codes=codes))
    return made


def _binding(login: str, party: str, role: PartyRole | None) -> Binding:
    if role is None:
        return Binding(operator=login)
    return Binding(party=party, roles=frozenset({role}))


def _lines(made: list[SignIn]) -> Iterator[str]:
    yield ""
    yield "The service opens on this data. Everybody's password, this time:"
    yield f"    {made[0].password}"
    yield "As second step each code serves once; run the demo again for more."
    for one in made:
        codes = "  ".join(one.codes[:CODES_SHOWN])
        yield f"    {one.login:12} {one.does:42} {codes}"
    yield ""


def _work(home: Path, settings: Settings, database: Database) -> None:
    """A school sends a damaged file and then the right one; an officer asks for a rehearsal."""
    shelf = uploads.of_settings(
        settings, database, recipient=open_ring(settings).upload_recipient, now=common.now
    )
    for file in (home / "damaged.csv", home / "borough" / "school_attendance.csv"):
        if not file.exists():
            continue
        size = file.stat().st_size
        made = shelf.create(
            dataset="school_attendance", party=SCHOOLS, by="school-desk", length=size
        )
        with file.open("rb") as source:
            shelf.append(made.id, 0, source, party=SCHOOLS)
    with database.begin() as connection:
        jobs.enqueue(
            connection,
            jobs.JobKind.REHEARSE,
            subject=f"{STUDY}/{AGREEMENT}",
            by="rosa",
            request={"purpose": STUDY, "agreement": AGREEMENT},
            at=common.now(),
        )


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _quietly(*words: str) -> None:
    """Run a command of the gateway; what it prints is of no interest here."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            told: Any = main.main([*words], standalone_mode=False)
        except SystemExit as ended:
            told = ended.code
    if told:
        raise click.ClickException(f"`gateway {words[0]}` ended with {told}.")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    opened = common.open_database(settings)
    try:
        yield opened
    finally:
        opened.close()
