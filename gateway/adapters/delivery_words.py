"""Why a package has not arrived, in a sentence, and what to do about it.

Source: docs/how-to/deliver-packages.md; style rule 11.
"""

from __future__ import annotations

from collections.abc import Mapping

_ASK = "Ask the recipient, then try again; or carry the package to their portal."
BECAUSE: Mapping[str, tuple[str, str]] = {
    "delivery/out-of-reach": (
        "The connection to the recipient’s system broke.",
        "It is tried again by itself. If it lasts, ask the recipient whether their system is up.",
    ),
    "delivery/name-not-found": (
        "The name of the recipient’s system is not found.",
        "It is tried again by itself. If it lasts, compare the address with the recipient’s "
        "document, and ask the administrator whether this machine finds other names.",
    ),
    "delivery/nobody-listens": (
        "The recipient’s machine refuses the connection: nothing listens at this port.",
        "It is tried again by itself. If it lasts, ask the recipient whether their system is up "
        "and the port is the right one.",
    ),
    "delivery/no-answer": (
        "The recipient’s system did not answer in time.",
        "It is tried again by itself. If it lasts, ask the recipient and the administrator "
        "whether a firewall stands in between.",
    ),
    "delivery/certificate-not-believed": (
        "Nobody whom this gateway believes vouches for the certificate of the recipient’s system.",
        "Nothing was sent. Ask the recipient; their authority stands in their document.",
    ),
    "delivery/time-over": ("Its time is over.", _ASK),
    "delivery/cut-short": (
        "Less arrived than was sent.",
        "It is tried again by itself. If it lasts, ask the recipient whether their disk is full.",
    ),
    "delivery/refused": (
        "The recipient’s system refused it without a reason that is known here.",
        _ASK,
    ),
    "delivery/strange-answer": (
        "The recipient’s system gave no answer about this package.",
        "Ask the recipient whether it arrived. Their receipt can still come.",
    ),
    "delivery/no-address": (
        "The recipient’s document does not say where packages are brought.",
        "Carry it, or have the address added to the document, approved, and release again.",
    ),
    "delivery/no-receipt": (
        "It was handed over, but no receipt came in time.",
        "Ask the recipient whether it arrived. Their receipt can still come.",
    ),
    "delivery/no-keys": (
        "This gateway has no folder of keys for deliveries.",
        "Ask the administrator to set GATEWAY_DELIVERY_KEYS.",
    ),
    "delivery/no-descriptor": (
        "It arrived, but the recipient’s descriptor is not registered here.",
        "Ask the administrator to register it; the receipt is then asked for again.",
    ),
    "delivery/other-descriptor": (
        "It arrived, but the registered descriptor is not the one that was approved.",
        "Ask the administrator to register the approved one.",
    ),
    "delivery/other-certificate": (
        "The recipient’s system shows another certificate than the approved one.",
        "Nothing was sent. Ask the recipient by telephone before anything else.",
    ),
    "delivery/authority-form": (
        "The authority in the recipient’s document is no certificate.",
        "Have the document mended and approved, and release again.",
    ),
    "delivery/key-form": (
        "Our key for this server, or its host key in the document, cannot be read.",
        "Ask the administrator to compare both with the how-to.",
    ),
    "delivery/release-stopped": (
        "Its release was stopped before it left.",
        "Look at the release; make it again.",
    ),
    "delivery/other-host-key": (
        "The recipient’s server shows another host key than the approved one.",
        "Nothing was sent. Ask the recipient by telephone before anything else.",
    ),
    "delivery/other-receipt": (
        "The receipt that came is about another package or other bytes.",
        "Nothing was recorded. Ask the recipient which package arrived.",
    ),
    "delivery/not-known-there": (
        "The recipient’s server does not know this gateway’s key.",
        "Ask the recipient to register it, then try again.",
    ),
    "send/not-known": (
        "The recipient’s gateway does not know this gateway’s key.",
        "Ask the recipient to register it, then try again.",
    ),
    "inbox/no-descriptor": (
        "The recipient’s gateway does not have our descriptor.",
        "Send it to them by another way, then try again.",
    ),
    "inbox/other-bytes": (
        "The recipient has another package under this id.",
        "Look at where that one came from. Then release again: new packages have new ids.",
    ),
    "release/register-moved": (
        "The register of objections had changed before it left, so it was stopped.",
        "Release again: the new release is made from the register as it is then.",
    ),
    "release/policy-moved": (
        "The agreement changed before it left.",
        "Release again under the present agreement.",
    ),
    "release/package-gone": (
        "The sealed package is no longer in the data directory.",
        "Put outgoing/ of the data directory back from its backup, then try again.",
    ),
    "restore/not-reconciled": (
        "This gateway was restored from a backup and is on hold.",
        "It goes on by itself once the administrator has reconciled it.",
    ),
    "keys/unreadable": (
        "The file of this gateway’s key for the recipient cannot be read.",
        "Ask the administrator to put it in the folder that GATEWAY_DELIVERY_KEYS names.",
    ),
}
OTHER = ("The recipient did not take it.", _ASK)


def in_words(code: str) -> str:
    """The code with its sentence and remedy, for a line of text; nothing for none."""
    return f"{code}: {' '.join(because(code))}".replace("’", "'") if code else ""


def because(code: str) -> tuple[str, str]:
    """The sentence and the remedy of a code; nothing for none."""
    return BECAUSE.get(code, OTHER) if code else ("", "")
