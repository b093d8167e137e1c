"""Offers drawn up and taken in: the files and keys around the custody workflow.

Source: docs/reference/keys.md, "A study root's way to another key holder".
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from gateway.adapters import keyring_files as files
from gateway.adapters import keyring_offers as offers
from gateway.adapters import operators, recipients
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.policy_reading import decision_inputs
from gateway.errors import InputRejected, RefusedError, UsageError
from gateway.model.keys import KeyKind, KeyRecord
from gateway.model.permissions import Action, authorise
from gateway.workflows import custody
from gateway.workflows.ports_keys import CustodyDesk, KeyStore

LARGEST_OFFER = 100_000
_IDENTITY = "AGE-SECRET-KEY-1"


def offer_study_root(
    desk: CustodyDesk, database: Database, *, study: str, epoch: str, party: str, file: Path
) -> str:
    """Seal a ready study root to a party whose key two people confirmed.

    Returns:
        The check value, to be read out by voice.
    """
    with database.begin() as connection:
        custodian = operators.find(connection, desk.acting)
        authorise(custodian, Action.KEY_OFFER)
        _refuse_linkage_unit(connection, party)
        age_key = recipients.confirmed(connection, party).public
    if file.exists():
        raise UsageError(
            "keys/exists",
            "The file to write exists already.",
            remedy="Choose another file, or move that one away.",
        )
    key = _study_key(desk.ring, study, epoch)
    root = desk.ring.secret(key, KeyKind.STUDY_ROOT)
    drawn = offers.draw_up(
        root, study=study, epoch=epoch, party=party, age_key=age_key, signer=custodian.name
    )
    signed = replace(drawn, signature=desk.ring.sign_as(custodian.name, offers.message(drawn)))
    custody.note_offer(desk, signed, key=key)
    files.create(file, offers.dump(signed))
    return offers.check_value(root, study=study, epoch=epoch)


def _refuse_linkage_unit(connection: Connection, party: str) -> None:
    """A linkage unit never holds a study key: with it, tokens would be names again."""
    bundle = decision_inputs(connection).bundle
    named = bundle.recipients.get(party)
    if named is not None and "linkage-unit" in named.class_:
        raise RefusedError(
            "keys/linkage-unit",
            f"{party} is a linkage unit: it receives tokens and never their key.",
            remedy="Offer the key to another contributor of the study.",
        )


def accept_study_root(desk: CustodyDesk, *, file: Path, identity: Path, signer: str) -> KeyRecord:
    """Verify and unseal an offer, and keep its root as pending."""
    if file.stat().st_size > LARGEST_OFFER:
        raise InputRejected(
            "keys/not-an-offer",
            "The file is too large to be a key offer.",
            remedy="Name the file of `gateway keys offer`.",
        )
    offer = offers.load(file.read_bytes())
    root = offers.open_offer(offer, secret_half=_read_identity(identity), signer=signer)
    return custody.accept(desk, offer, root)


def computed_check(ring: KeyRing, key: str) -> str:
    """Compute the check value of a study root that the ring holds, pending or not."""
    record = ring.record(key)
    root = ring.secret(key, KeyKind.STUDY_ROOT, pending=True)
    return offers.check_value(root, study=record.owner, epoch=record.epoch)


def _study_key(ring: KeyStore, study: str, epoch: str) -> str:
    for record in ring.records():
        wanted = (KeyKind.STUDY_ROOT, study, epoch)
        if (record.kind, record.owner, record.epoch) == wanted:
            return record.id
    raise UsageError(
        "keys/unknown",
        "The ring has no root of that study and epoch.",
        remedy="`gateway keys list` shows the keys.",
    )


def _read_identity(path: Path) -> str:
    lines = files.read_safely(path).decode("utf-8", "replace").splitlines()
    found = [line.strip() for line in lines if line.startswith(_IDENTITY)]
    if len(found) != 1:
        raise InputRejected(
            "keys/not-an-identity",
            "The identity file does not hold exactly one age identity.",
            remedy="Give the secret file that `gateway recipient-key new` made.",
        )
    return found[0]
