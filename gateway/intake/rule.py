"""What a rule is: one question to a row, and what becomes of a row that fails it.

Source: docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl


class Effect(StrEnum):
    """What becomes of a row that breaks a rule."""

    QUARANTINE = "quarantine"
    CLEAR = "clear"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule over raw text columns.

    `failing` is true where a row breaks the rule (null counts as no). `applies`
    is true where the rule has something to say. A rule over the whole file
    (`unique`) has its columns in `together` and no `failing` of its own.
    `blank_only` says that without control and hidden characters only blanks can fail;
    `identifier` is the kind of text that the kernel knows, "" where it knows none.
    `looks_like` gives a closer code to failing rows of a known kind.
    """

    name: str
    column: str
    code: str
    expectation: Mapping[str, Any]
    failing: pl.Expr | None = None
    applies: pl.Expr | None = None
    tolerated: float = 0.0
    effect: Effect = Effect.QUARANTINE
    together: tuple[str, ...] = ()
    identifier: str = ""
    synthetic: bool = False
    scripts: bool = False
    blank_only: bool = False
    looks_like: tuple[tuple[str, pl.Expr], ...] = field(default=())
