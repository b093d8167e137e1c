"""The tables of the first version: ledger, extracts, releases, register, policies, people, keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _ledger()
    _extracts()
    _releases()
    _register()
    _operators()
    _policies()
    _approvals()
    _recipients()
    _key_books()
    _key_grants()


def _ledger() -> None:
    op.create_table(
        "ledger_leaves",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("index"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("leaf", "level"),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("key_id", sa.String(80), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "ledger_shown",
        sa.Column("recipient_key", sa.String(80), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("recipient_key", "size"),
    )


def _extracts() -> None:
    op.create_table(
        "extracts",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(60), nullable=False),
        sa.Column("party", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("received_at", sa.String(40), nullable=False),
        sa.Column("content_digest", sa.String(64), nullable=False),
        sa.Column("contract_digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("dropped_columns", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.String(60), nullable=False),
        sa.Column("sealed_name", sa.String(80), nullable=False),
        sa.Column("sealed_digest", sa.String(64), nullable=False),
        sa.Column("supersedes", sa.String(40), nullable=False),
        sa.Column("superseded_by", sa.String(40), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sequence"),
        sa.UniqueConstraint("dataset", "party", "content_digest", "contract_digest"),
    )


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.String(60), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("agreement", sa.String(60), nullable=False),
        sa.Column("policy_digest", sa.String(64), nullable=False),
        sa.Column("officer", sa.String(60), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sequence"),
    )
    op.create_table(
        "packages",
        sa.Column("id", sa.String(60), nullable=False),
        sa.Column("release", sa.String(60), nullable=False),
        sa.Column("output", sa.String(60), nullable=False),
        sa.Column("recipient", sa.String(60), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("forwarded", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _register() -> None:
    op.create_table(
        "register_entries",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("receipt", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("controller", sa.String(40), nullable=False),
        sa.Column("authority", sa.String(30), nullable=False),
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("received", sa.String(40), nullable=False),
        sa.Column("lifts", sa.Text(), nullable=False),
        sa.Column("generation", sa.String(40), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.Column("tombstones", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )


def _operators() -> None:
    op.create_table(
        "operators",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("added", sa.String(40), nullable=False),
        sa.Column("added_by", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "operator_roles",
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("controller", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.name"]),
        sa.PrimaryKeyConstraint("operator", "role", "controller"),
    )
    op.create_table(
        "operator_keys",
        sa.Column("key_id", sa.String(100), nullable=False),
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("public", sa.String(80), nullable=False),
        sa.Column("added", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.name"]),
        sa.PrimaryKeyConstraint("key_id"),
    )


def _policies() -> None:
    op.create_table(
        "policy_texts",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "policy_heads",
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("changed", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["policy_texts.digest"]),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_table(
        "policy_proposals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("agreement", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("controllers", sa.String(2000), nullable=False),
        sa.Column("policy_digest", sa.String(64), nullable=False),
        sa.Column("editor", sa.String(40), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("proposed", sa.String(40), nullable=False),
        sa.Column("withdrawn", sa.String(40), nullable=False),
        sa.Column("withdrawn_by", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("agreement", "policy_digest"):
        op.create_index(f"ix_policy_proposals_{column}", "policy_proposals", [column])


def _approvals() -> None:
    op.create_table(
        "policy_changes",
        sa.Column("proposal", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["policy_texts.digest"]),
        sa.ForeignKeyConstraint(["proposal"], ["policy_proposals.id"]),
        sa.PrimaryKeyConstraint("proposal", "path"),
    )
    op.create_table(
        "policy_approvals",
        sa.Column("proposal", sa.Integer(), nullable=False),
        sa.Column("controller", sa.String(100), nullable=False),
        sa.Column("approver", sa.String(40), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("approved", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["policy_proposals.id"]),
        sa.PrimaryKeyConstraint("proposal", "controller"),
    )


def _recipients() -> None:
    op.create_table(
        "recipient_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("public", sa.String(100), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("added", sa.String(40), nullable=False),
        sa.Column("added_by", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "recipient_confirmations",
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("confirmed", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "fingerprint", "operator"),
    )


def _key_books() -> None:
    op.create_table(
        "key_copies",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("party", sa.String(100), nullable=False),
        sa.Column("offered", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("key", "party"),
    )
    op.create_table(
        "key_acceptances",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("accepted_by", sa.String(40), nullable=False),
        sa.Column("accepted", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def _key_grants() -> None:
    op.create_table(
        "key_grants",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("purpose", sa.String(100), nullable=False),
        sa.Column("policy_digest", sa.String(64), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("granted_by", sa.String(40), nullable=False),
        sa.Column("granted", sa.String(40), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_key_grants_key", "key_grants", ["key"])
    op.create_table(
        "key_destructions",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("ordered", sa.String(40), nullable=False),
        sa.Column("ordered_by", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
