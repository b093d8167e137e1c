"""What the service says of itself: one JSON line for each event, on standard error.

An event has a name that a developer wrote and fields that are known here. Any other
field is left out, and a value that does not look like an id, a code, a rule of a route
or a number is replaced by `WITHHELD`: whoever logs a cell by mistake logs nothing. What libraries
log is reduced to the place in their code, and an exception to its class.

Source: security points 19 and 21; OWASP ASVS 5.0, V16 (logging).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from gateway.errors import GatewayError

# structlog takes `rich` along for a coloured console that nobody writes: 4 MB in each process.
_PUT_OFF: Final = "rich"
if _PUT_OFF not in sys.modules:
    sys.modules[_PUT_OFF] = None  # type: ignore[assignment]
    import structlog

    del sys.modules[_PUT_OFF]
else:
    import structlog

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
WITHHELD: Final = "withheld"
_EVENT = re.compile(r"[a-z]+(-[a-z]+)*")
_WORD = re.compile(r"[a-z]+(-[a-z0-9]+){0,3}")
_METHOD = re.compile(r"[A-Z]{3,7}")
_CLASS = re.compile(r"[A-Z][A-Za-z]{2,60}")
_LOGGER = re.compile(r"[A-Za-z_]+(\.[A-Za-z_0-9]+){0,9}")
_JOB = re.compile(r"job-[a-z2-7]{26}")
_CODE = re.compile(r"[a-z-]{1,40}/[a-z0-9-]{1,60}")
_RULE = re.compile(r"(/[a-z0-9_.-]*|/?<[a-z_]+(:[a-z_]+)?>)*|none")
_WHERE = re.compile(r"[A-Za-z0-9_./-]{1,80}:[0-9]{1,6}")
# Every field that a line may have, and what its text must look like.
FIELDS: Final[Mapping[str, re.Pattern[str]]] = {
    "process": _WORD,
    "name": _WORD,
    "kind": _WORD,
    "state": _WORD,
    "method": _METHOD,
    "fault": _CLASS,
    "logger": _LOGGER,
    "job": _JOB,
    "code": _CODE,
    "route": _RULE,
    "where": _WHERE,
}
NUMBERS: Final = frozenset({"pid", "attempt", "status", "ms", "exit", "pause_ms", "signal"})


class Log(Protocol):
    """One who says what happened: `log.info("job-begins", job=..., kind=...)`."""

    def debug(self, event: str, **facts: Any) -> Any:
        """Say what only somebody who looks for a fault wants to know."""

    def info(self, event: str, **facts: Any) -> Any:
        """Say what happens every day."""

    def warning(self, event: str, **facts: Any) -> Any:
        """Say what went wrong and mends itself."""

    def error(self, event: str, **facts: Any) -> Any:
        """Say what somebody has to look at."""


@dataclass(slots=True)
class _Here:
    """What every line of this process says, and the least that is written."""

    process: str = "command"
    least: int = logging.WARNING


_HERE: Final = _Here()


def begin(process: str, *, level: str = "info") -> None:
    """Let this process write its events, and those of its libraries, to standard error.

    Args:
        process: its part in the service: `supervisor`, `web`, `worker`.
        level: the least that is written; a key of `LEVELS`.
    """
    _HERE.process, _HERE.least = process, LEVELS[level]
    root = logging.getLogger()
    root.handlers[:] = [Libraries()]
    root.setLevel(max(_HERE.least, logging.WARNING))


def log() -> Log:
    """The log of this process; before `begin` it writes warnings and errors only."""
    told: Log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            only_what_is_known,
            structlog.processors.JSONRenderer(separators=(",", ":")),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_HERE.least),
        process=_HERE.process,
        pid=os.getpid(),
    )
    return told


def only_what_is_known(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> dict[str, Any]:
    """Keep the fields that are known and look it; say how many others there were."""
    event = str(line.get("event", ""))
    kept: dict[str, Any] = {"at": line["at"], "level": line["level"]}
    kept["event"] = event if _EVENT.fullmatch(event) else WITHHELD
    known = [name for name in line if name in FIELDS or name in NUMBERS]
    kept |= {name: _permitted(name, line[name]) for name in known}
    others = len(set(line) - set(known) - set(kept))
    return kept | ({"fields_withheld": others} if others else {})


def fault_place(fault: BaseException) -> str:
    """Where in the code a fault came about: the last file and line of ours, never its text."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [each for each in frames if f"{os.sep}gateway{os.sep}" in each.filename] or frames
    if not ours:
        return "unknown:0"
    path = Path(ours[-1].filename)
    return _place(f"{path.parent.name}/{path.name}", ours[-1].lineno or 0)


def facts_of(fault: BaseException) -> dict[str, str]:
    """What may be said of a fault: its code or class, and its place."""
    if isinstance(fault, GatewayError):
        return {"code": fault.code, "fault": type(fault).__name__}
    return {"fault": type(fault).__name__, "where": fault_place(fault)}


class Libraries(logging.Handler):
    """Says that a library had something to say, and where in its code; never what."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line for a library's record."""
        facts: dict[str, Any] = {"logger": record.name}
        facts["where"] = _place(f"{record.module}/{record.funcName}", record.lineno)
        if record.exc_info and record.exc_info[1] is not None:
            facts["fault"] = type(record.exc_info[1]).__name__
        serious = record.levelno >= logging.ERROR
        (log().error if serious else log().warning)("library", **facts)


def _place(code: str, line: int) -> str:
    return f"{re.sub('[^A-Za-z0-9_./-]', '', code)[-80:]}:{line}"


def _permitted(name: str, value: object) -> object:
    if name in NUMBERS:
        return value if isinstance(value, int) and abs(value) < 10**9 else WITHHELD
    shape = FIELDS.get(name)
    if shape is None or not isinstance(value, str) or len(value) > 200:
        return WITHHELD
    return value if value == "" or shape.fullmatch(value) else WITHHELD
