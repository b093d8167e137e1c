"""What the hits of a whole cohort mean: certain, or doubtful and for a human.

A certain match shares a national number, or a strong token that only one person
of the cohort and one of the register has, or was settled by a person. Everything
else that is shared or alike is doubtful: that person is withheld and queued, and the
release goes on. Consent must match certainly; a doubtful consent is none.

Source: security point 16; UK GDPR Art 7(1), Art 21.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from gateway.model import Participation, Withheld
from gateway.model.stages import BEFORE, BEFORE_AT, BESIDE
from gateway.objections.entries import CERTAIN, EFFECTS, REASON_ORDER, EntryKind
from gateway.objections.register import Register

# The words of the spine's own column, and what they do; consent there is evidence of consent.
SPINE_WORDS: Final = {"OBJECTED": Withheld.OBJECTED, "OPTOUT": Withheld.OPTED_OUT}
SPINE_CONSENT: Final = "CONSENT"
SPINE_SILENT: Final = ("NONE", "")


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is withheld for which reason, who has consented, and what a human must look at.

    `refused`: `person`, `reason`; `consenting`: `person`, `since`; `doubtful`: `person`,
    `sequence`, `match`, `because` (names of tokens and rules): references, no values.
    """

    participation: Participation
    refused: pl.DataFrame = field(repr=False)
    consenting: pl.DataFrame = field(repr=False)
    doubtful: pl.DataFrame = field(repr=False)


def resolve(hits: pl.DataFrame, register: Register, *, participation: Participation) -> Resolution:
    """Decide over all hits of a cohort.

    Args:
        hits: of every block, merged (`compare`).
        register: the register that they were made with.
        participation: the Plan's rule.
    """
    effects = EFFECTS[participation]
    judged = mark_certain(hits, register).join(
        register.entries.select("sequence", "kind"), on="sequence"
    )
    refusing = judged.filter(pl.col("kind").is_in([kind.value for kind in effects]))
    certain = refusing.filter(pl.col("certain")).select(
        "person",
        pl.col("kind")
        .replace_strict(
            {kind.value: reason.value for kind, reason in effects.items()},
            default=None,
            return_dtype=pl.String,
        )
        .alias("reason"),
    )
    doubtful = refusing.join(certain, on="person", how="anti")
    held = doubtful.select("person", pl.lit(Withheld.DOUBTFUL_MATCH.value).alias("reason"))
    return Resolution(
        participation=participation,
        refused=_first_reason(pl.concat([certain, held])),
        consenting=_consenting(judged, register),
        doubtful=doubtful.group_by("person", "sequence")
        .agg(pl.col("match").first(), pl.col("token").unique().sort().alias("because"))
        .sort("sequence", "person"),
    )


def decide(frame: pl.DataFrame, resolution: Resolution) -> pl.Series:
    """Why each person of a block is withheld; null lets them through.

    Args:
        frame: n rows with `person` and `spine.participation` (null where the spine
            has no such column). A word that is not known is a doubt. What a replaced
            extract said (`BEFORE`) holds until a consent that was recorded later than it
            came: a partner's file lifts nothing. Of relatives beside
            the cohort (`BESIDE`) only a "no" counts: nobody had to ask them for consent, so
            that its absence holds nobody.
        resolution: of the whole cohort.

    Returns:
        `reason`, n values of `Withheld`.
    """
    if resolution.participation is Participation.STATUTORY:
        return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, frame.height)
    joined = (
        frame.select("person", _spine_word(frame), *_said_before(frame), _of_cohort(frame))
        .join(resolution.refused, on="person", how="left", maintain_order="left")
        .join(
            resolution.consenting.with_columns(pl.lit(value=True).alias("consents")),
            on="person",
            how="left",
            maintain_order="left",
        )
    )
    lifted = (pl.col("since") > pl.col(BEFORE_AT)).fill_null(value=False)
    before = pl.when(~lifted).then(_spine_reason(pl.col(BEFORE)))
    reasons = [pl.col("reason"), _spine_reason(pl.col("word")), before]
    if resolution.participation is Participation.CONSENT:
        given = pl.col("consents").fill_null(value=False) | (pl.col("word") == SPINE_CONSENT)
        absent = ~given.fill_null(value=False) & pl.col("asked")
        reasons.append(pl.when(absent).then(pl.lit(Withheld.NO_CONSENT.value)))
    first = [
        pl.any_horizontal([(value == reason.value).fill_null(value=False) for value in reasons])
        for reason in REASON_ORDER
    ]
    chosen = pl.coalesce(
        pl.when(found).then(pl.lit(reason.value))
        for found, reason in zip(first, REASON_ORDER, strict=True)
    )
    return joined.select(chosen.alias("reason")).to_series()


