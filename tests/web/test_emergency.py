"""Emergency disclosures in pages: two people, a real worker, and nothing typed shown anywhere.

Source: requirement R29; security points 1, 2, 4.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.adapters import jobs, operators
from gateway.adapters.emergency_records import EMERGENCIES, REASONS, EmergencyState, why
from gateway.adapters.job_records import JOBS, Job, JobKind, JobState
from gateway.adapters.settings import Settings
from gateway.service.worker import Terms, work
from gateway.web import states
from gateway.web.emergencies_shown import ASKED
from tests.journeys import urgent
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import Browser
from tests.web.test_oversight import said

KINDS = (JobKind.SEEK, JobKind.DISCLOSE, JobKind.REASONS)
MASH = f"{urgent.AGREEMENT}/urgent-safeguarding/{urgent.MASH}"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return urgent.people_of(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def ready(
    office_template: Office, people: Path, tmp_path_factory: pytest.TempPathFactory
) -> Office:
    """An office with its register, and the authority's key in an agreement approved anew."""
    office = offices.copied(office_template, tmp_path_factory.mktemp("urgent") / "office")
    urgent.prepare(office, people)
    return office


@pytest.fixture
def office(ready: Office, tmp_path: Path) -> Office:
    return offices.copied(ready, tmp_path / "office")


def worked(data: Settings, until: Callable[[], bool]) -> None:
    """Let a real worker do what waits, until something is so."""
    stop, pause = threading.Event(), threading.Event()
    worker = threading.Thread(target=work, args=(data, Terms(kinds=KINDS), stop))
    worker.start()
    try:
        for _ in range(1_200):
            if until():
                return
            pause.wait(0.1)
        raise AssertionError("the worker did not come to an end")
    finally:
        stop.set()
        worker.join()


def form(row: Mapping[str, str], **more: str) -> dict[str, str]:
    told = {"forename": row["forename"], "surname": row["surname"], "date_of_birth": row["dob"]}
    typed = {"risk_statement": urgent.RISK, "contact_route": urgent.CONTACT}
    return {"to": MASH, **told, **typed, **more}


def state(office: Office, emergency: str) -> str:
    with urgent.tables(office) as connection:
        query = EMERGENCIES.select().where(EMERGENCIES.c.id == emergency)
        return str(connection.execute(query).mappings().one()["state"])


def job(office: Office, kind: JobKind) -> Job:
    with urgent.tables(office) as connection:
        return jobs.listed(connection, kind=kind, limit=1)[0]


@pytest.fixture
def waiting(
    office: Office, data: Settings, people: Path, client_as: Callable[[str], Browser]
) -> str:
    """A disclosure whose person was found; it waits for its second person."""
    answer = client_as("practitioner").post("/emergency/new", data=form(urgent.somebody(people)))
    assert answer.status_code == 303, answer.text
    emergency = str(answer.location).rpartition("/")[2]
    worked(data, lambda: state(office, emergency) != "asked")
    assert state(office, emergency) == "found"
    return emergency


def test_two_people_disclose_by_page_and_file_their_reasons(
    office: Office,
    data: Settings,
    people: Path,
    waiting: str,
    client_as: Callable[[str], Browser],
    tmp_path: Path,
) -> None:
    row = urgent.somebody(people)
    first, second = client_as("practitioner"), client_as("release-officer")
    auditor, page = client_as("auditor"), f"/emergency/{waiting}"
    assert "Confirm and send" not in first.get(page).text
    shown = second.get(page).text
    for column in ("forename", "postcode", "risk_statement", "8.2(a)iii"):
        assert column in shown
    for value in (row["surname"], row["dob"], urgent.RISK, urgent.CONTACT):
        assert value not in shown
    assert second.post(f"{page}/confirm").status_code == 303
    worked(data, lambda: state(office, waiting) == "disclosed")
    assert "Reason of pia" in said(auditor.get(page).text)
    assert f"/emergency/{waiting}" in auditor.get("/waiting").text
    assert first.get("/emergency/new").status_code == 403
    assert second.get("/releases/new").status_code == 403
    assert second.post(f"{page}/reason", data={"reason": " "}).status_code == 422
    for person in (first, second):
        assert "Why could it not wait?" in person.get(page).text
        filed = person.post(f"{page}/reason", data={"reason": REASON})
        assert filed.status_code == 303
        assert "Filed" in said(person.get(page).text)
    assert second.get("/releases/new").status_code == 200
    _officer_reads_the_reasons(office, data, page, client_as)
    assert f"/emergency/{waiting}" not in auditor.get("/waiting").text
    told = office.ask("emergency", "list")["emergencies"][0]
    (left,) = urgent.opened(office, told, tmp_path / "mash")
    assert (left["surname"], left["risk_statement"]) == (row["surname"], urgent.RISK)


