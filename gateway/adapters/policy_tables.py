"""The tables of governed documents, proposals and approvals.

Source: docs/reference/policy.md, "Life of a version"; security point 3.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from gateway.adapters.database import METADATA

TEXTS = Table(
    "policy_texts",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)
HEADS = Table(
    "policy_heads",
    METADATA,
    Column("path", String(200), primary_key=True),
    Column("digest", ForeignKey("policy_texts.digest"), nullable=False),
    Column("changed", String(40), nullable=False),
)
PROPOSALS = Table(
    "policy_proposals",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("agreement", String(100), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("controllers", String(2000), nullable=False),
    Column("policy_digest", String(64), nullable=False, index=True),
    Column("editor", String(40), nullable=False),
    Column("signature", String(128), nullable=False),
    Column("proposed", String(40), nullable=False),
    Column("withdrawn", String(40), nullable=False, default=""),
    Column("withdrawn_by", String(40), nullable=False, default=""),
    # Who saved the draft that it was made from, a name a line; null where there was none.
    Column("writers", Text, nullable=True),
    # The first day that it waits for, approved and not begun; null where it waits for none.
    Column("begins", String(10), nullable=True),
)
CHANGES = Table(
    "policy_changes",
    METADATA,
    Column("proposal", ForeignKey("policy_proposals.id"), primary_key=True),
    Column("path", String(200), primary_key=True),
    Column("digest", ForeignKey("policy_texts.digest"), nullable=False),
    # The text that it takes the place of, "" for none; null where that was not kept yet.
    Column("base", String(64), nullable=True),
)
APPROVALS = Table(
    "policy_approvals",
    METADATA,
    Column("proposal", ForeignKey("policy_proposals.id"), primary_key=True),
    Column("controller", String(100), primary_key=True),
    Column("approver", String(40), nullable=False),
    Column("signature", String(128), nullable=False),
    Column("approved", String(40), nullable=False),
)
# The documents as they stood once a proposal was approved by all: what its digest stood for.
STATES = Table(
    "policy_states",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    # Null for the first state that is kept: the documents of the founding, or of an upgrade.
    Column("proposal", ForeignKey("policy_proposals.id"), nullable=True, index=True),
    Column("heads", Text, nullable=False),
)
# Who ever saved a text in a draft, whatever became of the draft.
SAVED = Table(
    "policy_saved",
    METADATA,
    Column("path", String(200), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("saved_by", String(40), primary_key=True),
)
