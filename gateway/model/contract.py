"""The contract of one partner extract, as the rooms read it.

The governed document is `policies/datasets/*.toml`; `gateway.policy` loads it
into this value. Intake compiles it, policy decides over its columns, selection
finds the person and the family by its roles.

Source: UK GDPR Art 5(1)(d); docs/reference/contracts.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.model.words import FieldClass, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractColumn:
    """One agreed column.

    `type` is text, integer, decimal, date, boolean (Y/N) or codes (a
    semicolon-separated list over `codes`). `field` names the vocabulary entry.
    `tolerated` is the share of rows (0 to 1) that may break its rules before
    the extract is held. Bounds are inclusive.
    """

    name: str
    field: str
    type: str
    role: Role | None = None
    required: bool = False
    unique: bool = False
    codes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    earliest: dt.date | None = None
    latest: dt.date | None = None
    max_length: int = 200
    decimals: int = 0
    form: str = ""
    aliases: tuple[str, ...] = ()
    date_forms: tuple[str, ...] = ("%Y-%m-%d",)
    tolerated: float = 0.0
    field_class: FieldClass = FieldClass.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRule:
    """One cross-column rule: a named form over named columns."""

    name: str
    form: str
    columns: tuple[str, ...]
    value: str = ""
    tolerated: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """All that a partner and the gateway have agreed about one dataset.

    `harm` (abuse, health, offence) says what standing in it tells of a person.
    """

    id: str
    title: str
    version: int
    parties: tuple[str, ...]
    columns: tuple[ContractColumn, ...]
    rules: tuple[RowRule, ...] = ()
    unique_together: tuple[tuple[str, ...], ...] = ()
    encodings: tuple[str, ...] = ("utf-8",)
    delimiter: str = ","
    population: str = "residents"
    sex: str = ""
    postcode_form: str = ""
    placeholder_dates: tuple[dt.date, ...] = ()
    quarantine_above: float = 0.05
    reject_above: float = 0.25
    retention_days: int = 365
    protected_column: str = ""
    harm: str = ""
