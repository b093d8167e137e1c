"""What a person tells about themselves with an objection: read strictly, quoted never.

One identity as JSON or as `name: value` lines, or many as CSV. Every finding of
the whole input is given at once, by row and field; a value never is, and neither
is a field name that is not known, because it may be a value that slipped.

Source: UK GDPR Art 12(2); docs/how-to/object.md.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from gateway import identity
from gateway.errors import InputRejected
from gateway.model.urgent import FIELDS
from gateway.objections.register import details_contract

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "first_name": "forename",
        "given_name": "forename",
        "forenames": "forename",
        "middle_name": "middle_names",
        "last_name": "surname",
        "family_name": "surname",
        "maiden_name": "former_surname",
        "previous_surname": "former_surname",
        "dob": "date_of_birth",
        "birth_date": "date_of_birth",
        "post_code": "postcode",
        "house_no": "house_number",
        "house": "house_number",
        "nhs": "nhs_number",
        "nhs_no": "nhs_number",
        "ni_number": "nino",
        "national_insurance_number": "nino",
    }
)

_SEX: Final = {"1": "1", "M": "1", "MALE": "1", "2": "2", "F": "2", "FEMALE": "2"}
_DATE_FORMS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y")
# Day and month, or month and day: two readings of 03/04/2001, and nobody guesses.
_TWO_READINGS: Final = r"^(\d{1,2})[/-](\d{1,2})[/-]\d{4}$"
_MONTHS: Final = 12
LONGEST: Final = 200
MOST_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the row (from 1), the field, and what is expected."""

    row: int
    field: str
    expected: str


def one_identity(text: str | bytes) -> pl.DataFrame:
    """Read one identity: a JSON object, or one `name: value` on each line, in UTF-8.

    Returns:
        One row with the columns `FIELDS`, in their normal spelling.

    Raises:
        InputRejected: `objections/details`, with every finding.
    """
    if isinstance(text, bytes):
        text = _decoded(text)
    given = _from_json(text) if text.lstrip().startswith("{") else _from_lines(text)
    named: dict[str, str] = {}
    findings = []
    for place, (name, value) in enumerate(given, start=1):
        field = _field(name)
        if field is None or field in named:
            findings.append(Finding(1, f"number {place}", "a field name that is known, once"))
        else:
            named[field] = value
    return _checked(pl.DataFrame({name: [named.get(name)] for name in FIELDS}, _TEXT), findings)


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _rejected([Finding(1, "input", "text in UTF-8")]) from None


def many_identities(content: bytes) -> pl.DataFrame:
    """Read a CSV file of identities, one on each row, with a header of field names.

    Returns:
        n rows with the columns `FIELDS`, in their normal spelling.

    Raises:
        InputRejected: `objections/details`, with every finding, at most 100 listed.
    """
    try:
        frame = pl.read_csv(io.BytesIO(content), infer_schema=False, encoding="utf8")
    except (pl.exceptions.PolarsError, UnicodeError):
        raise _rejected([Finding(0, "file", "a CSV file in UTF-8 with a header")]) from None
    names = [_field(name.removeprefix("\ufeff")) for name in frame.columns]
    findings = [
        Finding(0, f"column {place}", "a field name that is known, once")
        for place, name in enumerate(names, start=1)
        if name is None or names.count(name) > 1
    ]
    if findings or not frame.height:
        raise _rejected(findings or [Finding(1, "file", "at least one row")])
    frame.columns = [str(name) for name in names]
    absent = [pl.lit(None, dtype=pl.String).alias(n) for n in FIELDS if n not in frame.columns]
    return _checked(frame.with_columns(absent).select(FIELDS), [])


def standard_form(details: pl.DataFrame) -> pl.DataFrame:
    """The elements of `std1` that details give, one row for each identity, and unkept names.

    Args:
        details: n rows with the columns `FIELDS`.
    """
    contract = details_contract()
    elements = identity.standardise(details, contract)
    known = pl.concat([details.select(_NAMES), elements], how="horizontal")
    unkept = identity.unkept_columns(known, contract)
    return pl.concat([elements, unkept], how="horizontal")


_NAMES: Final = ("forename", "middle_names", "surname", "former_surname")


_TEXT: Final = dict.fromkeys(FIELDS, pl.String)


def _from_json(text: str) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise _rejected([Finding(1, "input", "one JSON object of field names and texts")]) from None
    well = isinstance(pairs, list) and all(
        isinstance(pair, tuple) and isinstance(pair[1], str | int | None) and _plain(str(pair[1]))
        for pair in pairs
    )
    if not well:
        raise _rejected([Finding(1, "input", "one JSON object of field names and texts")])
    return [(name, "" if value is None else str(value)) for name, value in pairs]


def _plain(text: str) -> bool:
    """No control character and no half of a character."""
    return not any(unicodedata.category(each) in {"Cc", "Cs"} for each in text)


