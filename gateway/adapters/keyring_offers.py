"""Offers: a study root on its way to another key holder, sealed to them, signed by us.

The custodian's operator key signs the whole description: study, epoch, scheme,
root digest, party and the sealed bytes. The party's age key alone opens it. Both
sides then read out the check value; only a second person's ear makes it a key.

Source: docs/reference/keys.md, "A study root's way to another key holder"; age v1; RFC 8032.
"""

from __future__ import annotations

import base64
import hashlib
import json

import pyrage
from pyrage import x25519

from gateway import identity
from gateway.adapters.keyring_signing import verifies
from gateway.errors import InputRejected, IntegrityError, UsageError
from gateway.identity import StudyRoot
from gateway.workflows.ports_keys import Offer

FORMAT = "gateway-key-offer/1"
SCHEME = "sfg1"
_MEMBERS = frozenset(
    {
        *("format", "study", "epoch", "scheme", "root_digest"),
        *("party", "signer", "sealed", "signature"),
    }
)


def draw_up(root: bytes, *, study: str, epoch: str, party: str, age_key: str, signer: str) -> Offer:
    """Seal a root to a party; unsigned as yet.

    Raises:
        UsageError: `age_key` is not an age X25519 public key.
    """
    try:
        recipient = x25519.Recipient.from_str(age_key)
    except pyrage.RecipientError:
        raise UsageError(
            "keys/not-an-age-key",
            "The party's key is not an age X25519 public key (age1...).",
            remedy="Ask them for the file that `gateway recipient-key new` made.",
        ) from None
    return Offer(
        study=study,
        epoch=epoch,
        scheme=SCHEME,
        root_digest=hashlib.sha256(root).hexdigest(),
        party=party,
        signer=signer,
        sealed=pyrage.encrypt(root, [recipient]),
        signature=b"",
    )


def message(offer: Offer) -> bytes:
    """Write what the custodian signs."""
    described = _described(offer)
    described["sealed"] = hashlib.sha256(offer.sealed).hexdigest()
    return json.dumps(described, sort_keys=True, separators=(",", ":")).encode("utf-8")


def dump(offer: Offer) -> bytes:
    """Write the offer's file."""
    document = _described(offer) | {
        "sealed": base64.b64encode(offer.sealed).decode("ascii"),
        "signature": offer.signature.hex(),
    }
    return json.dumps(document, indent=1, sort_keys=True).encode("utf-8") + b"\n"


def load(content: bytes) -> Offer:
    """Read an offer's file, strictly.

    Raises:
        InputRejected: it is not an offer of this format, with exactly its members.
    """
    try:
        found = json.loads(content)
        if set(found) != _MEMBERS or found["format"] != FORMAT or found["scheme"] != SCHEME:
            raise ValueError
        return Offer(
            **{name: str(found[name]) for name in _MEMBERS - {"format", "sealed", "signature"}},
            sealed=base64.b64decode(found["sealed"], validate=True),
            signature=bytes.fromhex(found["signature"]),
        )
    except (ValueError, TypeError):
        raise InputRejected(
            "keys/not-an-offer",
            f"The file is not a key offer of form {FORMAT}.",
            remedy="Ask the custodian to send the file of `gateway keys offer` again.",
        ) from None


def open_offer(offer: Offer, *, secret_half: str, signer: str) -> bytes:
    """Verify an offer against the custodian's key, then unseal its root.

    Args:
        offer: as it was loaded.
        secret_half: our age identity (`AGE-SECRET-KEY-...`).
        signer: the custodian's public key, obtained apart from the offer.

    Raises:
        IntegrityError: the signature, the key or the digest is not right.
    """
    if not verifies(signer, offer.signature, message(offer)):
        raise IntegrityError(
            "keys/offer-signature",
            "The offer is not signed by the custodian that you named.",
            remedy="Compare the custodian's key over another channel; accept nothing until then.",
        )
    try:
        root: bytes = pyrage.decrypt(offer.sealed, [x25519.Identity.from_str(secret_half)])
    except (pyrage.DecryptError, pyrage.IdentityError):
        raise IntegrityError(
            "keys/offer-not-for-us",
            "The offer is not sealed to this key.",
            remedy="Give the key whose public half the custodian has confirmed, or ask "
            "for a new offer.",
        ) from None
    if len(root) != 32 or hashlib.sha256(root).hexdigest() != offer.root_digest:
        raise IntegrityError(
            "keys/offer-damaged",
            "The offered root is not what was signed.",
            remedy="Ask the custodian to draw up the offer again; accept nothing of this one.",
        )
    return root


def check_value(root: bytes, *, study: str, epoch: str) -> str:
    """Give the eight bytes that two key holders read to each other, in groups of four digits."""
    value = identity.check_value(StudyRoot(root), study, epoch=epoch).hex()
    return "-".join(value[at : at + 4] for at in range(0, 16, 4))


def _described(offer: Offer) -> dict[str, str]:
    return {
        "format": FORMAT,
        "study": offer.study,
        "epoch": offer.epoch,
        "scheme": offer.scheme,
        "root_digest": offer.root_digest,
        "party": offer.party,
        "signer": offer.signer,
    }
