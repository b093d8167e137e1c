"""To another gateway's inbox: we by `private_key_jwt`, it by its certificate.

The certificate is the one whose SHA-256 the recipient's approved document names, or one
of the authority that it names, or one of the system's authorities, in this order.

Source: RFC 7523; RFC 9110; security points 9 and 15.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from gateway.adapters.channels import Parcel, Told, known_code, why_unreached
from gateway.adapters.channels.deadline import ended_after
from gateway.adapters.client_keys import read_private
from gateway.adapters.delivery_words import because
from gateway.adapters.service_client import Postponed, ServiceClient, connected
from gateway.errors import GatewayError, IntegrityError, Unavailable

INBOX = "/api/v1/inbox/packages"
TYPE = "application/vnd.gateway.package"
# A whole exchange may take so long, and a package's bytes longer, by what a second brings.
SECONDS, SLOWEST = 120.0, 64 << 10
_FINAL = ("package/", "inbox/other-bytes", "inbox/too-long")


def bring(parcel: Parcel) -> Told:
    """Push a package; the receipt comes at once or is asked for later."""
    with _inbox(parcel, SECONDS + parcel.path.stat().st_size / SLOWEST) as inbox:
        try:
            inbox.prove()
        except (GatewayError, Postponed) as fault:
            return Told(arrived=False, code=_code(fault))
        try:
            with open(parcel.path, "rb") as file:
                headers = {"Content-Type": TYPE}
                answer = inbox.once("POST", INBOX, headers=headers, content=file)
        except Postponed as later:
            return Told(arrived=None, code=_code(later))
        except GatewayError as no:
            code = _code(no)
            return Told(arrived=False, code=code, final=code.startswith(_FINAL))
        return _told(parcel, answer)


def receipt(parcel: Parcel) -> Told:
    """Ask for the receipt of a package that was pushed before."""
    with _inbox(parcel) as inbox:
        try:
            return _told(parcel, inbox.once("GET", f"{INBOX}/{parcel.package}"))
        except (GatewayError, Postponed) as fault:
            return Told(arrived=None, code=_code(fault))


def certificate(parcel: Parcel) -> str:
    """Ask for the certificate of destruction of a package; empty while there is none.

    Raises:
        GatewayError: it cannot be asked for, or the inbox says no.
    """
    with _inbox(parcel) as inbox:
        try:
            said = _said(parcel, inbox.once("GET", f"{INBOX}/{parcel.package}"))
        except Postponed:
            said = {}
    signed = said.get("certificate", "")
    return signed if isinstance(signed, str) else ""


def _told(parcel: Parcel, answer: httpx.Response) -> Told:
    """What the inbox says of this package; an answer about other bytes is none."""
    signed = _said(parcel, answer).get("receipt")
    if not isinstance(signed, str):
        return Told(arrived=None, code="delivery/strange-answer")
    return Told(arrived=True, receipt=signed)


def _said(parcel: Parcel, answer: httpx.Response) -> Mapping[str, Any]:
    try:
        said = answer.json()
        same = (said["package"], said["digest"]) == (parcel.package, parcel.digest)
    except (ValueError, KeyError, TypeError):
        return {}
    return said if same else {}


@contextmanager
def _inbox(parcel: Parcel, seconds: float = 0) -> Iterator[ServiceClient]:
    address = parcel.target["address"].rstrip("/")
    key = read_private(parcel.key_file("client.key"))
    with (
        connected(address, verify=_trusting(address, parcel)) as web,
        ended_after(web, seconds or SECONDS),
    ):
        yield ServiceClient(
            address=address,
            client=parcel.target.get("client", ""),
            key=key,
            patience=dt.timedelta(0),
            web=web,
        )


def _trusting(address: str, parcel: Parcel) -> ssl.SSLContext | None:
    """Whose certificate is believed; nothing where the connection needs none."""
    url = httpx.URL(address)
    if url.scheme != "https":
        return None
    pin = parcel.target.get("certificate", "")
    if not pin:
        return _authority(parcel.target.get("authority", ""))
    try:
        shown = ssl.get_server_certificate((url.host, url.port or 443), timeout=10)
    except (OSError, ValueError) as fault:
        sentence, remedy = because(why_unreached(fault))
        raise Unavailable(why_unreached(fault), sentence, remedy=remedy) from None
    if hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest() != pin:
        raise IntegrityError(
            "delivery/other-certificate",
            "The inbox shows another certificate than the recipient's document names.",
            remedy="Ask the recipient; a new certificate needs an approved document.",
        )
    # Only this very certificate is believed, whatever name it has; the next connection
    # is held to it as well.
    trusting = ssl.create_default_context(cadata=shown)
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.check_hostname = False
    return trusting


def _authority(pem: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=pem or None)
    except (ssl.SSLError, ValueError):
        raise Unavailable(
            "delivery/authority-form",
            "The authority in the recipient's document is no certificate in PEM form.",
            remedy="Have the document mended and approved, and make the release again.",
        ) from None


def _code(fault: GatewayError | Postponed) -> str:
    return known_code(fault.code) if isinstance(fault, GatewayError) else why_unreached(fault)