def _from_lines(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or any(":" not in line or not _plain(line.strip()) for line in lines):
        raise _rejected([Finding(1, "input", 'one "name: value" on each line, or a JSON object')])
    return [(name, value) for name, _colon, value in (line.partition(":") for line in lines)]


def _field(name: str) -> str | None:
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    plain = ALIASES.get(plain, plain)
    return plain if plain in FIELDS else None


def _checked(frame: pl.DataFrame, findings: Iterable[Finding]) -> pl.DataFrame:
    trimmed = frame.with_columns(pl.col(FIELDS).str.strip_chars()).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in FIELDS
    )
    normal = trimmed.with_columns(
        pl.when(~_ambiguous(pl.col("date_of_birth")))
        .then(
            pl.coalesce(
                pl.col("date_of_birth").str.to_date(form, strict=False) for form in _DATE_FORMS
            )
        )
        .dt.strftime("%Y-%m-%d")
        .alias("date_of_birth"),
        pl.col("sex").str.to_uppercase().replace_strict(_SEX, default=None, return_dtype=pl.String),
    )
    found = [*findings, *_malformed(trimmed, normal), *_too_little(normal)]
    vague = [] if found else _not_comparable(normal)
    if found or vague:
        raise _rejected([*found, *vague], ask=_ASK if vague else "")
    return normal


def _malformed(trimmed: pl.DataFrame, normal: pl.DataFrame) -> list[Finding]:
    checks = {
        "date_of_birth": (
            normal["date_of_birth"].is_not_null(),
            "a date that is read in one way, like 2014-02-03 or 03.02.2014",
        ),
        "sex": (normal["sex"].is_not_null(), "male or female"),
        "postcode": (_well(trimmed, identity.postcode_valid("postcode")), "a postcode"),
        "nhs_number": (
            _well(trimmed, identity.nhs_number_valid("nhs_number", synthetic=True)),
            "an NHS number of ten digits with its check digit",
        ),
        "upn": (_well(trimmed, identity.upn_valid("upn")), "a UPN with its check letter"),
        "nino": (
            _well(trimmed, identity.nino_valid("nino", synthetic=True)),
            "a national insurance number",
        ),
        "uprn": (_well(trimmed, identity.uprn_valid("uprn")), "1 to 12 digits"),
    }
    findings = []
    for name, (well, expected) in checks.items():
        findings += _rows(trimmed[name].is_not_null() & ~well, name, expected)
    for name in FIELDS:
        long = trimmed[name].str.len_chars().fill_null(0) > LONGEST
        findings += _rows(long, name, f"at most {LONGEST} characters")
    return sorted(findings, key=lambda finding: finding.row)


def _ambiguous(text: pl.Expr) -> pl.Expr:
    """Whether a date can be read with its day or its month first, as two different days."""
    first, second = (
        text.str.extract(_TWO_READINGS, group).cast(pl.Int32, strict=False) for group in (1, 2)
    )
    both = first.is_between(1, _MONTHS) & second.is_between(1, _MONTHS) & (first != second)
    return both.fill_null(value=False)


def _well(frame: pl.DataFrame, valid: pl.Expr) -> pl.Series:
    return frame.select(valid.fill_null(value=False)).to_series()


def _too_little(normal: pl.DataFrame) -> list[Finding]:
    """Something must be told by which a person can be found at all."""
    enough = pl.any_horizontal(
        pl.col("nhs_number", "upn", "nino", "surname").is_not_null()
    ) | pl.all_horizontal(pl.col("date_of_birth", "postcode").is_not_null())
    return _rows(
        ~normal.select(enough).to_series(),
        "identity",
        "a surname, a national number, or date of birth and postcode",
    )


def _not_comparable(normal: pl.DataFrame) -> list[Finding]:
    """A name of which nothing is kept finds nobody whose name is written in other letters.

    Beside it something must be told by which everyone whom it could mean can be held.
    """
    number = pl.col("nhs_number", "upn", "nino").is_not_null()
    alone = normal.select(~pl.any_horizontal(number) & pl.col("surname").is_not_null()).to_series()
    if not alone.any():
        return []
    told = standard_form(normal).select("fn1", "sn1", "former1.sn1", "dob")
    kept = told.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return _rows(
        alone & ~kept,
        "surname",
        "a name in Latin letters that is no placeholder, or beside it a date of birth or a "
        "national number",
    )


_ASK: Final = (
    "Ask for the date of birth or a national number, or for the name in Latin letters as the "
    "council's records spell it. "
)


def _rows(wrong: pl.Series, field: str, expected: str) -> list[Finding]:
    return [Finding(row + 1, field, expected) for row in wrong.arg_true().to_list()]


def _rejected(findings: list[Finding], *, ask: str = "") -> InputRejected:
    told = "; ".join(
        f"row {finding.row}, {finding.field}: expected {finding.expected}"
        for finding in findings[:MOST_FINDINGS]
    )
    more = len(findings) - MOST_FINDINGS
    return InputRejected(
        "objections/details",
        told + (f"; and {more} more" if more > 0 else "") + ".",
        remedy=f"Nothing was recorded. {ask}Fields: {', '.join(FIELDS)}.",
        findings=len(findings),
    )
