"""Write a draft of the next version: what the declared tables have and the versions do not.

    python -m gateway.adapters.migrations.draft "Add the jobs" jobs job_attempts

Without names of tables it drafts every difference. For maintainers: it needs the
development tools, and a person reads what it wrote.

Source: Alembic documentation, "Auto Generating Migrations".
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import alembic.command

from gateway.adapters import schema
from gateway.adapters.database import Database
from gateway.adapters.founding import TABLES


def draft(message: str, only: list[str]) -> Path:
    """Write the next version into `versions/` and give its path."""
    declare_tables()
    number = f"{int(schema.newest()) + 1:04}"
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/empty.sqlite")
        schema.migrate(database)
        with database.begin() as connection:
            config = schema.configured(connection, only=only)
            alembic.command.revision(config, message, autogenerate=True, rev_id=number)
        database.close()
    path = next((schema.MIGRATIONS / "versions").glob(f"v{number}_*.py"))
    _tidy(path)
    return path


def declare_tables() -> None:
    """Import every module that declares tables, so that METADATA is whole."""
    for name in TABLES:
        importlib.import_module(f"gateway.adapters.{name}")


def _tidy(path: Path) -> None:
    written = re.sub(r"^ *# ###.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(written, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=False)


if __name__ == "__main__":
    written = draft(sys.argv[1], sys.argv[2:])
    sys.stdout.write(f"{written}\nRead it, split what is longer than 40 lines, and commit it.\n")