def _spine_word(frame: pl.DataFrame) -> pl.Expr:
    if "spine.participation" not in frame.columns:
        return pl.lit(None, dtype=pl.String).alias("word")
    said = pl.col("spine.participation").cast(pl.String)
    return said.str.strip_chars().str.to_uppercase().alias("word")


def _said_before(frame: pl.DataFrame) -> list[pl.Expr]:
    nothing = pl.lit(None, dtype=pl.String)
    return [
        (pl.col(name) if name in frame.columns else nothing).alias(name)
        for name in (BEFORE, BEFORE_AT)
    ]


def _of_cohort(frame: pl.DataFrame) -> pl.Expr:
    beside = pl.col(BESIDE) if BESIDE in frame.columns else pl.lit(value=False)
    return (~beside.fill_null(value=False)).alias("asked")


def _spine_reason(word: pl.Expr) -> pl.Expr:
    """The spine may tighten: its objections and opt-outs count, an unknown word is a doubt."""
    silent = word.is_null() | word.is_in([*SPINE_SILENT, SPINE_CONSENT])
    known = word.replace_strict(
        {name: reason.value for name, reason in SPINE_WORDS.items()},
        default=Withheld.DOUBTFUL_MATCH.value,
        return_dtype=pl.String,
    )
    return pl.when(~silent).then(known)


def mark_certain(hits: pl.DataFrame, register: Register) -> pl.DataFrame:
    """Mark hits that are certain, and those that are clear enough to carry a consent."""
    tokens = hits.filter(pl.col("value").is_not_null())
    behind = (
        tokens.select("token", "value", "sequence")
        .unique()
        .join(_alike_entries(register), on="sequence", how="left")
    )
    sharing = tokens.group_by("token", "value").agg(pl.col("person").n_unique().alias("people"))
    entries = behind.group_by("token", "value").agg(pl.col("identity").n_unique().alias("entries"))
    counted = hits.join(sharing, on=["token", "value"], how="left").join(
        entries, on=["token", "value"], how="left"
    )
    national = pl.col("token").str.starts_with("TN-")
    alone = ((pl.col("people") == 1) & (pl.col("entries") == 1)).fill_null(value=False)
    strong = pl.col("token").is_in(CERTAIN)
    settled = register.settled.filter("same").select("sequence", "match", told_same=True)
    known = counted.join(settled, on=["sequence", "match"], how="left", maintain_order="left")
    same = pl.col("told_same").fill_null(value=False)
    return known.with_columns(
        (national | (strong & alone) | same).alias("certain"),
        ((national | strong) & alone & ~pl.col("clash")).alias("clear"),
    )


def _alike_entries(register: Register) -> pl.DataFrame:
    """The same number for entries that give exactly the same details."""
    details = register.identities.drop("sequence")
    same = details.hash_rows() if details.width else register.identities["sequence"]
    return register.identities.select("sequence").with_columns(same.alias("identity"))


def _consenting(judged: pl.DataFrame, register: Register) -> pl.DataFrame:
    consent = judged.filter(pl.col("kind") == EntryKind.CONSENT.value, pl.col("clear"))
    dated = consent.join(register.received, on="sequence", how="left")
    return dated.group_by("person").agg(pl.col("received").max().alias("since"))


def _first_reason(reasons: pl.DataFrame) -> pl.DataFrame:
    """One reason for each person, in the order of `REASON_ORDER`."""
    order = {reason.value: place for place, reason in enumerate(REASON_ORDER)}
    ranked = reasons.with_columns(
        pl.col("reason").replace_strict(order, return_dtype=pl.Int8).alias("rank")
    )
    return ranked.sort("rank").unique("person", keep="first", maintain_order=True).drop("rank")
