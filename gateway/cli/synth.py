"""`gateway synth`: write a borough of people who do not exist.

Partner extracts go into the directory, the truth into `truth/` under it, so
that the extracts can be handed on without the answers.

Source: docs/explanation/synthetic-borough.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import click

from gateway.cli.common import emit, exits, json_option, say

_LARGE = 100_000


class _Rows(Protocol):
    """What is written: a frame, known here by no more than that, since polars loads late."""

    def __len__(self) -> int: ...

    def write_csv(self, file: Path, /) -> None: ...


@click.command()
@click.option("--size", type=click.IntRange(1, 20_000_000), default=20_000, show_default=True,
              help="How many people live in the borough.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True,
              help="The same seed and size give the same bytes.")  # fmt: skip
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@json_option
@exits
def synth(*, size: int, seed: int, directory: Path, json_wanted: bool) -> None:
    """Write synthetic partner extracts into DIRECTORY, and their truth apart.

    Every person is made up. National numbers, postcodes and UPRNs are from
    ranges that no one holds.

    \b
    DIRECTORY/<dataset>.csv      what each partner sends
    DIRECTORY/objections.csv     people who object, as the rights office heard them
    DIRECTORY/truth/people.csv   who they are, and which rows are about them

    Example: gateway synth --size 2000 --seed 7 borough
    """  # noqa: D301 - click reads the backspace that \b stands for
    _make_empty(directory)
    rows = write_borough(size, seed, directory=directory, tell=say if size >= _LARGE else _hush)
    lines = [f"{name}: {count:,} rows" for name, count in rows.items()]
    lines.append(f"{size:,} people of seed {seed} are in {directory}; the truth is in truth/.")
    emit(
        {"directory": str(directory), "size": size, "seed": seed, "rows": rows},
        json_wanted,
        lines,
    )


def _hush(_sentence: str) -> None:
    """Say nothing: small boroughs are there at once."""


def _make_empty(directory: Path) -> None:
    """Make the directory and its truth folder; refuse one that holds anything."""
    from gateway.errors import Unavailable, UsageError

    try:
        if directory.exists() and any(directory.iterdir()):
            raise UsageError(
                "synth/directory-not-empty",
                "The directory holds files already, and none of them is overwritten.",
                remedy="Name a new or an empty directory.",
            )
        (directory / "truth").mkdir(parents=True)
    except OSError:
        raise Unavailable(
            "synth/not-writable",
            "The directory cannot be made or written.",
            remedy="Name a directory that you may write to, on a disk with room.",
        ) from None


def write_borough(
    size: int, seed: int, *, directory: Path, tell: Callable[[str], None]
) -> dict[str, int]:
    """Write one extract after another, so that only one is in memory beside the people.

    Args:
        size: people.
        seed: of the borough.
        directory: an empty directory with an empty `truth` in it.
        tell: takes one sentence of progress.

    Returns:
        Rows written for each file, by dataset.

    """
    from gateway import synth as room

    tell(f"Settling {size:,} people ...")
    people = room.settle(size, seed)
    rows, links = {}, []
    for extract in room.send_all(people):
        rows[extract.dataset] = write_rows(extract.frame, directory / f"{extract.dataset}.csv")
        links.append(room.row_link(extract))
        tell(f"{extract.dataset}: {len(extract.frame):,} rows")
    heard = room.objections(people)
    rows["objections"] = write_rows(heard.frame, directory / "objections.csv")
    tell("Writing the truth ...")
    truth = directory / "truth"
    write_rows(room.truth_of_people(people, links), truth / "people.csv")
    write_rows(room.truth_of_objections(people, heard), truth / "objections.csv")
    return rows


def write_rows(frame: _Rows, path: Path) -> int:
    """Write one file and return its rows; a full disk is said by code."""
    from gateway.errors import Unavailable

    try:
        frame.write_csv(path)
    except OSError:
        raise Unavailable(
            "synth/not-writable",
            "A file of the borough could not be written.",
            remedy="Free some room on the disk and start again in an empty directory.",
            file=path.name,
        ) from None
    return len(frame)
