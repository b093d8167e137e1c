"""People are told what waits for them: by a real mail server and a real webhook."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from gateway.adapters import (
    jobs,
    keyring_ledger,
    notice_addresses,
    notice_gathering,
    notice_records,
)
from gateway.adapters.examination import Health
from gateway.adapters.examinations import examine
from gateway.adapters.job_records import JOBS
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.notice_records import NoticeState
from gateway.adapters.notice_sending import MOST_ATTEMPTS
from gateway.adapters.recipient_keys import new_pair
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    mark_forwarded,
    open_release,
)
from gateway.wiring import append
from tests.journeys import borough
from tests.journeys.office import Office
from tests.notices.conftest import Telling, by_hook, by_mail, told
from tests.notices.listeners import ENOUGH, Hook, Mailbox, verified

AGREEMENT = borough.AGREEMENT
PAGE = f"https://data.trafford.example/agreements/{AGREEMENT}/proposal"
HOUR = dt.timedelta(hours=1)


def test_a_proposal_is_told_to_the_approvers_of_its_controllers_alone(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    assert telling.look() == 2
    assert sorted(to for to, _ in mailbox.came) == [
        "alan@trafford.example",
        "april@trafford.example",
    ]
    message = mailbox.to("april@trafford.example")[0]
    assert "waits for your approval" in message["Subject"]
    assert PAGE in message.get_content()
    assert "edith has proposed version" in message.get_content()
    assert message["Auto-Submitted"] == "auto-generated"


def test_nobody_is_told_twice_however_often_a_worker_looks(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    telling.look()
    telling.look()
    telling.look(later=HOUR)
    assert len(mailbox.came) == 2


def test_an_approval_is_told_to_the_editor_and_not_to_who_gave_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.approve(AGREEMENT)
    telling.look()
    subjects = [message["Subject"] for message in mailbox.to("edith@trafford.example")]
    assert any("is approved" in each for each in subjects)
    assert not any("is approved" in m["Subject"] for m in mailbox.to("april@trafford.example"))


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_version_that_waited_is_told_of_when_it_begins(
    telling: Telling, mailbox: Mailbox, withdrawn: bool
) -> None:
    telling.address("rosa", "olga")
    digest = telling.office.approve(AGREEMENT)
    facts: dict[str, str | int] = {"document": AGREEMENT, "document_digest": digest, "version": 3}
    with telling.database.begin() as connection:
        append(connection, "policy-begun", facts)
    if withdrawn:
        telling.office.must("policy", "withdraw", AGREEMENT, "--as", "april")
    telling.look()
    telling.look()
    begun = [(to, m) for to, m in mailbox.came if "version 3 has begun" in m["Subject"]]
    names = ("alan", "april", "edith") if not withdrawn else ()
    assert sorted(to for to, _ in begun) == [f"{name}@trafford.example" for name in names]
    for _, message in begun:
        assert f"/agreements/{AGREEMENT}" in message.get_content()
        assert "it has taken its place" in " ".join(message.get_content().split())


def test_an_agreement_that_is_no_more_what_was_approved_is_told_of_once(
    telling: Telling, mailbox: Mailbox, tmp_path: Path
) -> None:
    telling.address("rosa", "olga")
    telling.office.approve(AGREEMENT)
    telling.look()
    assert not [m for _, m in mailbox.came if "nothing leaves until" in m["Subject"]]
    public = str(new_pair(tmp_path / "key", at=telling.at).public_file)
    telling.office.must("recipients", "add", borough.RESEARCH, public, "--as", "ada")
    telling.look()
    telling.look(later=HOUR)
    changed = [(to, m) for to, m in mailbox.came if "nothing leaves until" in m["Subject"]]
    names = ("alan", "april", "edith", "rosa")
    assert sorted(to for to, _ in changed) == [f"{name}@trafford.example" for name in names]
    assert f"/agreements/{AGREEMENT}" in changed[0][1].get_content()
    telling.office.approve(AGREEMENT)
    telling.look(later=HOUR)
    assert len([m for _, m in mailbox.came if "nothing leaves until" in m["Subject"]]) == len(names)


def test_a_withdrawal_is_told_to_those_who_share_under_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.address("rosa")
    telling.office.approve(AGREEMENT)
    telling.office.must("policy", "withdraw", AGREEMENT, "--as", "april")
    telling.look()
    assert any("withdrawn" in m["Subject"] for m in mailbox.to("rosa@trafford.example"))


def test_a_withdrawal_of_several_texts_is_told_once(telling: Telling, mailbox: Mailbox) -> None:
    digest = telling.office.approve(AGREEMENT)
    withdrawn = {"document": AGREEMENT, "operator": "april"}
    for at in (telling.at, telling.at + HOUR):
        with telling.database.begin() as connection:
            for text in (digest, "0" * 64):
                facts = {**withdrawn, "document_digest": text}
                keyring_ledger.record(connection, "policy-withdrawn", facts, at=at)
    telling.look(later=HOUR)
    subjects = [message["Subject"] for message in mailbox.to("edith@trafford.example")]
    assert len([each for each in subjects if "withdrawn" in each]) == 2


def test_a_held_release_is_told_to_those_who_may_accept_it_and_not_to_who_ran_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.address("rosa")
    held_release(telling)
    telling.look()
    assert "held for a second person" in mailbox.to("april@trafford.example")[0]["Subject"]
    assert "/releases/rel-held" in mailbox.to("april@trafford.example")[0].get_content()
    assert mailbox.to("rosa@trafford.example") == []


def test_a_held_release_is_not_told_to_an_approver_of_other_controllers(
    telling: Telling, mailbox: Mailbox
) -> None:
    bound = ("--role", "approver", "--controller", "knowsley-council", "--as", "ada")
    telling.office.must("operators", "add", "nick", *bound)
    telling.address("nick")
    held_release(telling)
    telling.look()
    assert mailbox.to("april@trafford.example")
    assert mailbox.to("nick@trafford.example") == []


def held_release(telling: Telling) -> None:
    with telling.database.begin() as connection:
        open_release(
            connection,
            ReleaseRecord(
                id="rel-held",
                state=ReleaseState.HELD,
                purpose=borough.STUDY,
                agreement=AGREEMENT,
                policy_digest="0" * 64,
                officer="rosa",
                created=dt.datetime.now(dt.UTC),
            ),
        )
        append(connection, "release-held", {"release": "rel-held", "code": "tripwire/fewer-rows"})


def test_a_certificate_of_destruction_is_asked_for_before_its_day_and_after_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.address("rosa")
    due = telling.at.date() + dt.timedelta(days=20)
    package: dict[str, str] = dict.fromkeys(("digest", "place"), "")
    manifest = {"core": {"duties": [f"destroy-by {due}"]}}
    held_release(telling)
    with telling.database.begin() as connection:
        record = PackageRecord(
            **package,
            id="rel-held.p",
            release="rel-held",
            output="p",
            recipient="r",
            rows=1,
            manifest=manifest,
        )
        add_package(connection, record)
        mark_forwarded(connection, "rel-held.p", telling.at)
    for later, subject in ((0, "due within a month"), (5, ""), (16, "overdue"), (30, "")):
        before = len(mailbox.to("rosa@trafford.example"))
        telling.look(later=dt.timedelta(days=later))
        came = mailbox.to("rosa@trafford.example")[before:]
        came = [m for m in came if "destruction" in m["Subject"]]
        assert [subject in m["Subject"] for m in came] == ([True] if subject else [])
        assert all("/releases/rel-held#duties" in m.get_content() for m in came)


def test_a_role_that_was_asked_for_is_told_to_those_who_confirm(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("operators", "add", "bea", "--role", "administrator", "--as", "ada")
    telling.address("bea", "kit", "ada")
    telling.office.must("operators", "add", "newt", "--role", "editor", "--as", "ada")
    telling.look()
    said = [m.get_content() for m in mailbox.to("kit@trafford.example")]
    assert any('asked for the role "editor" for newt' in each for each in said)
    assert not any("newt" in m.get_content() for m in mailbox.to("ada@trafford.example"))


def test_a_way_in_that_was_asked_for_is_told_to_those_who_confirm_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("operators", "add", "bea", "--role", "administrator", "--as", "ada")
    telling.address("bea", "kit", "ada")
    telling.office.must("accounts", "add", "bea", "--operator", "bea", "--as", "ada")
    telling.look()
    said = [m.get_content() for m in mailbox.to("kit@trafford.example")]
    assert any("asked for a way in for the account bea" in each for each in said)
    for name in ("ada", "bea"):
        told_of = [m.get_content() for m in mailbox.to(f"{name}@trafford.example")]
        assert not any("way in" in each for each in told_of), name


def test_a_job_that_failed_is_told_to_who_asked_and_to_administrators(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.address("rosa", "ada")
    with telling.database.begin() as connection:
        job = jobs.enqueue(
            connection, JobKind.REHEARSE, subject="x", by="rosa", request={}, at=telling.at
        )
        values = {"state": JobState.FAILED, "code": "job/too-many-attempts"}
        finished = jobs.find(connection, job).created
        connection.execute(JOBS.update().values(**values, finished=finished))
    assert notice_gathering.anything(telling.database, at=telling.at)
    telling.look()
    telling.look()
    for name in ("rosa", "ada"):
        assert len(mailbox.to(f"{name}@trafford.example")) == 1
    assert f"/jobs/{job}" in mailbox.to("rosa@trafford.example")[0].get_content()


def test_jobs_that_wait_for_the_passphrase_are_told_once_a_day(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.address("ada")
    with telling.database.begin() as connection:
        jobs.enqueue(connection, JobKind.PURGE, subject="x", by="", request={}, at=telling.at)
        jobs.hold(connection, kinds=[JobKind.PURGE], code="job/no-keys")
    telling.look()
    assert mailbox.came == [], "a start without a passphrase for a moment is no news"
    noon = dt.time(12, tzinfo=dt.UTC)
    telling.at = dt.datetime.combine(telling.at.date() + 24 * HOUR, noon)
    telling.look()
    telling.look(later=HOUR)
    (message,) = mailbox.to("ada@trafford.example")
    assert "passphrase" in message["Subject"]
    telling.look(later=24 * HOUR)
    assert len(mailbox.to("ada@trafford.example")) == 2


def test_each_reminder_of_a_review_comes_once(telling: Telling, mailbox: Mailbox) -> None:
    telling.office.approve(AGREEMENT)
    telling.look()
    review = borough.agreements(telling.office.policies)[AGREEMENT]["review"]
    mailbox.came.clear()
    for day in range(-120, 120):
        telling.at = dt.datetime.combine(review, dt.time(9), dt.UTC) + dt.timedelta(days=day)
        notice_gathering.remind(telling.database, telling.settings.notices, at=telling.at)
    with telling.database.read() as connection:
        kinds = [
            (each.occasion.facts["step"], each.person)
            for each in notice_records.listed(connection)
            if each.occasion.kind == "review" and each.person == "edith"
        ]
    assert sorted(step for step, _ in kinds) == sorted(
        ["within three months", "within a month", "within a week", "due", "overdue, nothing leaves"]
    )


def test_an_agreement_that_nobody_approved_reminds_nobody(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.look(later=dt.timedelta(days=300))
    assert mailbox.came == []


def test_the_webhook_is_told_once_for_each_occasion_and_signed(
    office: Office, hook: Hook, tmp_path: Path
) -> None:
    telling = told(office, **by_hook(hook, tmp_path))
    office.must("policy", "propose", AGREEMENT, "--as", "edith")
    telling.look()
    telling.look()
    (headers, body), *more = hook.came
    assert more == []
    assert verified(headers, body)
    assert not verified(headers, body + b" ")
    assert not verified(headers | {"webhook-timestamp": "1"}, body)
    (document,) = hook.documents
    assert document["type"] == "gateway.proposed"
    assert document["data"]["agreement"] == AGREEMENT
    telling.database.close()


def test_a_webhook_that_fails_is_tried_again_under_the_same_id(
    office: Office, hook: Hook, tmp_path: Path
) -> None:
    telling = told(office, **by_hook(hook, tmp_path))
    office.must("policy", "propose", AGREEMENT, "--as", "edith")
    hook.status = 503
    assert telling.look() == 0
    assert telling.look(later=dt.timedelta(seconds=5)) == 0
    assert len(hook.came) == 1, "it waits before it tries again"
    hook.status = 302
    assert telling.look(later=HOUR) == 0
    hook.status = 204
    assert telling.look(later=HOUR) == 1
    assert len({headers["webhook-id"] for headers, _ in hook.came}) == 1
    assert len(hook.came) == 3
    telling.database.close()


def test_what_a_webhook_answers_is_not_read_however_long_it_is(
    office: Office, hook: Hook, tmp_path: Path
) -> None:
    telling = told(office, **by_hook(hook, tmp_path))
    office.must("policy", "propose", AGREEMENT, "--as", "edith")
    hook.endless, hook.status = True, 200
    assert telling.look() == 1
    assert hook.written < ENOUGH
    telling.database.close()


def test_what_nobody_foresaw_holds_nobody_up_and_ends_where_the_doctor_sees_it(
    telling: Telling, mailbox: Mailbox
) -> None:
    """An address that no form lets in: the letter to it cannot be written."""
    with telling.database.begin() as connection:
        wrong = notice_addresses.ADDRESSES.c.person == "alan"
        values = {"address": "alan@trafford.example\nBcc: eve@trafford.example"}
        connection.execute(notice_addresses.ADDRESSES.update().where(wrong).values(**values))
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    assert telling.look() == 1
    assert len(mailbox.to("april@trafford.example")) == 1
    (his,) = [each for each in telling.all() if each.person == "alan"]
    assert (his.state, his.last_code) == (NoticeState.WAITING, "notices/unforeseen")
    began = telling.at
    for _ in range(40):
        telling.look(later=6 * HOUR + HOUR / 60)
    (his,) = [each for each in telling.all() if each.person == "alan"]
    assert his.state is NoticeState.FAILED
    assert his.attempts <= MOST_ATTEMPTS
    assert telling.at - began > dt.timedelta(days=3)
    found = [each for each in examine(telling.settings, at=telling.at) if each.subject == "notices"]
    assert [each.health for each in found] == [Health.LOOK, Health.WELL]
    assert "The gateway itself failed at it" in found[0].sentence
    assert "eve@" not in repr(found)


def test_a_notice_whose_worker_never_comes_back_ends_too(telling: Telling) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    notice_gathering.gather(telling.database, telling.settings.notices, at=telling.at)
    for _ in range(2 * MOST_ATTEMPTS):
        telling.at += HOUR
        with telling.database.begin() as connection:
            notice_records.claim(connection, channels=[False], at=telling.at, until=telling.at)
    telling.look(later=HOUR)
    assert {each.state for each in telling.all() if each.last_code} == {NoticeState.FAILED}


def test_a_mail_server_that_is_away_stops_no_governance_and_gets_it_later(
    office: Office, mailbox: Mailbox
) -> None:
    away = by_mail(mailbox) | {"GATEWAY_SMTP_PORT": "9"}
    telling = told(office, **away)
    telling.address("april", "edith")
    office.approve(AGREEMENT)
    assert telling.look() == 0
    assert {each.last_code for each in telling.all() if each.last_code} == {"notices/out-of-reach"}
    telling.database.close()
    again = told(office, **by_mail(mailbox))
    again.at = telling.at
    assert again.look(later=HOUR) == 1
    assert "is approved" in mailbox.to("edith@trafford.example")[0]["Subject"]
    again.database.close()


def test_a_notice_is_given_up_after_three_days_and_sent_when_somebody_asks(
    office: Office, mailbox: Mailbox
) -> None:
    telling = told(office, **by_mail(mailbox) | {"GATEWAY_SMTP_PORT": "9"})
    telling.address("april")
    office.must("policy", "propose", AGREEMENT, "--as", "edith")
    began = telling.at
    while any(each.state is NoticeState.WAITING for each in telling.all()) or not telling.all():
        telling.look(later=6 * HOUR + HOUR / 60)
    assert telling.at - began > dt.timedelta(days=3)
    assert {each.state for each in telling.all() if each.person == "april"} == {NoticeState.FAILED}
    telling.database.close()
    office.must("notices", "retry", "--as", "ada")
    again = told(office, **by_mail(mailbox))
    again.at = telling.at
    again.look()
    assert len(mailbox.to("april@trafford.example")) == 1
    again.database.close()


@pytest.mark.parametrize(
    ("word", "answer", "state"),
    [
        ("RCPT", "550 no such mailbox", NoticeState.FAILED),
        ("RCPT", "451 come again", NoticeState.WAITING),
        ("DATA", "554 not this", NoticeState.FAILED),
        ("DATA", "452 full", NoticeState.WAITING),
    ],
)
def test_only_what_is_refused_for_good_is_given_up_at_once(
    telling: Telling, mailbox: Mailbox, word: str, answer: str, state: NoticeState
) -> None:
    mailbox.answers[word] = answer
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    telling.look()
    states = {each.state for each in telling.all() if each.last_code}
    assert states == {state}


def test_whoever_has_no_address_is_shown_and_holds_nobody_up(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("notices", "address", "alan", "--remove", "--as", "ada")
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    assert telling.look() == 1
    assert {each.person for each in telling.all() if each.state is NoticeState.NO_ADDRESS} == {
        "alan"
    }
    telling.address("alan")
    assert telling.look(later=HOUR) == 0, "what is over is not told afterwards"


def test_a_worker_that_dies_after_it_took_a_notice_leaves_it_to_the_next(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    notice_gathering.gather(telling.database, telling.settings.notices, at=telling.at)
    later = telling.at + dt.timedelta(minutes=5)
    with telling.database.begin() as connection:
        for _ in range(2):
            assert notice_records.claim(connection, channels=[False], at=telling.at, until=later)
        assert (
            notice_records.claim(connection, channels=[False], at=telling.at, until=later) is None
        )
    assert telling.look() == 0
    assert telling.look(later=HOUR) == 2


def test_nothing_is_told_from_a_restored_directory_that_is_on_hold(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    (telling.office.data / "restored.json").write_text("{}")
    assert telling.look() == 0
    assert mailbox.came == []


def test_what_is_older_than_a_week_when_it_is_first_looked_at_is_not_told(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("policy", "propose", AGREEMENT, "--as", "edith")
    telling.look(later=dt.timedelta(days=8))
    assert not any("waits for your approval" in m["Subject"] for _, m in mailbox.came)


def test_the_title_of_an_agreement_cannot_write_a_header(
    telling: Telling, mailbox: Mailbox, tmp_path: Path
) -> None:
    path, text = next(
        (path, text)
        for path in telling.office.policies.glob("agreements/*.toml")
        if f'id = "{AGREEMENT}"' in (text := path.read_text("utf-8"))
    )
    version = borough.agreements(telling.office.policies)[AGREEMENT]["version"]
    text = text.replace(f"version = {version}", f"version = {version + 1}", 1)
    evil = 'title = "Trafford\\r\\nBcc: all@evil.example\\r\\n\\r\\nHello"'
    text = re.sub(r"^title = .*$", lambda _: evil, text, count=1, flags=re.MULTILINE)
    changed = tmp_path / path.name
    changed.write_text(text, "utf-8")
    answer = telling.office.run("policy", "propose", AGREEMENT, str(changed), "--as", "edith")
    if answer.code:
        assert "policy/" in answer.err, "the strict reader refuses such a title by itself"
    telling.look()
    for _, message in mailbox.came:
        assert message["Bcc"] is None


def test_an_emergency_disclosure_is_told_to_whoever_oversees_them(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.office.must("operators", "add", "aude", "--role", "auditor", "--as", "ada")
    telling.address("aude", "rosa")
    facts = {"subject": "emg-x", "recipient": "trafford-mash", "operator": "pia"}
    with telling.database.begin() as connection:
        asked = {"purpose": "urgent-safeguarding", "agreement": AGREEMENT}
        append(connection, "emergency-asked", facts | asked)
        made = {"release": "rel-x", "clause": "8.2(a)", "approver": "rosa", "count": 0}
        append(connection, "emergency-disclosed", facts | made)
    telling.look()
    (waits,) = mailbox.to("rosa@trafford.example")
    assert "waits for a second person" in waits["Subject"]
    (told,) = mailbox.to("aude@trafford.example")
    assert "pia and rosa have disclosed one person to trafford-mash" in told.get_content()
    assert "/emergency/emg-x" in told.get_content()
