"""Who may receive: legal organisation, team, classes, channel, expiry, key.

A public key that nobody confirmed over another channel opens nothing here: the
document may name a key, but only a confirmed registration makes it usable.

Source: docs/reference/policy.md, "Recipients"; GOV.UK, securing government email.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from gateway.model.mail_domains import retired_in
from gateway.policy.findings import Finding
from gateway.policy.shapes import Clause, Document, Id, KeyLabel, Sentence, Some


def _one_or_more(value: Any) -> Any:
    """A single class may be written as plain text."""
    return (value,) if isinstance(value, str) else value


class Undertaking(Document):
    """A functional-separation undertaking: whom the team never meets, and who approved it."""

    reference: Sentence
    approved: dt.date
    from_: Some[Id] | None = Field(default=None, alias="from")
    clause: Clause | None = None


HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Delivery(Document):
    """Where and how packages are brought: addresses and pins, never a secret.

    The files of secrets lie beside each other in the folder that a setting names.
    """

    address: Annotated[str, StringConstraints(pattern=r"^(https?|sftp)://[\x21-\x7e]{1,300}$")]
    client: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""
    certificate: HexDigest | None = None
    authority: Annotated[str, Field(max_length=20_000)] | None = None
    host_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@.+/= -]{20,2000}$")] = ""
    descriptor: HexDigest | None = None


class Recipient(Document):
    """`policies/recipients/*.toml`. A class only ever adds a right; an unknown one adds none."""

    id: KeyLabel
    organisation: Sentence
    team: Sentence
    class_: Annotated[Some[Id], BeforeValidator(_one_or_more)] = Field(alias="class")
    channel: Literal["folder", "sftp", "https", "portal"]
    expires: dt.date
    key_id: Annotated[str, Field(max_length=120)] = ""
    fingerprint: Annotated[str, Field(max_length=120)] = ""
    address: Sentence | None = None
    contact: Sentence | None = None
    accreditation: Sentence | None = None
    functional_separation: Undertaking | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientKey:
    """A registered public key of a recipient, as the key registrations know it."""

    key_id: str
    fingerprint: str
    confirmed: bool
    expires: dt.date | None = None


def missing_of_channel(recipient: Recipient) -> str:
    """What a recipient's channel needs and its document does not say; empty if nothing.

    A worker brings packages by `https` and `sftp`, so that both need an address of their
    own kind, and a server its host key. A folder is ours, and a portal is a person's way.
    """
    said = recipient.delivery
    address, host_key = (said.address, said.host_key) if said else ("", "")
    if recipient.channel == "https" and not address.startswith(("https://", "http://")):
        return 'an "address" that begins with https://'
    if recipient.channel == "sftp" and not address.startswith("sftp://"):
        return 'an "address" that begins with sftp://, and the server\'s "host_key"'
    if recipient.channel == "sftp" and not host_key:
        return 'the server\'s "host_key"'
    return ""


def channel_faults(document: str, recipient: Recipient) -> list[Finding]:
    """A finding where nothing could be brought to a recipient by its channel."""
    missing = missing_of_channel(recipient)
    if not missing:
        return []
    return [
        Finding(
            code="recipient/no-address",
            document=document,
            where="channel",
            sentence=f'the channel is "{recipient.channel}", and [delivery] lacks {missing}.',
            remedy="Ask the recipient for it by a way that you trust and write it under "
            '[delivery]; or make the channel "folder" or "portal".',
        )
    ]


def retired_domains(document: str, *texts: str | None) -> list[Finding]:
    """A finding for each retired secure-mail domain, by its name.

    The gcsx, gsx, gsi and gse domains were closed on 2019-03-31.
    """
    named = {found for text in texts for found in retired_in(text or "")}
    return [
        Finding(
            code="policy/retired-mail-domain",
            document=document,
            where="",
            sentence=f'the mail domain "{domain}" was closed in March 2019.',
            remedy="Give an address of a current domain; files go by folder, sftp or https.",
        )
        for domain in sorted(named)
    ]
