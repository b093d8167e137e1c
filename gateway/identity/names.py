"""Names in one spelling: letters A to Z, without title, prefixes joined to what they belong to.

Works on whole columns; names repeat heavily, so the caller passes distinct values.

Source: docs/reference/pseudonyms.md, "Elements", names, steps 1 to 7.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from gateway.identity.identifiers import WHITE_SPACE
from gateway.model import shipped

TITLES: Final = ("MR", "MRS", "DR", "MISS", "MS", "MX", "MSTR", "PROF", "SIR", "LADY")
PREFIXES: Final = (
    "DE DA DU ST MC MAC VAN VON LA LE O AL DER EL DI DEL UL BIN SAN BA".split()  # noqa: SIM905
)
HYPHENS: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"

_SEPARATORS: Final = "[" + WHITE_SPACE.replace("-", "") + "/,_" + "\u2010-\u2015\u2212-]+"
_TITLE: Final = f"^(?:{'|'.join(TITLES)}) "
_PREFIX: Final = f"(?:{'|'.join(PREFIXES)})"
_PREFIX_BEFORE_PART: Final = rf"\b({_PREFIX}) "
_PREFIXES_AT_END: Final = rf"(?:^| )((?:{_PREFIX} )*{_PREFIX})$"
_NOT_ASCII: Final = "[^\\x00-\\x7f]"


def present(texts: pl.Series, *, surname: bool = False) -> pl.Series:
    """Trim each text; a sentinel, compared without case, becomes null.

    Args:
        texts: raw text column.
        surname: NA is a name here.
    """
    words = [*shipped.sentinels("any"), *(() if surname else shipped.sentinels("not-surname"))]
    text = pl.col("text").str.strip_chars(WHITE_SPACE)
    spaced = text.str.replace_all(f"[{WHITE_SPACE}]+", " ")
    ascii_only = ~spaced.str.contains(_NOT_ASCII)
    said = (spaced.str.to_uppercase().is_in(words) & ascii_only) | (text == "")
    kept = pl.when(~said).then(text)
    return texts.alias("text").to_frame().select(kept).to_series()


def spelled(texts: pl.Series, *, keep: str = "A-Z") -> pl.Series:
    """Fold each text to upper-case A to Z and single spaces (steps 1 and 2); nothing left is null.

    Args:
        texts: trimmed text column.
        keep: what is kept beside the space, as the inside of a character class.
    """
    text = pl.col("text")
    plain = text.str.replace_all(_NOT_ASCII, "").str.to_uppercase()
    parted = plain.str.replace_all(f"[^{keep} ]+", "").str.replace_all(" {2,}", " ")
    parted = parted.str.strip_chars(" ")
    frame = folded(texts).str.replace_all(_SEPARATORS, " ").alias("text").to_frame()
    return frame.select(pl.when(parted != "").then(parted)).to_series()


def folded(texts: pl.Series) -> pl.Series:
    """Replace each character that the fold table knows; plain ASCII texts pass untouched."""
    foreign = texts.str.contains(_NOT_ASCII).fill_null(value=False)
    if not foreign.any():
        return texts
    table = shipped.fold_table()
    rows = foreign.arg_true()
    changed = pl.Series([text.translate(table) for text in texts.gather(rows)], dtype=pl.String)
    return texts.clone().scatter(rows, changed)


def standard_names(texts: pl.Series, *, surname: bool) -> pl.Series:
    """Give each name as its parts with single spaces between (steps 1 to 6), or null.

    Args:
        texts: raw text column, best of distinct values.
        surname: join prefixes, and take NA for a name.
    """
    names = spelled(present(texts, surname=surname))
    while not (settled := _settle(names, surname=surname)).equals(names):
        names = settled
    return names


def name_parts(names: pl.Series, letter: str) -> pl.DataFrame:
    """Give parts 1 and 2 and all parts joined without space: `fn1 fn2 fnx` or `sn1 sn2 snx`.

    Args:
        names: column of `standard_names`.
        letter: `f` or `s`.
    """
    parts = names.str.split(" ")
    return pl.DataFrame(
        {
            f"{letter}n1": parts.list.get(0, null_on_oob=True),
            f"{letter}n2": parts.list.get(1, null_on_oob=True),
            f"{letter}nx": names.str.replace_all(" ", "", literal=True),
        }
    )


def familiar(first: pl.Series) -> pl.Series:
    """Give the form that each forename is short for, else the forename itself."""
    table = shipped.nicknames()
    return first.replace(list(table), list(table.values()))


def _settle(names: pl.Series, *, surname: bool) -> pl.Series:
    """Apply placeholder, title and prefixes once (steps 3 to 5)."""
    name = pl.col("name")
    known = pl.when(~name.is_in(shipped.sentinels("name"))).then(name)
    frame = names.alias("name").to_frame().select(known.alias("name"))
    frame = frame.select(name.str.replace(_TITLE, ""))
    if surname:
        frame = frame.select(_prefixes_joined(name))
    return frame.to_series()


def _prefixes_joined(name: pl.Expr) -> pl.Expr:
    """Join each run of prefixes to the part after it; a run at the end stands as it is."""
    end = name.str.extract(_PREFIXES_AT_END).fill_null("")
    before = name.str.replace(_PREFIXES_AT_END, "")
    joined = before.str.replace_all(_PREFIX_BEFORE_PART, "${1}")
    return (
        joined + pl.when((joined != "") & (end != "")).then(pl.lit(" ")).otherwise(pl.lit("")) + end
    )
