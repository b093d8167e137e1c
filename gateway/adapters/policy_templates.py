"""A new agreement, begun from a template: every part that has to be decided, with its reason.

The parts follow the ICO's data sharing checklist, the eighteen fields of the public
register under the Digital Economy Act, and the tiers of WASPI: the agreement is the
personal information sharing protocol, each purpose one of its agreements.

Source: ICO data sharing code, annex A; DEA 2017 register; WASPI framework.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import tomlkit

from gateway.adapters.policy_editing import absent, parsed
from gateway.adapters.policy_entries import remove_entry

_TEMPLATE = """\
# Who shares, and who answers for it.
id = "agreement-id"
title = "Title"
version = 1
under = "protocol"               # the protocol that it stands under: nothing it forbids is shared
controllers = ["controller"]     # each controller's approver has to sign
parties = ["party"]              # who sends, and whose organisations receive
benefits = "What people gain from it."
processors = ["processor"]       # who acts for the controllers
areas = ["Area"]
method = "Stronger Families gateway"

# How long. After the last day nothing is shared; three months before the review it warns.
starts = 2000-01-01
review = 2000-01-01
ends = 2000-01-01

# The impact assessment: needed wherever health, crime or other special facts are shared.
dpia = "DPIA-0000-000"
contact = "contact@council.example"

# What never leaves, whatever permits it.
[prohibitions]
free_text_notes = { clause = "1", reason = "Narrative is never needed." }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgreement:
    """What a form asks before a draft is begun."""

    id: str
    title: str
    controllers: tuple[str, ...]
    parties: tuple[str, ...]
    benefits: str
    areas: tuple[str, ...]
    contact: str
    dpia: str
    starts: dt.date
    ends: dt.date
    review: dt.date | None = None
    method: str = "Stronger Families gateway"
    processors: tuple[str, ...] = ()
    under: str = ""


def begin(new: NewAgreement) -> str:
    """The text of a new draft; it shares nothing until purposes are added."""
    document = tomlkit.parse(_TEMPLATE)
    halfway = new.starts + (new.ends - new.starts) / 2
    for key, value in (
        ("id", new.id),
        ("title", new.title),
        ("under", new.under),
        ("controllers", list(new.controllers)),
        ("parties", list(new.parties)),
        ("benefits", new.benefits),
        ("processors", list(new.processors)),
        ("areas", list(new.areas)),
        ("method", new.method),
        ("starts", new.starts),
        ("review", new.review or min(halfway, new.starts + dt.timedelta(days=365))),
        ("ends", new.ends),
        ("dpia", new.dpia),
        ("contact", new.contact),
    ):
        if value:
            document[key] = value
        else:
            del document[key]
    return tomlkit.dumps(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPurpose:
    """A purpose as a form gives it, with its first output; fields are added afterwards."""

    id: str
    title: str
    clause: str
    legal_bases: tuple[str, ...]
    subjects: str
    spine: str
    participation: str
    household: str
    retain_until: dt.date
    duties: tuple[str, ...]
    notice: str
    state: str
    identifiers: tuple[str, ...]
    output: str
    recipient: str
    form: str
    k: int
    take: str = "one"


def add_purpose(text: str, new: NewPurpose) -> str:
    """The text with one more purpose at its end, its comments kept."""
    document = tomlkit.parse(text)
    purposes = document.setdefault("purposes", tomlkit.table(is_super_table=True))
    purpose = tomlkit.table()
    purpose.add(tomlkit.comment("Why, by which law, about whom, and what people were told."))
    for key, value in (
        ("title", new.title),
        ("kind", "records"),
        ("clause", new.clause),
        ("legal_bases", list(new.legal_bases)),
        ("subjects", new.subjects),
        ("spine", new.spine),
        *((("take", new.take),) if new.take != "one" else ()),
        ("participation", new.participation),
        ("household", new.household),
        ("retain_until", new.retain_until),
        ("returns", "none"),
        ("duties", list(new.duties)),
    ):
        purpose[key] = value
    purpose["notice"] = _table(version=new.notice, state=new.state)
    if new.identifiers:
        purpose["notice"]["identifiers"] = list(new.identifiers)
    output = _table(recipient=new.recipient, identifiers=new.form, clause=new.clause)
    output["disclosure"] = _table(k=new.k, on_small_group="suppress")
    outputs = tomlkit.table(is_super_table=True)
    outputs[new.output] = output
    purpose["outputs"] = outputs
    purposes[new.id] = purpose
    return tomlkit.dumps(document)


def remove_purpose(text: str, purpose: str) -> str:
    """The text without a purpose and all that leaves for it; comments around it stay.

    Raises:
        UsageError: the agreement has no such purpose.
    """
    if purpose not in parsed(text).get("purposes", {}):
        raise absent("purpose", purpose)
    return remove_entry(text, ("purposes", purpose))


def _table(**values: object) -> tomlkit.items.Table:
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = value
    return table
