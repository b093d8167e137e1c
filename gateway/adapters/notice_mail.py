"""Notices by e-mail: one connection for each, under TLS, to a server whose name is verified.

Nothing of the server's answer is kept but the code that it means.

Source: RFC 5321; RFC 3207; RFC 8314; RFC 4954; security point 7.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from gateway.adapters import keyring_files as files
from gateway.adapters.keyring_passphrase import ANY_BUT_OWNER_READS
from gateway.adapters.notice_replies import in_time
from gateway.adapters.notice_try import WHOLE, Try
from gateway.adapters.settings_notices import NoticeSettings
from gateway.errors import Unavailable

FOR_GOOD: Final = 500
_CODES: Final = (
    (smtplib.SMTPNotSupportedError, "notices/no-tls"),
    (smtplib.SMTPAuthenticationError, "notices/sign-in-refused"),
    (smtplib.SMTPResponseException, "notices/refused"),
    (ssl.SSLError, "notices/certificate"),
    (Exception, "notices/out-of-reach"),
)


def send(settings: NoticeSettings, message: EmailMessage, *, to: str, within: float = WHOLE) -> Try:
    """Hand one message to the mail server.

    Args:
        settings: the server's.
        message: whole.
        to: its one recipient.
        within: seconds for the whole of it, however the server's replies drip in.
    """
    try:
        with _connected(settings, within) as server:
            server.send_message(message, settings.smtp_from, [to])
    except (smtplib.SMTPException, OSError, Unavailable) as fault:
        return _failed(fault)
    return Try()


def _failed(fault: smtplib.SMTPException | OSError | Unavailable) -> Try:
    """What a fault means: refused for good is only what the server says of this very message."""
    if isinstance(fault, Unavailable):
        return Try(fault.code)
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in fault.recipients.values()]
        return Try("notices/address-refused", final=all(code >= FOR_GOOD for code in codes))
    if isinstance(fault, smtplib.SMTPDataError):
        return Try("notices/refused", final=fault.smtp_code >= FOR_GOOD)
    return Try(next(code for kinds, code in _CODES if isinstance(fault, kinds)))


def trusting(settings: NoticeSettings) -> ssl.SSLContext:
    """Whose certificates are believed: the named authority's, or the system's.

    Raises:
        Unavailable: the file is not there or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError):
        raise Unavailable(
            "notices/authority",
            "GATEWAY_NOTICE_CA_FILE names no file of certificates in PEM form.",
            remedy="Name the authority's certificates, or leave it empty for the system's.",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def secret(path: Path) -> bytes:
    """A secret of the settings, from its file of mode 0400.

    Raises:
        Unavailable: it is not there, not safe or empty.
    """
    found = files.read_safely(path, beyond=ANY_BUT_OWNER_READS).strip()
    if not found:
        raise Unavailable(
            "notices/empty-secret",
            "A file that holds a secret is empty.",
            remedy="Write the secret into it, or unset the setting that names it.",
        )
    return found


@contextmanager
def _connected(settings: NoticeSettings, within: float) -> Iterator[smtplib.SMTP]:
    context = None if settings.smtp_tls == "none" else trusting(settings)
    server = in_time(
        settings.smtp_host,
        settings.smtp_port,
        # The machine's own name says nothing that a mail server needs.
        named=settings.smtp_from.rpartition("@")[2],
        within=within,
        tls=context if settings.smtp_tls == "implicit" else None,
    )
    try:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
        if settings.smtp_password_file is not None:
            password = secret(settings.smtp_password_file).decode("utf-8", "replace")
            server.login(settings.smtp_user, password)
        yield server
        # What was taken is taken, however the server says goodbye.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()
