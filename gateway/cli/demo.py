"""`gateway demo`: the main job as a story, in a fresh directory, through the real doors.

Every step is a command that a user could type, run here one after the other:
partners send, the council checks, a governance lead proposes, another approves, a
custodian grants, a release officer shares, the recipient verifies and opens.

Source: docs/tutorial/first-release.md.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path

import click

from gateway.cli.common import exits

DEFAULT_SIZE = 40_000
# In a smaller borough nobody objects and no group is large enough to tell a story.
SMALLEST = 1_000


@click.command()
@click.option(
    "--size",
    type=click.IntRange(min=SMALLEST),
    default=DEFAULT_SIZE,
    show_default=True,
    help="People of the borough.",
)
@click.option("--seed", default=7, show_default=True, help="Seed of the borough.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that does not exist yet (default: a new temporary one).",
)
@click.option(
    "--serve",
    "served",
    is_flag=True,
    help="Then open the service on it, with a sign-in for each role; "
    "a --to that holds a demo already is opened again.",
)
@click.option("--port", type=int, help="With --serve: the port (default: GATEWAY_PORT).")
@exits
def demo(size: int, seed: int, folder: Path | None, served: bool, port: int | None) -> None:
    """Tell the whole story on a synthetic borough: from partners' files to an opened package.

    Example: gateway demo --size 40000 --serve
    """
    from gateway.adapters.settings import read_settings
    from gateway.cli.demo_renewal import renewed
    from gateway.cli.demo_story import Story

    home = folder or Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["GATEWAY_PASSPHRASE_FILE"] = str(home / "passphrase")
    shipped = Path(__file__).parents[2] / "policies"
    today = dt.datetime.now(dt.UTC).date()
    if served and (home / "data" / "founded").exists():
        copy = home / "policies"
        os.environ["GATEWAY_POLICIES"] = str(copy if copy.is_dir() else shipped)
    else:
        os.environ["GATEWAY_POLICIES"] = str(renewed(shipped, home / "policies", today=today))
        Story(home, size=size, seed=seed).tell()
    if served:
        from gateway.cli import demo_service

        os.environ["GATEWAY_DATA"] = str(home / "data")
        demo_service.serve(home, read_settings(home / "data"), port=port)
