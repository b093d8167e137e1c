"""What an entry of the register says, who may say it, and what it does under each rule.

Anyone may tighten; only a verified person with recorded authority may loosen, one
person at a time; an entry that nobody has answered stays in force.

Source: security point 16; UK GDPR Arts 7(3), 21; docs/explanation/objections.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import polars as pl

from gateway.model import Participation, Withheld

ANY_PURPOSE: Final = "*"

# Tokens that are certain where one person of the cohort and one of the register has them.
CERTAIN: Final = ("T01", "T02", "T03", "T04", "T05", "T06", "T09")


class EntryKind(StrEnum):
    """The acts that the register records: what people say, and what is answered."""

    OBJECTION = "objection"
    OPT_OUT = "opt-out"
    CONSENT = "consent"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OBJECTION_WITHDRAWN = "objection-withdrawn"
    OPT_OUT_WITHDRAWN = "opt-out-withdrawn"
    ANSWERED = "answered"
    MATCH_SAME = "match-same"
    MATCH_OTHER = "match-other"


class Authority(StrEnum):
    """By whose word an entry was made."""

    SELF = "self"
    REPRESENTATIVE = "representative"
    PARTNER_EXTRACT = "partner-extract"
    OFFICER = "officer"


class Status(StrEnum):
    """How far the council has answered; all but `not-upheld` are in force."""

    UNANSWERED = "unanswered"
    CONSIDERED = "considered"
    UPHELD = "upheld"
    NOT_UPHELD = "not-upheld"


# What undoes what: the withdrawal of each kind.
WITHDRAWAL: Final[Mapping[EntryKind, EntryKind]] = MappingProxyType(
    {
        EntryKind.OBJECTION: EntryKind.OBJECTION_WITHDRAWN,
        EntryKind.OPT_OUT: EntryKind.OPT_OUT_WITHDRAWN,
        EntryKind.CONSENT: EntryKind.CONSENT_WITHDRAWN,
    }
)

# These let more data leave: a rights officer, a known authority, one person at a time.
LOOSENING: Final = frozenset(
    {EntryKind.CONSENT, EntryKind.OBJECTION_WITHDRAWN, EntryKind.OPT_OUT_WITHDRAWN}
)

# Which earlier entries a loosening entry lifts, when they certainly are the same person's.
LIFTS: Final[Mapping[EntryKind, EntryKind]] = MappingProxyType(
    {
        EntryKind.OBJECTION_WITHDRAWN: EntryKind.OBJECTION,
        EntryKind.OPT_OUT_WITHDRAWN: EntryKind.OPT_OUT,
        EntryKind.CONSENT: EntryKind.CONSENT_WITHDRAWN,
    }
)

# Authorities that may loosen: a partner's extract may add an objection, never lift one.
MAY_LOOSEN: Final = frozenset({Authority.SELF, Authority.REPRESENTATIVE, Authority.OFFICER})

_REFUSING: Final[Mapping[EntryKind, Withheld]] = MappingProxyType(
    {
        EntryKind.OBJECTION: Withheld.OBJECTED,
        EntryKind.OPT_OUT: Withheld.OPTED_OUT,
        EntryKind.CONSENT_WITHDRAWN: Withheld.NO_CONSENT,
    }
)

# What a certain match with an entry of each kind does under each participation rule.
# Under a statutory rule nothing removes; a withdrawn consent refuses under every other.
EFFECTS: Final[Mapping[Participation, Mapping[EntryKind, Withheld]]] = MappingProxyType(
    {
        Participation.CONSENT: _REFUSING,
        Participation.OPT_OUT: _REFUSING,
        Participation.OBJECTION: _REFUSING,
        Participation.STATUTORY: MappingProxyType({}),
    }
)

# The order in which reasons are given when a person has several.
REASON_ORDER: Final = (
    Withheld.OBJECTED,
    Withheld.OPTED_OUT,
    Withheld.NO_CONSENT,
    Withheld.DOUBTFUL_MATCH,
)

# What a council may answer, by the rule of the purpose: only where an objection is
# considered, or a duty in law does not depend on it, can it be found not upheld.
ANSWERS: Final[Mapping[Participation, frozenset[Status]]] = MappingProxyType(
    {
        Participation.CONSENT: frozenset({Status.UPHELD}),
        Participation.OPT_OUT: frozenset({Status.UPHELD}),
        Participation.OBJECTION: frozenset({Status.CONSIDERED, Status.UPHELD, Status.NOT_UPHELD}),
        Participation.STATUTORY: frozenset({Status.CONSIDERED, Status.UPHELD, Status.NOT_UPHELD}),
    }
)

# The entries that are compared; the others say something about entries.
COMPARED: Final = (
    EntryKind.OBJECTION,
    EntryKind.OPT_OUT,
    EntryKind.CONSENT,
    EntryKind.CONSENT_WITHDRAWN,
)

ENTRY_SCHEMA: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "sequence": pl.Int64(),
        "kind": pl.String(),
        "purpose": pl.String(),
        "status": pl.String(),
        "lifts": pl.List(pl.Int64),
    }
)


def in_force(
    entries: pl.DataFrame, *, purpose: str, participation: Participation = Participation.OBJECTION
) -> pl.DataFrame:
    """The entries that count for a purpose: neither lifted nor found to be without ground.

    A lifting entry lifts only what came before it. What a purpose's entry lifts is
    what it names; naming is done when it is recorded, from a certain match. An
    answer counts for its own purpose; the newest one counts.

    Args:
        entries: rows as `ENTRY_SCHEMA`, every entry of one controller.
        purpose: entries of this purpose and of all purposes count.
        participation: the purpose's rule; where it lets nobody be refused, an answer
            "not upheld" has no effect, whatever the rule was when it was given.
    """
    concerning = entries.filter(pl.col("purpose").is_in([purpose, ANY_PURPOSE]))
    named = concerning.filter(pl.col("kind").is_in([kind.value for kind in COMPARED])).join(
        _named_by(entries, tuple(LIFTS)), on="sequence", how="anti"
    )
    if Status.NOT_UPHELD not in ANSWERS[participation]:
        return named
    answers = _named_by(concerning, (EntryKind.ANSWERED,)).unique(
        "sequence", keep="last", maintain_order=True
    )
    answered = named.join(answers, on="sequence", how="left", maintain_order="left")
    return answered.filter(pl.coalesce("answer", "status") != Status.NOT_UPHELD.value).select(
        named.columns
    )


def _named_by(entries: pl.DataFrame, kinds: tuple[EntryKind, ...]) -> pl.DataFrame:
    """Which earlier entries are named by entries of these kinds, and with which answer."""
    return (
        entries.filter(pl.col("kind").is_in([kind.value for kind in kinds]))
        .select(
            pl.col("sequence").alias("by"),
            pl.col("lifts").alias("sequence"),
            pl.col("status").alias("answer"),
        )
        .explode("sequence", keep_nulls=False, empty_as_null=False)
        .filter(pl.col("sequence") < pl.col("by"))
        .sort("by")
        .select("sequence", "answer")
    )
