"""Tokens: composite match-keys under a key, so that linking needs no name, date or address.

A row in which a component is missing gives no token. The message is framed in
the kernel; the joined identifiers of a person never stand in a column.

Source: docs/reference/pseudonyms.md, "Components" and "Tokens, pseudonyms, tombstones".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from gateway import keyed_hash
from gateway.errors import REPORT, RefusedError, UsageError
from gateway.identity.derivation import PseudonymKey, TokenKey, TombstoneKey
from gateway.identity.letters import sorted_letters, soundex
from gateway.model.tokens import COMPONENTS, SCHEME, TOKEN_NAMES, token_elements

_FIRST: Final = re.compile(r"([a-z0-9]+)\[:([0-9])\]")
_LAST: Final = re.compile(r"([a-z0-9]+)\[-([0-9]):\]")
_SUBJECT_ID: Final = "^[0-9a-f]{32}$"
_SURNAMES: Final = ("sn1", "sn2", "snx")


def person_of(name: str) -> bytes:
    """Give the 16 bytes of the domain of a token, or of `pseudonym`."""
    return f"{SCHEME}/{name}".encode("ascii").ljust(16, b".")


def token_names(available: Iterable[str]) -> tuple[str, ...]:
    """List the tokens that can be formed from these elements at all."""
    there = set(available)
    return tuple(name for name in TOKEN_NAMES if there.issuperset(token_elements(name)))


def tokens(
    elements: pl.DataFrame, name: str, key: TokenKey | TombstoneKey, *, threads: int = 2
) -> pl.Series:
    """Make one token for each row.

    Args:
        elements: n rows of standardised elements.
        name: `T01` to `T39`, or a `TN-` token.
        key: a study's token key, or a register's tombstone key.
        threads: cores that may be used.

    Returns:
        A binary column named after the token, 16 bytes each; null where a component is missing.

    Raises:
        UsageError: no token has this name, or an element column is not there.
        RefusedError: the key is of another kind.
    """
    return token_columns(elements, (name,), key, threads=threads)[name]


def token_columns(
    elements: pl.DataFrame, names: Sequence[str], key: TokenKey | TombstoneKey, *, threads: int = 2
) -> pl.DataFrame:
    """Make several tokens, each component once; see `tokens`."""
    if not isinstance(key, TokenKey | TombstoneKey):
        raise RefusedError(
            "identity/wrong-key-kind", "Tokens need a token or tombstone key.", remedy=REPORT
        )
    _refuse_absent(elements, names)
    made = _components(elements, names)
    return pl.DataFrame(
        [
            keyed_hash.blake2b_framed(
                [made[component] for component in COMPONENTS[name]],
                key.secret,
                person=person_of(name),
                threads=threads,
            ).alias(name)
            for name in names
        ]
    )


def pseudonyms(subject_ids: pl.Series, key: PseudonymKey) -> pl.Series:
    """Make the pseudonym of each internal subject id (128 random bits as 32 hex digits).

    Raises:
        RefusedError: the key is of another kind.
        UsageError: an id is not of that form: case numbers and names are never hashed.
    """
    if not isinstance(key, PseudonymKey):
        raise RefusedError(
            "identity/wrong-key-kind", "Pseudonyms need a pseudonym key.", remedy=REPORT
        )
    formed = subject_ids.dtype == pl.String and subject_ids.str.contains(_SUBJECT_ID).all()
    if not formed:
        raise UsageError(
            "identity/subject-id", "A subject id is 32 lower-case hex digits.", remedy=REPORT
        )
    person = person_of("pseudonym")
    return keyed_hash.blake2b_framed([subject_ids], key.secret, person=person).alias("pseudonym")


def alias_elements(elements: pl.DataFrame, slot: str) -> pl.DataFrame:
    """Give the elements with the surname of an alias slot (`former1`) in its place.

    Rows without this alias have a missing surname, and tokens of the surname are null there.

    Raises:
        UsageError: there is no such slot.
    """
    if f"{slot}.sn1" not in elements.columns:
        raise UsageError(
            "identity/no-such-slot", "There is no such alias slot.", remedy=REPORT, slot=slot
        )
    changed = elements.with_columns(pl.col(f"{slot}.{name}").alias(name) for name in _SURNAMES)
    if "fnx" in elements.columns:
        changed = changed.with_columns(
            sorted_letters(changed["fnx"], changed["snx"]).alias("alpha")
        )
    return changed.select(name for name in changed.columns if "." not in name)


def token_texts(digests: pl.Series) -> pl.Series:
    """Write tokens as 26 lower-case base32 characters; for the last writer only."""
    return keyed_hash.base32_column(digests)


def component_columns(elements: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give the components of one token in the order of the table, for test vectors only."""
    _refuse_absent(elements, (name,))
    made = _components(elements, (name,))
    return pl.DataFrame([made[each].alias(each) for each in COMPONENTS[name]])


