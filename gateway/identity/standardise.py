"""From a partner's columns to the elements of `std1`: one spelling, the same on every machine.

Which element comes from which column is said by the contract's roles; only what
they give appears. Names, dates and places repeat, so each distinct value is
standardised once.

Source: docs/reference/pseudonyms.md, "Elements"; UK GDPR Art 5(1)(d).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import polars as pl

from gateway.identity import identifiers, names, places
from gateway.identity.few import few_texts
from gateway.identity.letters import sorted_letters
from gateway.identity.sound import formed
from gateway.model.contract import Contract
from gateway.model.tokens import ELEMENTS
from gateway.model.words import Role

_Columns = dict[str, pl.Series]


def standardise(
    frame: pl.DataFrame, contract: Contract, *, extract_date: dt.date | None = None
) -> pl.DataFrame:
    """Give the elements of each row.

    Args:
        frame: n rows under the contract's column names; a column that is absent is missing.
        contract: roles, population, form of sex and postcode, placeholder dates.
        extract_date: the last possible date of birth, inclusive; a column of the field
            `extract_date` is used where none is given.

    Returns:
        n rows, same order: text columns named by `ELEMENTS`, and `former1.sn1` and so on
        for former surnames; null where missing.
    """
    columns = _by_role(frame, contract)
    found: _Columns = {}
    found |= _forenames(columns)
    found |= _surnames(columns, Role.SURNAME)
    if Role.FORENAME in columns and Role.SURNAME in columns:
        found["alpha"] = sorted_letters(found["fnx"], found["snx"])
    found |= _births(columns, contract, _last_days(frame, contract, extract_date))
    found |= _places(columns, contract)
    found |= _numbers(columns, synthetic=contract.population == "synthetic")
    found |= _surnames(columns, Role.FORMER_SURNAME)
    if contract.sex == "not-collected":
        found["sex"] = pl.repeat("-", frame.height, dtype=pl.String, eager=True)
    elif Role.SEX in columns:
        found["sex"] = _distinct(columns[Role.SEX][0], places.sexes)
    order = [*ELEMENTS, *(name for name in found if "." in name)]
    return pl.DataFrame([found[name].alias(name) for name in order if name in found])


def _by_role(frame: pl.DataFrame, contract: Contract) -> dict[Role, list[pl.Series]]:
    columns: dict[Role, list[pl.Series]] = {}
    for column in contract.columns:
        if column.role is None:
            continue
        absent = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        values = frame[column.name] if column.name in frame.columns else absent
        columns.setdefault(column.role, []).append(values)
    return columns


def _distinct(values: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Do the work once for each distinct value."""
    return _distinct_frame(values, lambda each: work(each).alias("is").to_frame())["is"]


