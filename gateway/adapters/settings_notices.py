"""Settings of the notices: a mail server, a webhook, and whom to believe about them.

TLS is not to be had without, except to this machine itself. No setting holds a secret:
two name the files that do.

Source: RFC 8314; RFC 3207; security point 7; docs/how-to/tell-people.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.errors import UsageError
from gateway.model.mail_domains import retired_in

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
TLS = ("starttls", "implicit", "none")

KNOWN: Mapping[str, tuple[str, str]] = {
    "GATEWAY_SMTP_HOST": ("", "Mail server that takes the notices; empty: no e-mail."),
    "GATEWAY_SMTP_PORT": ("587", "Port of the mail server."),
    "GATEWAY_SMTP_TLS": (
        "starttls",
        "How the mail server is spoken to: starttls, implicit (from the first byte), or none, "
        "which only this machine itself may be.",
    ),
    "GATEWAY_SMTP_USER": ("", "Name under which the mail server knows the gateway, if it asks."),
    "GATEWAY_SMTP_PASSWORD_FILE": (
        "",
        "File (mode 0400) with the password that the mail server asks for.",
    ),
    "GATEWAY_SMTP_FROM": ("", "Address that notices come from, and that answers go to."),
    "GATEWAY_WEBHOOK_URL": (
        "",
        "Address that each notice is posted to as signed JSON; empty: none. https, except on "
        "this machine itself.",
    ),
    "GATEWAY_WEBHOOK_KEY_FILE": (
        "",
        "File (mode 0400) with the key that signs what is posted: 32 bytes or more in base64.",
    ),
    "GATEWAY_NOTICE_CA_FILE": (
        "",
        "Certificates (PEM) of the authority by which mail server and webhook are known; "
        "empty: the system's.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettings:
    """Where notices go; a channel whose address is empty is not used."""

    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    smtp_from: str = ""
    webhook_url: str = ""
    webhook_key_file: Path | None = None
    ca_file: Path | None = None


def read(chosen: Mapping[str, str]) -> NoticeSettings:
    """The notices' settings, seen to fit together.

    Raises:
        UsageError: one is malformed, or would speak in the clear to another machine.
    """
    found = NoticeSettings(
        smtp_host=chosen["GATEWAY_SMTP_HOST"],
        smtp_port=_port(chosen["GATEWAY_SMTP_PORT"]),
        smtp_tls=chosen["GATEWAY_SMTP_TLS"],
        smtp_user=chosen["GATEWAY_SMTP_USER"],
        smtp_password_file=_file(chosen["GATEWAY_SMTP_PASSWORD_FILE"]),
        smtp_from=chosen["GATEWAY_SMTP_FROM"],
        webhook_url=chosen["GATEWAY_WEBHOOK_URL"],
        webhook_key_file=_file(chosen["GATEWAY_WEBHOOK_KEY_FILE"]),
        ca_file=_file(chosen["GATEWAY_NOTICE_CA_FILE"]),
    )
    _check_mail(found)
    _check_webhook(found)
    return found


def described(found: NoticeSettings) -> dict[str, str]:
    """Each setting with its value as text."""
    return {
        "GATEWAY_SMTP_HOST": found.smtp_host,
        "GATEWAY_SMTP_PORT": str(found.smtp_port),
        "GATEWAY_SMTP_TLS": found.smtp_tls,
        "GATEWAY_SMTP_USER": found.smtp_user,
        "GATEWAY_SMTP_PASSWORD_FILE": str(found.smtp_password_file or ""),
        "GATEWAY_SMTP_FROM": found.smtp_from,
        # A query may carry a token.
        "GATEWAY_WEBHOOK_URL": found.webhook_url.partition("?")[0],
        "GATEWAY_WEBHOOK_KEY_FILE": str(found.webhook_key_file or ""),
        "GATEWAY_NOTICE_CA_FILE": str(found.ca_file or ""),
    }


def _check_mail(found: NoticeSettings) -> None:
    if found.smtp_tls not in TLS:
        raise UsageError(
            "settings/smtp-tls",
            f"GATEWAY_SMTP_TLS is one of: {', '.join(TLS)}.",
            remedy="Set it to one of these, or unset it.",
        )
    if not found.smtp_host:
        return
    if found.smtp_tls == "none" and found.smtp_host not in LOCAL:
        raise UsageError(
            "settings/smtp-in-the-clear",
            "Only a mail server on this machine may be spoken to without TLS.",
            remedy="Set GATEWAY_SMTP_TLS to starttls or implicit.",
        )
    if found.smtp_from.count("@") != 1 or retired_in(found.smtp_from):
        raise UsageError(
            "settings/smtp-from",
            "GATEWAY_SMTP_FROM is an address of a current domain.",
            remedy="The gcsx, gsx, gsi and gse domains were closed in March 2019.",
        )
    if bool(found.smtp_user) != bool(found.smtp_password_file):
        raise UsageError(
            "settings/smtp-user",
            "GATEWAY_SMTP_USER and GATEWAY_SMTP_PASSWORD_FILE go together.",
            remedy="Set both, or neither.",
        )


def _check_webhook(found: NoticeSettings) -> None:
    if not found.webhook_url:
        return
    url = _parts(found.webhook_url)
    if url is None or url[0] not in ("https", "http") or (url[0] == "http" and url[1] not in LOCAL):
        raise UsageError(
            "settings/webhook-url",
            "GATEWAY_WEBHOOK_URL is an https address; http only on this machine itself.",
            remedy="Set such an address, or unset it.",
        )
    if found.webhook_key_file is None:
        raise UsageError(
            "settings/webhook-key",
            "A webhook is signed: GATEWAY_WEBHOOK_KEY_FILE names the file with its key.",
            remedy="`openssl rand -base64 32` makes one; keep the file at mode 0400.",
        )


def _parts(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname or "") if parts.username is None else None
    except ValueError:
        return None


def _port(chosen: str) -> int:
    if not (chosen.isdecimal() and chosen.isascii() and len(chosen) < 6 and int(chosen) < 1 << 16):
        raise UsageError(
            "settings/smtp-port",
            "GATEWAY_SMTP_PORT is a number from 0 to 65535.",
            remedy="Set it so, or unset it.",
        )
    return int(chosen)


def _file(chosen: str) -> Path | None:
    return Path(chosen) if chosen else None
