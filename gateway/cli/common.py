"""What every command shares: `--json`, `--as`, one way to print, one way to fail.

A command parses, calls one workflow and presents. This module makes the
presenting the same everywhere: one JSON document on standard output for
programs, sentences or a table for people, errors on standard error, and the
exit code of the error's class. An exception that nobody foresaw is reported by
its class alone, because its message may quote a person's value.

Source: docs/reference/commands.md; style rule 11; errors.py.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from gateway.adapters.settings import Settings, read_settings
from gateway.errors import GatewayError
from gateway.interruption import Interruption

PIPED_WIDTH = 4000

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option(
    "--json", "json_wanted", is_flag=True, help="Print one JSON document on standard output."
)
as_option = click.option(
    "--as", "acting", metavar="NAME", required=True, help="The operator who acts."
)


def open_settings(ctx: click.Context) -> Settings:
    """Read the settings of this run: `--data` of the command, then the environment."""
    chosen: Path | None = (ctx.find_root().obj or {}).get("data")
    return read_settings(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A data directory in use: its settings, database and key ring, and the time it is.

    `database` is an `adapters.database.Database`, `ring` an `adapters.keyring.KeyRing`;
    they are not named as types, so that `gateway keys --help` loads neither.
    """

    settings: Settings
    database: Any
    ring: Any
    at: dt.datetime


def open_store(ctx: click.Context) -> Opened:
    """Open the data directory's database and key ring; no passphrase is asked for yet.

    Raises:
        Unavailable: `gateway init` has not been run there.
    """
    from gateway.adapters import ledger_mark, schema
    from gateway.adapters.keyring import open_ring

    settings = open_settings(ctx)
    ring = open_ring(settings)
    database = schema.ready(schema.database_in(settings))
    ctx.call_on_close(lambda: ledger_mark.follow(settings, database))
    return Opened(
        settings=settings,
        database=database,
        ring=ring,
        at=dt.datetime.now(dt.UTC),
    )


def emit(document: Mapping[str, Any], json_wanted: bool, lines: Iterable[object]) -> None:
    """Print the answer: the document for programs, or the lines for people.

    Args:
        document: what `--json` prints, as one document, keys in the order given.
        json_wanted: whether `--json` was given.
        lines: sentences (printed as they are, never as markup) or rich tables.

    """
    if json_wanted:
        click.echo(json.dumps(document, ensure_ascii=False, default=str))
        return
    for line in lines:
        if isinstance(line, str):
            click.echo(line)
        else:
            _print_rich(line)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> object:
    """Draw a table for people; its cells are text, never markup."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left")
    for place, heading in enumerate(headings):
        # The first column is a name that people copy: it is never broken.
        drawn.add_column(Text(heading), overflow="fold", no_wrap=place == 0)
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    return drawn


def moment(time: str) -> str:
    """A stored time (ISO 8601, UTC) as people read it; empty for none."""
    return f"{time[:10]} {time[11:16]} UTC" if time else ""


def say(sentence: str) -> None:
    """Progress and remarks, on standard error."""
    click.echo(sentence, err=True)


def exits(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every fault of a command into its sentence and its exit code.

    Put it next to the function, under the click decorators:

        @click.command()
        @json_option
        @exits
        def check(json_wanted: bool) -> None: ...
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        json_wanted = bool(kwargs.get("json_wanted"))
        try:
            with _ended_in_order():
                return command(*args, **kwargs)
        except KeyboardInterrupt:
            _fail(_STOPPED, 1, json_wanted)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except GatewayError as fault:
            _fail(_error_document(fault), fault.exit_code, json_wanted)
        except BrokenPipeError:
            # Whoever read the answer has read enough; the work itself is done.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as fault:  # noqa: BLE001 - its message may quote a value
            _fail(_unforeseen(fault), 1, json_wanted)

    return guarded


class _Told(KeyboardInterrupt):
    """Told to stop. A class of its own: Python, where library code that it runs was ended by
    KeyboardInterrupt itself, dies of a signal at its exit, however orderly the end was.
    """


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: what it had begun is cleared away first."""
    told = Interruption(_Told)
    before = {number: signal.getsignal(number) for number in _ORDERS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, told)
    except ValueError:  # not the main thread, which alone hears signals
        yield
        return
    try:
        with told.unmasked():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# The alarm repeats an order that was dropped.
_ORDERS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)

_STOPPED: Mapping[str, Any] = {
    "code": "gateway/stopped",
    "sentence": "The command was stopped.",
    "remedy": "Nothing is half done: the next run finishes or clears what this one had begun.",
    "facts": {},
}


def _error_document(fault: GatewayError) -> dict[str, Any]:
    return {
        "code": fault.code,
        "sentence": fault.sentence,
        "remedy": fault.remedy,
        "facts": dict(fault.facts),
    }


def _unforeseen(fault: Exception) -> dict[str, Any]:
    return {
        "code": "gateway/unexpected",
        "sentence": f"An unexpected fault stopped the command ({type(fault).__name__}).",
        "remedy": "Nothing was half done. Report the command and this code.",
        "facts": {"fault": type(fault).__name__},
    }


def _fail(document: Mapping[str, Any], exit_code: int, json_wanted: bool) -> NoReturn:
    if json_wanted:
        click.echo(json.dumps({"error": {**document, "exit_code": exit_code}}, ensure_ascii=False))
    click.echo(f"{document['code']}: {document['sentence']}", err=True)
    if document["remedy"]:
        click.echo(document["remedy"], err=True)
    sys.exit(exit_code)


def _print_rich(drawn: object) -> None:
    from rich.console import Console

    # A file or a pipe has no width: there a row is one line, however long.
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(file=sys.stdout, soft_wrap=False, highlight=False, width=width).print(drawn)
