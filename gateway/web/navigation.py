"""What stands in the navigation and on the start page: a table, by what the caller may do.

An entry shows itself only where its page exists and the permission table lets the caller in.

Source: security points 1, 4; docs/explanation/service.md, "Callers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for

from gateway.model.permissions import Action, barred, permits
from gateway.web.callers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page that a caller may want: its name, what it is for, who may open it.

    `endpoint` is the page's own; pages below it are those whose path begins alike.
    """

    text: str
    endpoint: str
    action: Action
    about: str


ENTRIES: tuple[Entry, ...] = (
    Entry(
        text="Send data",
        endpoint="sending.what_to_send",
        action=Action.EXTRACT_UPLOAD,
        about="What you may send and why, and the page to send it from.",
    ),
    Entry(
        text="What you sent",
        endpoint="sending.history",
        action=Action.RECEIPT_READ,
        about="Each file you sent, what we found in it, and its receipt.",
    ),
    Entry(
        text="Extracts",
        endpoint="extracts.every",
        action=Action.EXTRACT_READ,
        about="What each partner has sent and what state it is in.",
    ),
    Entry(
        text="Releases",
        endpoint="releases.every",
        action=Action.RELEASE_READ,
        about="What left, to whom, under which clause, and what is still to do.",
    ),
    Entry(
        text="Deliveries",
        endpoint="deliveries.every",
        action=Action.RELEASE_READ,
        about="Which packages have arrived, and what keeps the others.",
    ),
    Entry(
        text="Inbox",
        endpoint="inbox.every",
        action=Action.INBOX_READ,
        about="What other gateways have sent to us, and what to do with it next.",
    ),
    Entry(
        text="New release",
        endpoint="new_release.new",
        action=Action.RELEASE,
        about="Rehearse a release, check it, and run it.",
    ),
    Entry(
        text="Emergency disclosure",
        endpoint="emergency.every",
        action=Action.EMERGENCY_REASON,
        about="Protect somebody from harm: one person, one authority, two of you.",
    ),
    Entry(
        text="Agreements",
        endpoint="policies.every",
        action=Action.AGREEMENT_READ,
        about="What may leave under which clause; write, review and approve changes.",
    ),
    Entry(
        text="What waits",
        endpoint="oversight.waits",
        action=Action.AGREEMENT_READ,
        about="Proposals to sign, releases held, roles asked for, and for whom each waits.",
    ),
    Entry(
        text="Who did what",
        endpoint="oversight.audit",
        action=Action.AUDIT_READ,
        about="Every entry of the ledger, by event and person.",
    ),
    Entry(
        text="Notices",
        endpoint="oversight.notices",
        action=Action.NOTICE_READ,
        about="Who was told what by e-mail or webhook, and what keeps the others.",
    ),
    Entry(
        text="Work in hand",
        endpoint="jobs.every",
        action=Action.RELEASE_READ,
        about="What the gateway is doing now and what it did last.",
    ),
)


def entries_of(caller: Caller | None) -> Iterator[Entry]:
    """The entries that this caller may open."""
    if caller is None:
        return
    for entry in ENTRIES:
        there = entry.endpoint in current_app.view_functions
        open_to = permits(entry.action, caller.roles) and not barred(entry.action, caller.owes)
        if there and open_to:
            yield entry


def navigation(caller: Caller | None) -> list[dict[str, object]]:
    """The entries as the service navigation component reads them."""
    shown = [(entry, url_for(entry.endpoint)) for entry in entries_of(caller)]
    here = max((url for _, url in shown if _within(request.path, url)), key=len, default="")
    return [
        {
            "text": entry.text,
            "href": url,
            "current": request.path == url,
            "active": url == here and request.path != url,
        }
        for entry, url in shown
    ]


def _within(path: str, url: str) -> bool:
    return path == url or path.startswith(url.rstrip("/") + "/")
