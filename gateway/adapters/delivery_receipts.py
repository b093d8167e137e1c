"""A recipient's signed receipt of one package: which bytes, from whom, verified how far.

It is signed with the recipient's package-signing key under a `typ` of its own, and the
descriptor of the recipient's gateway verifies it. It says nothing of what is inside.

Source: RFC 7515; RFC 8725 section 3.11; security point 15; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import rfc8785

from gateway.errors import IntegrityError
from gateway.sealing import Signer, Trust, sign_compact, verify_compact

FORMAT = "gateway-delivery-receipt-1"
RECEIPT_TYP = "gateway-delivery-receipt+jws"
OUTSIDE = ("form", "envelope", "digest")
CHECKS = frozenset({*OUTSIDE, "manifest", "ledger"})
LONGEST = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """What a recipient says: `package_digest` is SHA-256 of the whole file."""

    package: str
    package_digest: str
    sender: str
    recipient: str
    received: str
    verified: tuple[str, ...]


def give(receipt: DeliveryReceipt, signer: Signer) -> str:
    """Sign a receipt: `header.payload.signature`."""
    document = {"format": FORMAT, **asdict(receipt), "verified": list(receipt.verified)}
    return sign_compact(rfc8785.dumps(document), typ=RECEIPT_TYP, signer=signer)


def verify(jws: str, *, trust: Trust, package: str, digest: str, sender: str) -> DeliveryReceipt:
    """Verify a receipt as that of one package, its very bytes, from us.

    Args:
        jws: as it came.
        trust: the descriptor of the recipient's gateway.
        package: the id of the package that was sent.
        digest: SHA-256 of its file.
        sender: our own id.

    Raises:
        IntegrityError: `jws/…`, `delivery/receipt-form`, `delivery/other-receipt`.
    """
    if len(jws) > LONGEST:
        raise _form()
    payload, kid = verify_compact(jws, typ=RECEIPT_TYP, keys=trust.keys_for("signing"))
    told = _read(payload)
    received = dt.datetime.fromisoformat(told.received)
    if told.recipient != trust.sender or kid not in trust.keys_for("signing", received):
        raise IntegrityError(
            "delivery/receipt-key",
            "The receipt's key was not valid when it was signed, or is another gateway's.",
            remedy="Get the recipient's present descriptor by a way that you trust.",
        )
    if (told.package, told.package_digest, told.sender) != (package, digest, sender):
        raise IntegrityError(
            "delivery/other-receipt",
            "The receipt is not about this package and these bytes.",
            remedy="Ask the recipient which package arrived; nothing was recorded.",
        )
    return told


def digest_of(jws: str) -> str:
    """SHA-256 of a receipt, as the ledger names it."""
    return hashlib.sha256(jws.encode("utf-8")).hexdigest()


def _read(payload: bytes) -> DeliveryReceipt:
    try:
        told = json.loads(payload)
        if rfc8785.dumps(told) != payload or told.pop("format") != FORMAT:
            raise _form()
        verified = told.pop("verified")
        if not _known(verified) or not all(isinstance(each, str) for each in told.values()):
            raise _form()
        receipt = DeliveryReceipt(verified=tuple(verified), **told)
        if dt.datetime.fromisoformat(receipt.received).tzinfo is None:
            raise _form()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _form() from None
    return receipt


def _known(verified: Sequence[str]) -> bool:
    """At least everything outside was verified, and nothing that we do not know."""
    return set(OUTSIDE) <= set(verified) <= CHECKS


def _form() -> IntegrityError:
    return IntegrityError(
        "delivery/receipt-form",
        "The receipt is not in the one permitted form.",
        remedy="Ask the recipient for the file as their gateway wrote it, unchanged.",
    )
