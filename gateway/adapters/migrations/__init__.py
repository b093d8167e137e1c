"""The versions of the schema, one file each, for SQLite and PostgreSQL alike.

`gateway.adapters.schema` runs them; CONTRIBUTING.md says how one is added.

Source: Alembic documentation, "Tutorial", "Running Batch Migrations for SQLite".
"""
