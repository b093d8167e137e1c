"""What Alembic runs: the versions, on the connection and in the transaction that it is given."""

from __future__ import annotations

from typing import Any

from alembic import context

from gateway.adapters.database import METADATA
from gateway.adapters.schema import VERSION_TABLE

only: list[str] = context.config.attributes.get("only", [])


def wanted(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Whether a draft is asked about this table, or about the table of this part."""
    return not only or (name if kind == "table" else thing.table.name) in only


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    include_object=wanted,
)
context.run_migrations()