def test_a_form_that_is_sent_twice_asks_once_and_other_words_ask_anew(
    office: Office, people: Path, client_as: Callable[[str], Browser]
) -> None:
    first, row = client_as("practitioner"), urgent.somebody(people)
    (token,) = re.findall(r'name="form" value="([a-z2-7]{26})"', first.get("/emergency/new").text)
    asked = [
        first.post("/emergency/new", data=form(row, form=token, **more)).location
        for more in ({}, {}, {"risk_statement": "Another harm."})
    ]
    assert asked[0] == asked[1] != asked[2]
    # Who makes up what tells forms apart asks as if there were none.
    made_up = [first.post("/emergency/new", data=form(row, form="x")).location for _ in range(2)]
    assert len({*asked, *made_up}) == 4
    assert len(office.ask("emergency", "list")["emergencies"]) == 4


def _officer_reads_the_reasons(
    office: Office, data: Settings, page: str, client_as: Callable[[str], Browser]
) -> None:
    """Once, in one browser; nobody else, not from the database, and each reading is recorded."""
    officer, auditor = client_as("data-protection-officer"), client_as("auditor")
    assert "Read the reasons" in officer.get(page).text
    for role in ("practitioner", "release-officer", "editor"):
        assert "Read the reasons" not in client_as(role).get(page).text
        assert client_as(role).post(f"{page}/reasons").status_code == 403
    asked = officer.post(f"{page}/reasons")
    assert asked.status_code == 303
    reading = str(asked.location)
    assert "A worker opens the reasons" in said(officer.get(reading).text)
    worked(data, lambda: job_of(office, reading)["state"] == "done")
    assert REASON not in job_of(office, reading)["outcome"]
    assert auditor.get(reading).status_code == 404, "another's reading is not theirs"
    shown = officer.get(reading)
    assert shown.text.count(REASON) == 2
    assert "no-store" in shown.headers["Cache-Control"]
    again = officer.get(reading).text
    assert REASON not in again
    assert "They were shown once" in said(again)
    entries = office.must("ledger", "export", str(office.home / "all.jsonl"), "--show-all")
    assert entries.code == 0
    told = (office.home / "all.jsonl").read_text()
    assert told.count('"emergency-reason-read"') == 1
    assert REASON not in told


REASON = "The panel meets on Monday."


def job_of(office: Office, reading: str) -> Mapping[str, str]:
    with urgent.tables(office) as connection:
        query = JOBS.select().where(JOBS.c.id == reading.rpartition("/")[2])
        return {
            key: str(value) for key, value in connection.execute(query).mappings().one().items()
        }


def test_nobody_confirms_their_own_and_only_who_may_sees_it(
    waiting: str, client_as: Callable[[str], Browser]
) -> None:
    page = f"/emergency/{waiting}"
    alone = client_as("practitioner").post(f"{page}/confirm")
    assert (alone.status_code, "emergency/same-person" in alone.text) == (403, True)
    for role in ("editor", "approver", "custodian", "administrator", "analyst"):
        assert client_as(role).get(page).status_code in {400, 404}
        assert waiting not in client_as(role).get("/emergency").text
    for role in ("rights-officer", "auditor", "release-officer"):
        assert client_as(role).get(page).status_code == 200


def inset(page: str) -> str:
    """What the page of what waits says the caller may settle."""
    _, _, told = page.partition('class="govuk-inset-text"')
    return said(told.partition("</div>")[0])


