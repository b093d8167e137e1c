"""Names of which the standard form keeps too little, written so that they can be compared.

`std1` deletes every letter that its fold table does not have, and takes a placeholder
for missing: of a name in Cyrillic, Arabic or Chinese, and of a surname Test, nothing is
left. A person of that name who has objected must still be found. So such names are
spelled in A to Z, letter by letter, for likeness only: never for a token.

Source: security point 16; docs/adr/0330-names-that-the-standard-form-does-not-keep.md.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import polars as pl

from gateway.identity import names
from gateway.identity.identifiers import WHITE_SPACE
from gateway.model import shipped
from gateway.model.contract import Contract
from gateway.model.words import Role

UNKEPT: Final = "unkept"

_NOT_ASCII: Final = "[^\\x00-\\x7f]"
_DIGITS: Final = dict(zip("0123456789", "ZNTHFVXSEQ", strict=True))
# A letter of no table is told by its number: a first letter, then consonants of different sound.
_FIRST: Final = "BDFGHJKLMNPQRSTVW"
_CONSONANTS: Final = "BKDLMR"
_VOWELS: Final = "AEIOU"
_SYLLABLES: Final = 3

# Which element says whether a name of this role was kept.
_ROLES: Final = ((Role.FORENAME, "fn"), (Role.MIDDLE_NAMES, "mn"), (Role.SURNAME, "sn"))


def name_columns(contract: Contract) -> dict[str, str]:
    """The contract's columns of names, by what of a person they tell: `fn mn sn former1` ..."""
    told = dict(_ROLES)
    found: dict[str, str] = {}
    former = 0
    for column in contract.columns:
        if column.role is Role.FORMER_SURNAME:
            former += 1
            found[f"former{former}"] = column.name
        elif column.role in told:
            found.setdefault(told[column.role], column.name)
    return found


def unkept_columns(frame: pl.DataFrame, contract: Contract, *, prefix: str = "") -> pl.DataFrame:
    """What the names of each row say that the elements of `std1` do not.

    Args:
        frame: n rows: columns of the contract, and its elements under `prefix`.
        contract: says which column is which name.
        prefix: of the elements' names.

    Returns:
        n rows: `unkept.fn`, `unkept.mn`, `unkept.sn`, `unkept.former1` and so on, as far as
        the contract has such a column: parts of letters A to Z with single spaces between;
        null where nothing is written or `std1` keeps every letter.
    """
    columns = []
    for told, column in name_columns(contract).items():
        element = f"{prefix}{told}.sn1" if told.startswith("former") else f"{prefix}{_kept(told)}"
        if column in frame.columns and element in frame.columns:
            spelled = unkept(frame[column].cast(pl.String), frame[element])
            columns.append(spelled.alias(f"{UNKEPT}.{told}"))
    return pl.DataFrame(columns) if columns else frame.select()


def unkept(texts: pl.Series, kept: pl.Series) -> pl.Series:
    """Spell the names of which `std1` keeps nothing or not every letter; null for all others.

    Args:
        texts: names as they are written.
        kept: their first element of `std1`.
    """
    text = pl.col("text").str.strip_chars(WHITE_SPACE)
    frame = pl.DataFrame([texts.alias("text"), kept.alias("kept")]).select(
        pl.when(text != "").then(text).alias("text"), "kept"
    )
    foreign = frame["text"].str.contains(_NOT_ASCII)
    doubtful = (frame["kept"].is_null() & frame["text"].is_not_null()) | foreign.fill_null(
        value=False
    )
    rows = doubtful.arg_true()
    made = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    if not rows.len():
        return made
    some = frame[rows].unique()
    spelled = [
        _spelled(each) if nothing or _loses(each) else None
        for each, nothing in zip(some["text"], some["kept"].is_null(), strict=True)
    ]
    table = some.with_columns(names.spelled(pl.Series("is", spelled, dtype=pl.String)).alias("is"))
    told = frame[rows].join(
        table, on=["text", "kept"], how="left", nulls_equal=True, maintain_order="left"
    )
    return made.scatter(rows, told["is"])


def _kept(told: str) -> str:
    return "mn" if told == "mn" else f"{told}1"


def _loses(text: str) -> bool:
    """Whether `std1` deletes a letter of this name."""
    table = shipped.fold_table()
    return any(
        ord(each) > 0x7F and ord(each) not in table and _is_letter(each)
        for each in unicodedata.normalize("NFC", text)
    )


def _is_letter(each: str) -> bool:
    category = unicodedata.category(each)
    return category[0] in "LN" or category == "Mc"


def _spelled(text: str) -> str:
    whole = unicodedata.normalize("NFKC", text).casefold()
    spelled = "".join(_letter(each) for each in whole)
    if any(each.isalpha() for each in spelled):
        return spelled
    return "".join(_numbered(each) for each in whole if _is_letter(each))


def _letter(each: str) -> str:
    """One character in A to Z; blanks and hyphens stand for themselves."""
    if each in _DIGITS:
        return _DIGITS[each]
    if each.isascii():
        return each
    for table in (shipped.script_table(), shipped.fold_table()):
        if ord(each) in table:
            return table[ord(each)]
    parts = unicodedata.normalize("NFKD", each)
    if parts != each:
        return "".join(_letter(part) for part in parts)
    return _numbered(each) if unicodedata.category(each)[0] in "LN" else _blank(each)


def _blank(each: str) -> str:
    return " " if unicodedata.category(each)[0] == "Z" or each in names.HYPHENS else ""


def _numbered(each: str) -> str:
    """A letter of no table, or one that has no sound: by its number, as a word of eight letters."""
    number, first = divmod(ord(each), len(_FIRST))
    number, vowel = divmod(number, len(_VOWELS))
    word = _FIRST[first] + _VOWELS[vowel]
    for _ in range(_SYLLABLES):
        number, consonant = divmod(number, len(_CONSONANTS))
        number, vowel = divmod(number, len(_VOWELS))
        word += _CONSONANTS[consonant] + _VOWELS[vowel]
    return word
