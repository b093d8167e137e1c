"""An emergency disclosure from the first word to the opened package, by its commands.

Source: requirement R29; security point 4; "to protect you or others from harm" (Trafford).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

import pytest

from gateway.adapters import operators, retention
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import read_settings
from gateway.model.words import PartyRole
from gateway.standalone import verify_release
from tests.journeys import borough, urgent
from tests.journeys.office import Office
from tests.journeys.urgent import AGREEMENT, ASK, CONTACT, MASH, RISK

COLUMNS = {
    *("link_id", "forename", "surname", "dob", "house_no", "street", "postcode"),
    *("relation", "lead_practitioner", "risk_statement", "contact_route"),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return urgent.people_of(tmp_path_factory.mktemp("borough"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    return urgent.founded(tmp_path_factory.mktemp("urgent") / "office", people)


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    with borough.copied(template, tmp_path / "office").open() as opened:
        yield opened


def code_of(answer: object) -> str:
    """The code of a refusal, in whichever form it is answered."""
    told = answer.document  # type: ignore[attr-defined]
    return str(told["error"]["code"] if "error" in told else told["code"])


def test_one_person_leaves_with_what_was_typed_and_nothing_else(
    office: Office, people: Path, tmp_path: Path
) -> None:
    row = urgent.somebody(people)
    told = urgent.disclosed(office, row)
    assert told["state"] == "disclosed"
    assert told["release_state"] == "forwarded"
    (left,) = urgent.opened(office, told, tmp_path / "mash")
    assert set(left) == COLUMNS
    assert (left["forename"], left["surname"], left["dob"]) == (
        row["forename"],
        row["surname"],
        row["dob"],
    )
    assert left["postcode"] == row["postcode"]
    assert (left["risk_statement"], left["contact_route"]) == (RISK, CONTACT)


def test_nobody_does_it_alone(office: Office, people: Path) -> None:
    emergency = urgent.asked(office, urgent.somebody(people))
    alone = urgent.confirm(office, emergency, by="pia")
    assert (alone.code, code_of(alone)) == (3, "emergency/same-person")
    (told,) = office.ask("emergency", "list")["emergencies"]
    assert (told["state"], told["packages"], told["reasons"]) == ("found", [], [])
    assert not (office.data / "outbox").exists()


@pytest.mark.parametrize("name", ["april", "aude", "rita", "edith"])
def test_only_who_may_asks_and_confirms(office: Office, people: Path, name: str) -> None:
    row = urgent.somebody(people)
    words = (*ASK[:-3], "--as", name, "--json")
    assert code_of(office.run(*words, given=urgent.typed(row))) == "operators/not-permitted"
    emergency = urgent.asked(office, row)
    assert code_of(urgent.confirm(office, emergency, by=name)) == "operators/not-permitted"


def test_both_let_nothing_out_until_their_reason_is_filed(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    again = urgent.typed(urgent.somebody(people, 1))
    assert code_of(office.run(*ASK, given=again)) == "emergency/reason-owed"
    waiting = office.must(*ASK[:-3], "--as", "percy", "--json", given=again).document["id"]
    assert code_of(urgent.confirm(office, waiting, by="rosa")) == "emergency/reason-owed"
    refused = office.run(*borough.SHARE, "--json")
    assert (refused.code, refused.document["refusal"][0]["code"]) == (3, "emergency/reason-owed")
    # What lets nothing out is still theirs within the day.
    office.must("recipients", "confirm", MASH, "--as", "rosa")
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    assert urgent.confirm(office, waiting, by="rosa").code == 0


def test_after_a_day_all_their_rights_stop_until_it_is_filed(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    urgent.make_overdue(office)
    words = ("recipients", "confirm", MASH, "--as", "rosa", "--json")
    assert code_of(office.run(*words)) == "emergency/reason-owed"
    urgent.file_reasons(office, told["id"], "rosa")
    office.must(*words)
    # The other one still owes theirs.
    again = office.run(*ASK, given=urgent.typed(urgent.somebody(people, 1)))
    assert code_of(again) == "emergency/reason-owed"
    twice = office.run("emergency", "reason", told["id"], "--as", "rosa", "--json", given="Twice.")
    assert (twice.code, code_of(twice)) == (2, "emergency/no-reason-owed")


def test_the_officer_is_told_at_once_and_reads_the_reasons(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    urgent.file_reasons(office, told["id"], "pia")
    seen = office.ask("emergency", "seen", told["id"], "--as", "aude")
    assert seen["read_by"] == "aude"
    assert list(seen["read"]) == ["pia"]
    assert "The duty lead decided." in seen["read"]["pia"]
    assert code_of(office.run("emergency", "seen", told["id"], "--as", "pia", "--json")) == (
        "operators/not-permitted"
    )


def test_nobody_oversees_what_they_took_part_in(office: Office, people: Path) -> None:
    with urgent.tables(office) as connection:
        operators.give(connection, "pia", [(PartyRole.AUDITOR, "")])
    told = urgent.disclosed(office, urgent.somebody(people))
    seen = office.run("emergency", "seen", told["id"], "--as", "pia", "--json")
    assert (seen.code, code_of(seen)) == (3, "emergency/took-part")
    (kept,) = office.ask("emergency", "list")["emergencies"]
    assert kept["read_by"] == ""


def test_a_crash_after_the_record_is_finished_by_the_same_word(
    office: Office, people: Path
) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    with urgent.tables(office) as connection:
        connection.execute(urgent.sa.text("UPDATE releases SET state = 'recorded'"))
        connection.execute(urgent.sa.text("UPDATE packages SET forwarded = ''"))
    urgent.package_file(office, told).rename(
        office.data / "outgoing" / f"{told['packages'][0]}.gwp"
    )
    again = urgent.confirm(office, told["id"])
    assert (again.code, again.document["release_state"]) == (0, "forwarded")
    assert again.document["release"] == told["release"]
    assert urgent.package_file(office, told).exists()


def test_a_filed_reason_can_be_read_for_as_long_as_it_is_kept(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    settings = read_settings(office.data, environ=dict(office.environment()))
    ring = open_ring(settings)
    ring.unlock()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=25 * 366)
    assert retention.purge(settings, ring, at=later)["extracts"] == 1
    seen = office.ask("emergency", "seen", told["id"], "--as", "aude")
    assert set(seen["read"]) == {"pia", "rosa"}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"date_of_birth": "1931-01-01"}, "emergency/not-certain"),
        ({"surname": "", "date_of_birth": ""}, "objections/details"),
        ({"date_of_birth": ""}, "emergency/too-little"),
        ({"nhs_number": "999 000 0018"}, "emergency/not-certain"),
        ({"postcode": "ZA1 1ZZ"}, "emergency/not-certain"),
        ({"risk_statement": ""}, "emergency/details"),
        ({"contact_route": "0161 496 0000"}, "emergency/details"),
        ({"contact_route": "=cmd()"}, "emergency/details"),
    ],
)
def test_a_doubt_is_told_and_never_guessed(
    office: Office, people: Path, more: dict[str, str], code: str
) -> None:
    answer = office.run(*ASK, given=urgent.typed(urgent.somebody(people), **more))
    assert answer.code in {3, 4}
    assert code_of(answer) == code
    for value in urgent.somebody(people).values():
        assert len(value) < 4 or value not in answer.out + answer.err


def test_an_authority_that_no_agreement_lists_gets_nothing(office: Office, people: Path) -> None:
    given = urgent.typed(urgent.somebody(people))
    for words, code in (
        (("--to", "ons-research"), "emergency/not-listed"),
        (("--purpose", "national-impact-study"), "emergency/no-purpose"),
        (("--agreement", "knowsley-stronger-families"), "recipient/no-key"),
    ):
        assert code_of(office.run(*ASK, *words, given=given)) == code


def test_a_key_that_nobody_confirmed_anew_stops_it(office: Office, people: Path) -> None:
    emergency = urgent.asked(office, urgent.somebody(people))
    office.must("recipient-key", "new", "--to", str(office.home / "new"))
    public = str(office.home / "new" / "recipient.pub")
    office.must("recipients", "add", MASH, public, "--as", "ada")
    answer = urgent.confirm(office, emergency)
    assert answer.code == 3
    assert code_of(answer) == "recipient/key-not-confirmed"
    assert not (office.data / "outbox").exists()


def test_a_withdrawn_agreement_stops_it(office: Office, people: Path) -> None:
    emergency = urgent.asked(office, urgent.somebody(people))
    office.must("policy", "withdraw", AGREEMENT, "--as", "april")
    assert code_of(urgent.confirm(office, emergency)) == "sharing/not-approved"
    (told,) = office.ask("emergency", "list")["emergencies"]
    assert told["packages"] == []


def test_who_comes_too_late_confirms_nothing(office: Office, people: Path) -> None:
    emergency = urgent.asked(office, urgent.somebody(people))
    urgent.make_late(office)
    assert code_of(urgent.confirm(office, emergency)) == "emergency/lapsed"
    assert code_of(urgent.confirm(office, emergency)) == "emergency/over"
    with urgent.tables(office) as connection:
        (kept,) = connection.execute(urgent.EMERGENCIES.select()).mappings()
    assert kept["sealed"] is None


def test_either_of_them_can_call_it_off(office: Office, people: Path) -> None:
    for name in ("pia", "rosa"):
        emergency = urgent.asked(office, urgent.somebody(people))
        office.must("emergency", "decline", emergency, "--as", name)
        assert code_of(urgent.confirm(office, emergency)) == "emergency/over"


def test_an_objection_does_not_stop_it_and_is_counted(office: Office, people: Path) -> None:
    row = urgent.somebody(people)
    office.must("keys", "new", "--kind", "register", "--controller", borough.COUNCIL, "--as", "kit")
    identity = f"forename: {row['forename']}\nsurname: {row['surname']}\ndob: {row['dob']}\n"
    office.must("object", "--purpose", "*", given=identity + f"nhs number: {row['nhs_number']}\n")
    told = urgent.disclosed(office, row)
    assert (told["state"], told["overridden"]) == ("disclosed", 1)
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    silent = next(row for row in map(urgent.somebody, repeat(people), count(1)) if _silent(row))
    answer = urgent.confirm(office, office.must(*ASK, given=urgent.typed(silent)).document["id"])
    assert answer.document["overridden"] == 0


def _silent(row: dict[str, str]) -> bool:
    return row["participation"] == "NONE"


def test_an_objection_while_it_waits_for_its_channel_does_not_call_it_back(
    office: Office, people: Path
) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    with urgent.tables(office) as connection:
        connection.execute(urgent.sa.text("UPDATE releases SET state = 'recorded'"))
        connection.execute(urgent.sa.text("UPDATE packages SET forwarded = ''"))
    urgent.package_file(office, told).rename(
        office.data / "outgoing" / f"{told['packages'][0]}.gwp"
    )
    office.must("keys", "new", "--kind", "register", "--controller", borough.COUNCIL, "--as", "kit")
    office.must(
        "object", "--purpose", "*", given="surname: Someone\ndob: 1990-01-02\nforename: A\n"
    )
    answer = urgent.confirm(office, urgent.asked_by_percy(office, people), by="pia")
    assert code_of(answer) == "emergency/reason-owed"
    office.run(*borough.SHARE)  # any release first finishes what waits
    (found,) = [e for e in office.ask("emergency", "list")["emergencies"] if e["release"]]
    assert found["release_state"] == "forwarded"
    assert urgent.package_file(office, told).exists()


def test_a_protected_person_s_address_stays(office: Office, people: Path, tmp_path: Path) -> None:
    rows = borough.rows_of(people / "family_register.csv")
    row = next(r for r in rows if r["protected"] == "Y" and r["nhs_number"] and r["dob"])
    told = urgent.disclosed(office, row, nhs_number=row["nhs_number"])
    (left,) = urgent.opened(office, told, tmp_path / "mash")
    assert left["forename"] == row["forename"]
    assert (left["house_no"], left["street"], left["postcode"]) == ("", "", "")


def test_it_stands_in_every_register(office: Office, people: Path) -> None:
    row = urgent.somebody(people)
    told = urgent.disclosed(office, row)
    (release,) = office.ask("releases")["releases"]
    assert (release["release"], release["purpose"]) == (told["release"], "urgent-safeguarding")
    assert office.must("ledger", "verify").code == 0
    export = office.home / "ledger.jsonl"
    office.must("ledger", "export", str(export), "--show-all")
    said = export.read_text("utf-8")
    for event in ("asked", "confirmed", "disclosed"):
        assert f"emergency-{event}" in said
    assert RISK not in said
    assert CONTACT not in said
    assert row["nhs_number"] not in said


def test_the_proof_shows_two_people_and_their_reasons(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    assert _promises(office, told["release"])["emergency"] == "not-yet"
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    promises = _promises(office, told["release"])
    assert promises["emergency"] == "kept"
    # It names somebody: nobody may be told that they cannot be identified.
    assert promises["de-identified"] == "does-not-apply"
    assert promises["objections"] == promises["once"] == promises["recorded"] == "kept"


def test_a_reason_after_its_day_breaks_the_promise(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    urgent.make_overdue(office)
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    assert _promises(office, told["release"])["emergency"] == "broken"


def _promises(office: Office, release: str) -> dict[str, str]:
    """What the stand-alone verifier finds in the proof of a release."""
    office.must("ledger", "checkpoint", "--as", "aude")
    proof, trust = office.home / "proof.json", json.loads(office.trust().read_text("utf-8"))
    proof.unlink(missing_ok=True)
    office.run("prove", release, "--to", str(proof))
    told = json.loads(proof.read_text("utf-8"))
    (decided,) = (e for e in told["entries"] if e["entry"]["event"] == "release-decided")
    assert decided["entry"]["facts"]["kind"] == "emergency"
    found = verify_release.check(told, trust, on=dt.date.fromisoformat(told["asked"]))
    return dict(found["promises"])
