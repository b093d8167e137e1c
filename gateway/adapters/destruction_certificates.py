"""A recipient's signed certificate: every copy of one package is destroyed, its backups included.

It is signed under a `typ` of its own by a key of the descriptor that the sender has
registered for the recipient: its gateway's package-signing key, or the key of an analyst
who has no gateway. It names the package by the digest of its file, or of its manifest.

Source: RFC 7515; RFC 8725 section 3.11; security points 8 and 15; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import rfc8785

from gateway.errors import IntegrityError
from gateway.sealing import Signer, Trust, sign_compact, verify_compact

FORMAT = "gateway-destruction-certificate-1"
CERTIFICATE_TYP = "gateway-destruction-certificate+jws"
PACKAGE, MANIFEST = "package", "manifest"
LONGEST = 8 * 1024
CLOCK_SLACK = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a recipient certifies; days are ISO dates, `signed` a time with its zone.

    `of` says what `digest` is the SHA-256 of: the package's file, or the canonical core
    of its manifest. After `unreadable_after` no backup holds a copy either.
    """

    package: str
    of: str
    digest: str
    sender: str
    recipient: str
    destroyed: str
    unreadable_after: str
    signed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The one package that a certificate may be about, as its sender knows it.

    `made` is the day on which its release was made: when it left may be known too late.
    """

    package: str
    sender: str
    digests: Mapping[str, str]
    made: dt.date


def give(certificate: Certificate, signer: Signer) -> str:
    """Sign a certificate: `header.payload.signature`."""
    document = {"format": FORMAT, **asdict(certificate)}
    return sign_compact(rfc8785.dumps(document), typ=CERTIFICATE_TYP, signer=signer)


def verify(jws: str, *, trust: Trust, about: About, at: dt.datetime) -> Certificate:
    """Verify a certificate as that of one package; every fault has the same answer.

    Args:
        jws: as it came.
        trust: the descriptor that is registered for the recipient.
        about: the package.
        at: now.

    Raises:
        IntegrityError: `duties/certificate-refused`.
    """
    if len(jws) > LONGEST:
        raise refused()
    try:
        payload, kid = verify_compact(jws, typ=CERTIFICATE_TYP, keys=trust.keys_for("signing"))
        told = _read(payload)
    except (IntegrityError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise refused() from None
    if not (_signed_by(told, trust, kid) and _is_about(told, about) and _possible(told, about, at)):
        raise refused()
    return told


def refused() -> IntegrityError:
    """It is not this recipient's certificate of this package; nobody learns how far it came."""
    return IntegrityError(
        "duties/certificate-refused",
        "That is no certificate of this package's destruction by its recipient.",
        remedy="Nothing was recorded. Ask the recipient to certify this package anew; if their key "
        "has changed, register their present descriptor (`gateway deliveries trust`) first.",
    )


def _signed_by(told: Certificate, trust: Trust, kid: str) -> bool:
    signed = dt.datetime.fromisoformat(told.signed)
    return told.recipient == trust.sender and kid in trust.keys_for("signing", signed)


def _is_about(told: Certificate, about: About) -> bool:
    same = (told.package, told.sender) == (about.package, about.sender)
    return same and about.digests.get(told.of) == told.digest


def _possible(told: Certificate, about: About, at: dt.datetime) -> bool:
    """Made, then destroyed, then signed, then here; unreadable no earlier than destroyed."""
    signed = dt.datetime.fromisoformat(told.signed)
    destroyed = dt.date.fromisoformat(told.destroyed)
    unreadable = dt.date.fromisoformat(told.unreadable_after)
    return about.made <= destroyed <= min(unreadable, signed.date()) and signed <= at + CLOCK_SLACK


def _read(payload: bytes) -> Certificate:
    told = json.loads(payload)
    if rfc8785.dumps(told) != payload or told.pop("format") != FORMAT:
        raise refused()
    if not all(isinstance(each, str) for each in told.values()):
        raise refused()
    certificate = Certificate(**told)
    days = (certificate.destroyed, certificate.unreadable_after)
    if any(dt.date.fromisoformat(day).isoformat() != day for day in days):
        raise refused()
    if dt.datetime.fromisoformat(certificate.signed).utcoffset() != dt.timedelta(0):
        raise refused()
    return certificate
