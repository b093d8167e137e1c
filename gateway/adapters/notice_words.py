"""A notice in words: an e-mail's subject and text, and the document of the webhook.

Titles of agreements are texts that somebody wrote: they are made one line without
control characters before they stand in a header, and are cut where they are long.

Source: RFC 5322 section 2.1.1; RFC 3834; requirement N4; docs/how-to/tell-people.md.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.adapters.notice_records import NoticeRecord
from gateway.adapters.settings import Settings

LONGEST: Final = 180


def reference(notice: NoticeRecord) -> str:
    """What a notice is known by outside: the same at each try, and saying nothing."""
    named = f"{notice.occasion.id}\n{notice.person}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def letter(settings: Settings, notice: NoticeRecord, *, to: str, date: str) -> EmailMessage:
    """The e-mail of a notice.

    Args:
        settings: who sends, and where the pages are.
        notice: to one person.
        to: their address.
        date: now, as RFC 5322 writes it.
    """
    sender = settings.notices.smtp_from
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = to
    made["Subject"] = one_line(f"{settings.council_name}: {notice.occasion.subject}")
    made["Date"] = parsedate_to_datetime(date)
    made["Message-ID"] = f"<{reference(notice)}@{sender.rpartition('@')[2]}>"
    # Nobody's out-of-office note answers it.
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(_text(settings, notice), cte="quoted-printable")
    return made


def document(settings: Settings, notice: NoticeRecord) -> bytes:
    """The JSON document of a notice, as it is signed and posted."""
    occasion = notice.occasion
    names = ("agreement", "release", "emergency", "version", "job", "date", "step")
    about = {name: occasion.facts[name] for name in names if name in occasion.facts}
    told = {
        "type": f"gateway.{occasion.kind}",
        "timestamp": notice.at,
        "data": {
            **about,
            "subject": one_line(occasion.subject),
            "sentence": one_line(occasion.sentence, longest=1000),
            "page": settings.public_url + occasion.path,
        },
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=False).encode("utf-8")


def one_line(text: str, *, longest: int = LONGEST) -> str:
    """A text without line ends or control and direction characters, and not too long."""
    plain = "".join(
        " " if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn") else each
        for each in text
    )
    words = " ".join(plain.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def _text(settings: Settings, notice: NoticeRecord) -> str:
    occasion, at = notice.occasion, settings.public_url
    return "\n".join(
        (
            one_line(occasion.sentence, longest=1000),
            "",
            f"{at}{occasion.path}",
            "",
            f"All that waits for you: {at}/waiting",
            f"Where you are told: {at}/account",
            "",
            "This notice was made by the gateway. It holds no resident's details, and asks you "
            "for none: sign in as you always do.",
            "",
        )
    )
