"""The states of extracts, releases and jobs in words, each with the colour of its tag.

Every state of the model is here; a test compares the tables.

Source: docs/explanation/service.md; GOV.UK Design System, "Tag".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """A state as people read it."""

    text: str
    colour: str
    meaning: str


EXTRACTS: Mapping[str, Shown] = {
    "accepted": Shown("Accepted", "green", "It is stored and will be used."),
    "quarantined": Shown("Waiting for a person", "yellow", "It is stored and not used yet."),
    "rejected": Shown("Rejected", "red", "Nothing of it is stored."),
    "destroyed": Shown("Destroyed", "grey", "Its retention was over; nobody can read it any more."),
}
REPLACED = Shown("Replaced", "grey", "A newer file has its place; it is not used any more.")
RELEASES: Mapping[str, Shown] = {
    "decided": Shown("Under way", "blue", "The agreement permits it; it is being made."),
    "built": Shown("Under way", "blue", "Its packages are made and not yet recorded."),
    "recorded": Shown("Being sent", "blue", "It is in the ledger and on its way."),
    "forwarded": Shown("Sent", "green", "Its packages are where they belong."),
    "acknowledged": Shown(
        "Received",
        "green",
        "Each package has its receipt: signed by its recipient, or the number of their portal.",
    ),
    "closed": Shown("Closed", "grey", "Each recipient has certified that every copy is destroyed."),
    "refused": Shown("Refused", "red", "Nothing left."),
    "held": Shown("Held", "yellow", "Nothing left; a person must look first."),
    "withdrawn": Shown("Withdrawn", "grey", "Nothing left."),
}
DUTIES: Mapping[str, Shown] = {
    "not-begun": Shown("Not begun", "grey", "The package has not left."),
    "running": Shown("Running", "blue", "The recipient may use it until its day."),
    "due": Shown("Due soon", "yellow", "Its day is within 30 days."),
    "overdue": Shown("Overdue", "red", "Its day has passed without a certificate."),
    "certified": Shown("Certified", "light-blue", "Destroyed; a backup may still hold a copy."),
    "done": Shown("Done", "green", "Destroyed, and no backup holds a copy."),
}
DELIVERIES: Mapping[str, Shown] = {
    "waiting": Shown("Waiting", "blue", "It has not been handed over yet."),
    "dispatched": Shown("Sent", "light-blue", "It was handed over; the receipt has still to come."),
    "acknowledged": Shown("Received", "green", "The recipient has signed that it arrived."),
    "not-delivered": Shown("Not delivered", "red", "It did not arrive; nobody tries any more."),
    "carried": Shown("Carried", "green", "A person brought it, and the portal gave a number."),
}
INBOX: Mapping[str, Shown] = {
    "arrived": Shown("Arrived", "blue", "It is kept; its receipt is being signed."),
    "acknowledged": Shown("Not opened", "yellow", "Its receipt is signed; nobody has opened it."),
    "opened": Shown("Opened", "green", "It was opened here, and all inside was verified."),
    "destroyed": Shown("Destroyed", "grey", "Every copy of it is certified as destroyed."),
}
CHANNELS: Mapping[str, str] = {
    "folder": "A shared folder",
    "https": "Another gateway’s inbox",
    "sftp": "An SFTP server",
    "portal": "The recipient’s own portal, by hand",
}
EMERGENCIES: Mapping[str, Shown] = {
    "asked": Shown("Looking", "blue", "The person is being looked for."),
    "found": Shown(
        "To be confirmed",
        "yellow",
        "Exactly one person was found. It waits for a second person of yours.",
    ),
    "confirmed": Shown("Being made", "blue", "Two people have agreed on it; it is being made."),
    "disclosed": Shown("Disclosed", "green", "It is recorded and on its way."),
    "refused": Shown("Refused", "red", "Nothing left."),
    "declined": Shown("Declined", "grey", "Nothing left."),
    "lapsed": Shown("Lapsed", "grey", "Nothing left."),
}
AGREEMENTS: Mapping[str, Shown] = {
    "in-force": Shown("In force", "green", "Every controller has approved it, and its dates hold."),
    "proposed": Shown(
        "Waiting for approval", "yellow", "A controller's approver has still to sign."
    ),
    "not-begun": Shown("Not begun", "blue", "It is approved and begins later."),
    "changed": Shown(
        "Changed",
        "orange",
        "What it reads has changed since it was approved. Nothing leaves under it until it is "
        "proposed and signed again.",
    ),
    "withdrawn": Shown(
        "Withdrawn",
        "red",
        "It was withdrawn; it shares nothing until it is proposed and signed again.",
    ),
    "draft": Shown("Not proposed", "grey", "Nobody has proposed it yet; it shares nothing."),
    "ended": Shown("Ended", "grey", "Its last day is past; it shares nothing."),
}
PROMISES: Mapping[str, Shown] = {
    "kept": Shown("Kept", "green", "The ledger shows it."),
    "broken": Shown("Broken", "red", "The ledger shows the contrary, or does not show it."),
    "not-yet": Shown("Not yet", "blue", "Its day has not come."),
    "does-not-apply": Shown("Does not apply", "grey", "It is no promise about such a release."),
}
REVIEW_DUE = Shown("Review due", "orange", "Its review is due within three months, or is late.")
JOBS: Mapping[str, Shown] = {
    "queued": Shown("Waiting its turn", "grey", "It begins as soon as a worker is free."),
    "running": Shown("Under way", "blue", "A worker is at it now."),
    "done": Shown("Done", "green", "It came to its end."),
    "failed": Shown("Stopped", "red", "It could not be done."),
    "held": Shown("On hold", "yellow", "It waits until the keys are unlocked."),
}
NOTICES: Mapping[str, Shown] = {
    "waiting": Shown("Waiting", "blue", "It is sent at its next try."),
    "sent": Shown("Sent", "green", "The mail server or the webhook has taken it."),
    "failed": Shown("Not sent", "red", "Nobody tries any more until somebody asks for it."),
    "no-address": Shown("No address", "yellow", "Nobody has said where this person is told."),
}
UPLOADS: Mapping[str, Shown] = {
    "open": Shown("Arriving", "blue", "Part of the file has arrived."),
    "complete": Shown("Waiting its turn", "grey", "The whole file has arrived."),
    "checking": Shown("Being checked", "blue", "The file is being checked."),
    "done": Shown("Checked", "green", "The file was checked."),
    "failed": Shown("Not checked", "red", "The file could not be checked."),
    "expired": Shown("Expired", "grey", "The rest of the file did not come in time."),
    "terminated": Shown("Given up", "grey", "The sending was given up."),
}
WITHHELD: Mapping[str, tuple[str, str]] = {
    "no-consent": (
        "No consent",
        "This purpose needs consent, and theirs is not recorded or was withdrawn.",
    ),
    "opted-out": ("Opted out", "They opted out of this purpose."),
    "objected": (
        "Objected",
        "Their objection stands in the register (UK GDPR Article 21).",
    ),
    "doubtful-match": (
        "May have objected",
        "They may be somebody who objected. They are left out until a person has looked.",
    ),
    "household": (
        "Family of somebody left out",
        "A member of their family is left out, and the agreement then leaves out the family.",
    ),
    "no-longer-eligible": ("No longer eligible", "They are no longer in this purpose’s group."),
    "small-group": (
        "Group too small",
        "Too few families are like theirs, so they could be recognised.",
    ),
    "between-releases": (
        "Would stand out",
        "Who holds both releases could tell who joined or left. They are in the next one that "
        "more families change with.",
    ),
}
JOB_KINDS: Mapping[str, str] = {
    "check": "Check of a file",
    "share": "Release",
    "rehearse": "Rehearsal of a release",
    "deliver": "Delivery of a package",
    "purge": "Deletion of what has expired",
    "preview": "Preview of a change",
    "propose": "Proposal of a change",
    "approve": "Approval of an agreement",
    "withdraw": "Withdrawal of an agreement",
    "acknowledge": "Receipt for a package",
    "seek": "Search for one person",
    "disclose": "Emergency disclosure",
    "reasons": "Reading of filed reasons",
    "duties": "Look at the recipients’ duties",
}