def _refuse_absent(elements: pl.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        absent = [each for each in token_elements(name) if each not in elements.columns]
        if absent:
            raise UsageError(
                "identity/element-missing",
                f'Token {name} needs the element "{absent[0]}", which the dataset does not give.',
                remedy="Choose tokens that the dataset can make, or give it the element.",
                token=name,
                element=absent[0],
            )


def _components(elements: pl.DataFrame, names: Sequence[str]) -> Mapping[str, pl.Series]:
    wanted = dict.fromkeys(each for name in names for each in COMPONENTS[name])
    sounds = [each for each in wanted if each.startswith("soundex(")]
    plain = {each: _expression(each) for each in wanted if each not in sounds}
    made = elements.select(expression.alias(each) for each, expression in plain.items())
    return {
        **made.to_dict(),
        **{each: soundex(elements[each.removeprefix("soundex(")[:-1]]) for each in sounds},
    }


def _expression(component: str) -> pl.Expr:
    """Read the small language of the table's components."""
    if component in _PARTS:
        return _PARTS[component]
    if (cut := _FIRST.fullmatch(component)) is not None:
        return _cut(pl.col(cut[1]), int(cut[2]), last=False)
    if (cut := _LAST.fullmatch(component)) is not None:
        return _cut(pl.col(cut[1]), int(cut[2]), last=True)
    return pl.col(component)


def _cut(text: pl.Expr, count: int, *, last: bool) -> pl.Expr:
    """Take letters from an end; a shorter text is missing. Elements are ASCII."""
    piece = text.str.tail(count) if last else text.str.head(count)
    return pl.when(text.str.len_bytes() >= count).then(piece)


def _sorted_pair(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    joined = pl.concat_str([first, second], separator="\x1f")
    turned = pl.concat_str([second, first], separator="\x1f")
    return pl.when(first <= second).then(joined).when(first > second).then(turned)


_DOB: Final = pl.col("dob")
_PC: Final = pl.col("pc")
_DIGITS: Final = _PC.str.contains("^[0-9]")
_MONTH: Final = _DOB.str.slice(5, 2)
_DAY: Final = _DOB.str.slice(8, 2)

# A postcode of digits: sector and district are all but the last digit, the area the first two.
_PARTS: Final[Mapping[str, pl.Expr]] = {
    "year": _DOB.str.slice(0, 4),
    "month": _MONTH,
    "day": _DAY,
    "sector": pl.when(_DIGITS).then(_PC.str.head(-1)).otherwise(_PC.str.head(-2)),
    "district": pl.when(_DIGITS).then(_PC.str.head(-1)).otherwise(_PC.str.head(-3)),
    "area": pl.when(_DIGITS).then(_PC.str.head(2)).otherwise(_PC.str.extract("^([A-Z]+)")),
    "{day,month}": _sorted_pair(_DAY, _MONTH),
    "{fn1,sn1}": _sorted_pair(pl.col("fn1"), pl.col("sn1")),
}
