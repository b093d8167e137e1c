"""The channels: TLS or nothing, secrets from files, addresses that may be written to."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import ledger_search, notice_addresses, notice_mail, notice_webhook
from gateway.adapters.notice_sending import FIRST_PAUSE, LONGEST_PAUSE, pause
from gateway.adapters.notice_words import one_line
from gateway.adapters.settings import read_settings
from gateway.adapters.settings_notices import NoticeSettings
from gateway.errors import InputRejected, UsageError
from gateway.model.notices import NOTICES, Kind, Occasion
from gateway.wiring.common import open_database
from tests.journeys.office import Office
from tests.notices.conftest import by_hook, by_mail, key_file
from tests.notices.listeners import (
    DRIPS,
    ENOUGH,
    HOST,
    PASSWORD,
    USER,
    Hook,
    Mailbox,
    certificate,
    every_fact,
    mail_server,
    verified,
    webhook,
)

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
TO = "april@trafford.example"


def letter() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "gateway@trafford.example", TO, "A trial"
    made.set_content("Nothing waits.")
    return made


def mailing(box: Mailbox, tls: str, **more: object) -> NoticeSettings:
    bare = NoticeSettings(
        smtp_host=HOST, smtp_port=box.port, smtp_tls=tls, smtp_from="gateway@trafford.example"
    )
    return dataclasses.replace(bare, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("tls", "implicit"), [("starttls", False), ("implicit", True)])
def test_under_tls_it_signs_in_and_is_taken(tmp_path: Path, tls: str, implicit: bool) -> None:
    own, secret = certificate(tmp_path), tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o400)
    with mail_server(tls=own, implicit=implicit) as box:
        signing = {"smtp_user": USER, "smtp_password_file": secret, "ca_file": own}
        came = notice_mail.send(mailing(box, tls, **signing), letter(), to=TO)
    assert (came.code, box.signed_in, box.in_the_clear) == ("", 1, 0)
    assert box.greetings[0] == "trafford.example", "the machine's own name is not told"


@pytest.mark.parametrize(("tls", "implicit"), [("starttls", False), ("implicit", True)])
def test_a_certificate_of_nobody_known_gets_no_notice(
    tmp_path: Path, tls: str, implicit: bool
) -> None:
    with mail_server(tls=certificate(tmp_path), implicit=implicit) as box:
        came = notice_mail.send(mailing(box, tls), letter(), to=TO)
    assert (came.code, came.final, box.came) == ("notices/certificate", False, [])


def test_a_certificate_of_another_host_gets_no_notice(tmp_path: Path) -> None:
    other = certificate(tmp_path, host="127.0.0.2")
    with mail_server(tls=other) as box:
        came = notice_mail.send(mailing(box, "starttls", ca_file=other), letter(), to=TO)
    assert (came.code, box.came) == ("notices/certificate", [])


def test_a_server_that_offers_no_tls_gets_no_notice(tmp_path: Path) -> None:
    with mail_server(offers="8BITMIME") as box:
        came = notice_mail.send(mailing(box, "starttls"), letter(), to=TO)
    assert (came.code, box.came) == ("notices/no-tls", [])


def test_a_wrong_password_is_no_reason_to_give_up(tmp_path: Path) -> None:
    own, secret = certificate(tmp_path), tmp_path / "password"
    secret.write_text("another")
    secret.chmod(0o400)
    with mail_server(tls=own) as box:
        signing = {"smtp_user": USER, "smtp_password_file": secret, "ca_file": own}
        came = notice_mail.send(mailing(box, "starttls", **signing), letter(), to=TO)
    assert (came.code, came.final) == ("notices/sign-in-refused", False)


def test_a_password_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    own, secret = certificate(tmp_path), tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o444)
    with mail_server(tls=own) as box:
        signing = {"smtp_user": USER, "smtp_password_file": secret, "ca_file": own}
        came = notice_mail.send(mailing(box, "starttls", **signing), letter(), to=TO)
    assert came.code.startswith("keys/")
    assert box.signed_in == 0


# What each test of a dripping server gives a try; a server that drips outlasts it by far.
SOON = 1.0


@pytest.mark.parametrize("drips", ["220", "250", "354", "235"])
def test_a_mail_server_whose_replies_drip_is_left(tmp_path: Path, drips: str) -> None:
    own, secret = certificate(tmp_path), tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o400)
    with mail_server(tls=own) as box:
        box.drips = drips
        signing = {"smtp_user": USER, "smtp_password_file": secret, "ca_file": own}
        came = notice_mail.send(mailing(box, "starttls", **signing), letter(), to=TO, within=SOON)
    assert (came.code, came.final, box.came) == ("notices/out-of-reach", False, [])


def test_a_mail_server_whose_tls_drips_is_left(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with mail_server(tls=own, implicit=True) as box:
        box.drips = "220"
        known = mailing(box, "implicit", ca_file=own)
        came = notice_mail.send(known, letter(), to=TO, within=SOON)
    assert (came.code, box.came) == ("notices/out-of-reach", [])


def test_of_a_reply_that_does_not_end_little_is_read(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with mail_server(tls=own) as box:
        box.endless = "354"
        came = notice_mail.send(mailing(box, "starttls", ca_file=own), letter(), to=TO)
    assert (came.code, box.came) == ("notices/out-of-reach", [])
    assert box.written < ENOUGH // 4


@pytest.mark.parametrize("goodbye", ["421 too busy", "drips"])
def test_what_was_taken_is_sent_however_the_server_says_goodbye(
    tmp_path: Path, goodbye: str
) -> None:
    own = certificate(tmp_path)
    with mail_server(tls=own) as box:
        if goodbye == "drips":
            box.drips = "221"
        else:
            box.answers["QUIT"] = goodbye
        came = notice_mail.send(mailing(box, "starttls", ca_file=own), letter(), to=TO)
    assert came.sent
    assert len(box.to(TO)) == 1


@pytest.mark.parametrize("tls", [False, True])
def test_a_webhook_whose_headers_drip_is_left(tmp_path: Path, tls: bool) -> None:
    own = certificate(tmp_path) if tls else None
    with webhook(tls=own) as hook:
        hook.drips = DRIPS
        known = NoticeSettings(
            webhook_url=hook.url, webhook_key_file=key_file(tmp_path), ca_file=own
        )
        came = notice_webhook.post(known, b"{}", reference="r", at=NOW, within=SOON)
    assert (came.code, came.final) == ("notices/out-of-reach", False)
    assert len(hook.came) == 1


def test_a_webhook_under_tls_is_known_by_its_authority(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with webhook(tls=own) as hook:
        known = NoticeSettings(
            webhook_url=hook.url, webhook_key_file=key_file(tmp_path), ca_file=own
        )
        assert notice_webhook.post(known, b"{}", reference="r", at=NOW).sent
        stranger = dataclasses.replace(known, ca_file=None)
        assert not notice_webhook.post(stranger, b"{}", reference="r", at=NOW).sent
    assert verified(*hook.came[0])
    assert len(hook.came) == 1


def test_a_short_key_signs_nothing(hook: Hook, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(b"too short"))
    path.chmod(0o400)
    known = NoticeSettings(webhook_url=hook.url, webhook_key_file=path)
    assert notice_webhook.post(known, b"{}", reference="r", at=NOW).code == "notices/webhook-key"
    assert hook.came == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"GATEWAY_SMTP_TLS": "none"}, "settings/smtp-in-the-clear"),
        ({"GATEWAY_SMTP_TLS": "perhaps"}, "settings/smtp-tls"),
        ({"GATEWAY_SMTP_FROM": "gateway"}, "settings/smtp-from"),
        ({"GATEWAY_SMTP_FROM": "desk@trafford.gcsx.gov.uk"}, "settings/smtp-from"),
        ({"GATEWAY_SMTP_PORT": "seven"}, "settings/smtp-port"),
        ({"GATEWAY_SMTP_USER": "gateway"}, "settings/smtp-user"),
        ({"GATEWAY_WEBHOOK_URL": "http://hooks.example/x"}, "settings/webhook-url"),
        ({"GATEWAY_WEBHOOK_URL": "https://me:pass@hooks.example/x"}, "settings/webhook-url"),
        ({"GATEWAY_WEBHOOK_URL": "https://hooks.example/x"}, "settings/webhook-key"),
        ({"GATEWAY_SMTP_PASSWORD": "secret"}, "settings/unknown-name"),
    ],
)
def test_settings_that_would_be_unsafe_are_refused_by_name(
    settings: Mapping[str, str], code: str
) -> None:
    sound = {
        "GATEWAY_SMTP_HOST": "mail.trafford.example",
        "GATEWAY_SMTP_FROM": "gateway@trafford.example",
    }
    assert read_settings(environ=sound).notices.smtp_tls == "starttls"
    with pytest.raises(UsageError, match=code):
        read_settings(environ=sound | dict(settings))


@pytest.mark.parametrize("address", ["a@b.example", "o'hara.k+x@data.trafford.example"])
def test_an_address_that_can_be_written_to_is_taken(address: str) -> None:
    assert notice_addresses.checked(f" {address}\n") == address


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("april", "notices/address-form"),
        ("april@trafford", "notices/address-form"),
        ("a@b.example\nBcc: c@d.example", "notices/address-form"),
        ("a@b.example, c@d.example", "notices/address-form"),
        ("<a@b.example>", "notices/address-form"),
        ("a@[127.0.0.1]", "notices/address-form"),
        (f"{'a' * 60}@{'b.' * 120}example", "notices/address-form"),
        ("a@trafford.gcsx.gov.uk", "notices/retired-mail-domain"),
        ("a@x.y.GSI.gov.uk", "notices/retired-mail-domain"),
        ("a@gse.gov.uk", "notices/retired-mail-domain"),
        ("a@dept.gsx.gov.uk", "notices/retired-mail-domain"),
    ],
)
def test_an_address_that_cannot_or_may_not_be_is_refused(address: str, code: str) -> None:
    with pytest.raises(InputRejected, match=code) as refused:
        notice_addresses.checked(address)
    assert address.strip() not in str(refused.value)


@given(st.text(max_size=300))
def test_whatever_somebody_wrote_becomes_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 180
    assert line == " ".join(line.split())
    assert not any(each in line for each in "\r\n\x00\u202e\u2028\u200b")


@given(st.integers(0, 200))
def test_pauses_grow_and_end(tries: int) -> None:
    assert FIRST_PAUSE <= pause(tries) <= pause(tries + 1) <= LONGEST_PAUSE


_MORE = ("step", "effect", "what", "code", "job", "emergency", "second", "recipient")


def test_every_kind_of_notice_has_its_words() -> None:
    facts = every_fact()
    assert set(NOTICES) == set(Kind)
    for kind in Kind:
        occasion = Occasion(id="x", kind=kind, by="ada", facts=facts)
        assert occasion.subject
        assert occasion.sentence.endswith((".", "x"))
        assert occasion.path.startswith("/")


def test_a_trial_says_of_each_channel_whether_it_was_taken(
    office: Office, mailbox: Mailbox, hook: Hook, tmp_path: Path
) -> None:
    office.settings |= by_mail(mailbox) | by_hook(hook, tmp_path)
    refused = office.run("notices", "test", "--to", "april", "--as", "ada")
    assert refused.code == 2
    assert "notices/no-address" in refused.err
    office.must("notices", "address", "april", "--as", "ada", given=f"{TO}\n")
    told = office.ask("notices", "test", "--to", "april", "--as", "ada")
    assert told == {"tried": {"e-mail": "", "webhook": ""}}
    assert mailbox.to(TO)
    hook.status = 500
    failed = office.run("notices", "test", "--to", "april", "--as", "ada")
    assert failed.code == 7


def test_only_administrators_send_trials_or_say_where_others_are_told(
    office: Office, mailbox: Mailbox
) -> None:
    office.settings |= by_mail(mailbox)
    for words in (("test", "--to", "april"), ("retry",), ("address", "april")):
        answer = office.run("notices", *words, "--as", "edith", given=f"{TO}\n")
        assert (answer.code, "operators/not-permitted" in answer.err) == (3, True)
    own = office.must("notices", "address", "edith", "--as", "edith", given=f"{TO}\n")
    assert TO not in own.out + own.err


def test_an_address_stands_in_no_listing_and_not_in_the_ledger(
    office: Office, mailbox: Mailbox
) -> None:
    office.settings |= by_mail(mailbox)
    office.must("notices", "address", "april", "--as", "ada", given=f"{TO}\n")
    for words in (("notices", "list"), ("operators", "list"), ("accounts", "list"), ("settings",)):
        assert TO not in office.must(*words).out
    database = open_database(read_settings(office.data))
    with contextlib.closing(database), database.read() as connection:
        entry = ledger_search.newest(connection, limit=1)[0].entry
    assert entry.event == "notice-address-changed"
    assert dict(entry.facts) == {"account": "april", "operator": "ada"}


def test_an_unknown_person_has_no_address(office: Office) -> None:
    answer = office.run("notices", "address", "nobody", "--as", "ada", given=f"{TO}\n")
    assert "operators/unknown" in answer.err