def test_one_that_waits_for_its_second_person_stands_first_for_those_who_may_confirm(
    office: Office, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    second = client_as("release-officer").get("/waiting").text
    assert "You may settle 1 of these To " in inset(second)
    assert "lapses unless confirmed by" in inset(second)
    assert "from pia" in inset(second)
    assert f'href="/emergency/{waiting}"' in second
    headings = re.findall(r'<h2 class="govuk-heading-m">(.*?)</h2>', second)
    assert headings[0] == "Emergency disclosures to confirm"
    assert inset(client_as("practitioner").get("/waiting").text) == "", "not who asked"
    for role in ("editor", "approver", "custodian", "administrator"):
        page = client_as(role).get("/waiting").text
        assert "lapses unless confirmed by" in page
        assert inset(page) == ""
        assert waiting not in page, "its page is as if it were not there"
    with urgent.tables(office) as connection:
        connection.execute(EMERGENCIES.update().values(until=urgent.LONG_AGO))
    assert waiting not in client_as("release-officer").get("/waiting").text


def test_one_that_waits_is_not_for_who_may_not_confirm_under_its_agreement(
    office: Office, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    with urgent.tables(office) as connection:
        of_another = operators.ROLES.update().where(operators.ROLES.c.operator == "rosa")
        connection.execute(of_another.values(controller="knowsley-council"))
    assert inset(client_as("release-officer").get("/waiting").text) == ""


def test_a_reason_that_is_owed_waits_for_its_author(
    office: Office, data: Settings, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    first, second = client_as("practitioner"), client_as("release-officer")
    second.post(f"/emergency/{waiting}/confirm")
    worked(data, lambda: state(office, waiting) == "disclosed")
    for person, name, other in ((first, "pia", "rosa"), (second, "rosa", "pia")):
        page = person.get("/waiting").text
        assert f"You may settle 1 of these Reason of {name}" in inset(page)
        assert f"Reason of {other}" not in inset(page)
        assert "For the two people who disclosed it." in said(page)
        assert f'href="/emergency/{waiting}"' in page
    assert "Reason of" not in inset(client_as("auditor").get("/waiting").text)
    second.post(f"/emergency/{waiting}/reason", data={"reason": REASON})
    page = second.get("/waiting").text
    assert inset(page) == ""
    assert "Reason of pia" in said(page)
    assert "Reason of rosa" not in said(page)


def test_after_a_day_every_page_is_closed_but_that_of_the_reason(
    office: Office,
    data: Settings,
    waiting: str,
    client_as: Callable[[str], Browser],
) -> None:
    second, page = client_as("release-officer"), f"/emergency/{waiting}"
    second.post(f"{page}/confirm")
    worked(data, lambda: state(office, waiting) == "disclosed")
    assert second.get("/releases").status_code == 200
    urgent.make_overdue(office)
    for closed in ("/releases", "/deliveries", "/agreements", "/jobs", "/waiting"):
        refused = second.get(closed)
        assert (refused.status_code, "emergency/reason-owed" in refused.text) == (403, True)
    assert "Your rights have stopped" in second.get("/emergency").text
    assert second.get("/account").status_code == 200
    second.post(f"{page}/reason", data={"reason": "The panel meets on Monday."})
    assert second.get("/releases").status_code == 200
    with urgent.tables(office) as connection:
        kept = connection.execute(REASONS.select()).mappings().all()
    assert {row["person"]: bool(row["filed_at"]) for row in kept} == {"pia": False, "rosa": True}


NUMBER_ALONE = {"forename": "", "surname": "", "date_of_birth": "", "nhs_number": "9990000018"}


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"to": "nobody"}, "Choose who receives it"),
        ({"date_of_birth": ""}, "Enter the date of birth"),
        (NUMBER_ALONE, "too little"),
        (
            {"date_of_birth": "31/31/2014"},
            "date of birth: expected a date that is read in one way, like 2014-02-03 or 03.02.2014",
        ),
        ({"risk_statement": ""}, "Enter what harm is feared"),
        ({"contact_route": "=1+1"}, "begins with a letter"),
    ],
)
def test_a_form_that_lacks_something_says_what(
    people: Path, client_as: Callable[[str], Browser], more: dict[str, str], because: str
) -> None:
    answer = client_as("practitioner").post(
        "/emergency/new", data=form(urgent.somebody(people), **more)
    )
    assert answer.status_code == 422
    assert because in said(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_empty_form_names_every_part_that_it_lacks(
    people: Path, client_as: Callable[[str], Browser]
) -> None:
    answer = client_as("practitioner").post("/emergency/new", data={})
    assert answer.status_code == 422
    for name, words in ASKED.items():
        assert f'id="{name}-error"' in answer.text
        assert said(answer.text).count(words) == 2  # in the summary and at its question
    assert "Choose who receives it" in said(answer.text)


def test_a_date_is_read_as_the_hint_writes_it(
    people: Path, client_as: Callable[[str], Browser]
) -> None:
    year, month, day = urgent.somebody(people)["dob"].split("-")
    told = form(urgent.somebody(people), date_of_birth=f"{day}.{month}.{year}")
    assert client_as("practitioner").post("/emergency/new", data=told).status_code == 303


def test_a_doubt_is_answered_the_same_whoever_is_meant(
    office: Office, data: Settings, people: Path, client_as: Callable[[str], Browser]
) -> None:
    first, pages = client_as("practitioner"), []
    for more in ({"date_of_birth": "1931-01-01"}, {"nhs_number": "9990000018"}):
        answer = first.post("/emergency/new", data=form(urgent.somebody(people), **more))
        emergency = str(answer.location).rpartition("/")[2]
        worked(data, lambda known=emergency: state(office, known) == "refused")  # type: ignore[misc]
        pages.append(said(first.get(f"/emergency/{emergency}").text))
        assert "Nobody in the stored extracts is certainly this person" in pages[-1]
    with urgent.tables(office) as connection:
        kept = connection.execute(EMERGENCIES.select()).mappings().all()
    assert [row["sealed"] for row in kept] == [None, None]


def test_what_is_recorded_and_cannot_leave_is_brought_by_the_worker_as_soon_as_it_can(
    office: Office, data: Settings, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    """A file stands where the outbox belongs."""
    outbox = office.data / "outbox"
    outbox.write_text("in the way")
    client_as("release-officer").post(f"/emergency/{waiting}/confirm")
    worked(data, lambda: job(office, JobKind.DISCLOSE).attempts > 1)
    assert state(office, waiting) == "disclosed"
    still = job(office, JobKind.DISCLOSE)
    assert (still.state in jobs.OVER, still.code) == (False, "release/not-forwarded")
    outbox.unlink()
    worked(data, lambda: job(office, JobKind.DISCLOSE).state in jobs.OVER)
    assert job(office, JobKind.DISCLOSE).state is JobState.DONE
    (package,) = outbox.rglob("*.gwp")
    (told,) = office.ask("emergency", "list")["emergencies"]
    assert (package.stem, told["release_state"]) == (told["packages"][0], "forwarded")


def test_one_that_no_worker_made_within_a_day_is_not_sent_when_one_comes_at_last(
    office: Office, data: Settings, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    second = client_as("release-officer")
    second.post(f"/emergency/{waiting}/confirm")
    with urgent.tables(office) as connection:
        connection.execute(EMERGENCIES.update().values(confirmed_at=urgent.LONG_AGO))
    worked(data, lambda: job(office, JobKind.DISCLOSE).state in jobs.OVER)
    assert state(office, waiting) == "lapsed"
    assert not (office.data / "outbox").exists()
    assert "no worker could make it within a day" in said(second.get(f"/emergency/{waiting}").text)
    with urgent.tables(office) as connection:
        (kept,) = connection.execute(EMERGENCIES.select()).mappings()
    assert kept["sealed"] is None


def test_one_that_nobody_confirms_lapses_without_waiting_for_the_night(
    office: Office, data: Settings, waiting: str
) -> None:
    urgent.make_late(office)
    worked(data, lambda: state(office, waiting) == "lapsed")


def test_giving_up_the_search_leaves_alone_what_two_people_have_agreed_on(
    office: Office, data: Settings, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    """As if the search had been begun again and again, and never came to an end."""
    with urgent.tables(office) as connection:
        values = {"state": JobState.QUEUED, "attempts": 50, "worker": ""}
        connection.execute(JOBS.update().where(JOBS.c.kind == JobKind.SEEK).values(**values))
    client_as("release-officer").post(f"/emergency/{waiting}/confirm")
    over = (JobKind.SEEK, JobKind.DISCLOSE)
    worked(data, lambda: all(job(office, kind).state in jobs.OVER for kind in over))
    assert job(office, JobKind.SEEK).state is JobState.FAILED
    assert state(office, waiting) == "disclosed"


def test_one_that_cannot_be_made_again_and_again_is_over_and_says_so(
    office: Office, data: Settings, waiting: str, client_as: Callable[[str], Browser]
) -> None:
    second = client_as("release-officer")
    second.post(f"/emergency/{waiting}/confirm")
    with urgent.tables(office) as connection:
        made = JOBS.c.kind == JobKind.DISCLOSE
        connection.execute(JOBS.update().where(made).values(attempts=12))
    worked(data, lambda: job(office, JobKind.DISCLOSE).state in jobs.OVER)
    assert state(office, waiting) == "refused"
    assert "again and again in vain" in said(second.get(f"/emergency/{waiting}").text)


def test_every_state_has_its_words() -> None:
    assert set(states.EMERGENCIES) == {each.value for each in EmergencyState}


@pytest.mark.parametrize("code", ["sharing/extract-of-another-contract", "sharing/no-extract"])
def test_extracts_that_cannot_be_looked_in_are_said_with_what_to_do(code: str) -> None:
    said = why(code)
    assert "nothing has left" in said
    assert said.lower().endswith("tell the authority by telephone.")