def _distinct_frame(values: pl.Series, work: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    few = few_texts(values)
    if few is not None:
        return pl.DataFrame([few.spread(part) for part in work(few.table).get_columns()])
    keys = values.alias("key")
    each = keys.unique()
    if 2 * len(each) > len(keys):
        return work(keys)
    table = work(each).with_columns(each)
    joined = keys.to_frame().join(table, on="key", how="left", maintain_order="left")
    return joined.drop("key")


def _forenames(columns: dict[Role, list[pl.Series]]) -> _Columns:
    found: _Columns = {}
    if Role.FORENAME in columns:
        parts = _distinct_frame(columns[Role.FORENAME][0].cast(pl.String), _forename_parts)
        found = {name: parts[name] for name in ("fn1", "fn2", "fnx", "nick")}
        found["mn"] = found["fn2"]
    if Role.MIDDLE_NAMES in columns:
        middle = _distinct(columns[Role.MIDDLE_NAMES][0].cast(pl.String), _first_part)
        spare = found.get("fn2")
        found["mn"] = middle if spare is None else middle.zip_with(middle.is_not_null(), spare)
    return found


def _first_part(texts: pl.Series) -> pl.Series:
    return names.name_parts(names.standard_names(texts, surname=False), "f")["fn1"]


def _forename_parts(texts: pl.Series) -> pl.DataFrame:
    parts = names.name_parts(names.standard_names(texts, surname=False), "f")
    return parts.with_columns(names.familiar(parts["fn1"]).alias("nick"))


def _surname_parts(texts: pl.Series) -> pl.DataFrame:
    return names.name_parts(names.standard_names(texts, surname=True), "s")


def _surnames(columns: dict[Role, list[pl.Series]], role: Role) -> _Columns:
    found: _Columns = {}
    for number, values in enumerate(columns.get(role, ()), start=1):
        parts = _distinct_frame(values.cast(pl.String), _surname_parts)
        slot = f"former{number}." if role is Role.FORMER_SURNAME else ""
        found |= {slot + name: parts[name] for name in parts.columns}
        if not slot:
            return found
    return found


def _last_days(
    frame: pl.DataFrame, contract: Contract, given: dt.date | None
) -> pl.Series | dt.date | None:
    named = [c.name for c in contract.columns if c.field == "extract_date"]
    if given is None and named and named[0] in frame.columns:
        return places.real_dates(frame[named[0]])
    return given


def _births(
    columns: dict[Role, list[pl.Series]], contract: Contract, last: pl.Series | dt.date | None
) -> _Columns:
    if Role.DATE_OF_BIRTH not in columns:
        return {}
    values = columns[Role.DATE_OF_BIRTH][0]
    dob = _distinct(values, lambda each: places.birth_dates(each, contract.placeholder_dates))
    if last is None:
        return {"dob": dob}
    limit = pl.lit(last, dtype=pl.Date).dt.to_string("%Y-%m-%d")
    in_time = (pl.col("dob") <= limit).fill_null(value=True)
    kept = dob.alias("dob").to_frame().select(pl.when(in_time).then("dob"))
    return {"dob": kept.to_series()}


def _places(columns: dict[Role, list[pl.Series]], contract: Contract) -> _Columns:
    works: dict[Role, tuple[str, Callable[[pl.Series], pl.Series]]] = {
        Role.HOUSE_NUMBER: ("hn", places.house_numbers),
        Role.STREET: ("st", lambda each: places.street_names(each.cast(pl.String))),
        Role.TOWN: ("town", lambda each: places.town_names(each.cast(pl.String))),
    }
    found = {
        name: _distinct(columns[role][0], work)
        for role, (name, work) in works.items()
        if role in columns
    }
    if Role.POSTCODE in columns:
        found["pc"] = _postcodes(columns[Role.POSTCODE][0].cast(pl.String), contract.postcode_form)
    return found


def _postcodes(texts: pl.Series, form: str) -> pl.Series:
    def work(each: pl.Series) -> pl.Series:
        return _distinct(each, lambda some: places.postcodes(some, form))

    if form == "digits":
        return work(texts)
    return formed(
        texts,
        "postcode",
        quick=lambda sound: sound.str.replace(" ", "", literal=True),
        slow=work,
    )


def _numbers(columns: dict[Role, list[pl.Series]], *, synthetic: bool) -> _Columns:
    works: dict[Role, tuple[str, Callable[[pl.Series], pl.Series]]] = {
        Role.UPRN: ("uprn", lambda texts: _selected(texts, identifiers.uprn_form("text"))),
        Role.NHS_NUMBER: ("nhs", lambda texts: _nhs_numbers(texts, synthetic=synthetic)),
        Role.UPN: ("upn", _upns),
        Role.NINO: ("nino", lambda texts: _ninos(texts, synthetic=synthetic)),
    }
    return {
        name: work(columns[role][0].cast(pl.String))
        for role, (name, work) in works.items()
        if role in columns
    }


def _nhs_numbers(texts: pl.Series, *, synthetic: bool) -> pl.Series:
    form = identifiers.nhs_number_form("text", synthetic=synthetic)
    return formed(
        texts,
        "nhs_number",
        synthetic=synthetic,
        quick=lambda sound: sound,
        slow=lambda doubtful: _selected(doubtful, form),
    )


def _upns(texts: pl.Series) -> pl.Series:
    form = identifiers.upn_form("text")
    return formed(
        texts, "upn", quick=lambda sound: sound, slow=lambda doubtful: _selected(doubtful, form)
    )


def _ninos(texts: pl.Series, *, synthetic: bool) -> pl.Series:
    form = identifiers.nino_form("text", synthetic=synthetic)
    return formed(
        texts,
        "nino",
        synthetic=synthetic,
        quick=lambda sound: sound.str.slice(0, 8),
        slow=lambda doubtful: _selected(doubtful, form),
    )


def _selected(texts: pl.Series, form: pl.Expr) -> pl.Series:
    return texts.alias("text").to_frame().select(form).to_series()
