"""A CSV file under a contract, read as the test tokens of other implementations need it.

Source: docs/reference/pseudonyms.md.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gateway import policy
from gateway.adapters.policy_folder import read_policies
from gateway.adapters.settings import Settings
from gateway.errors import InputRejected, UsageError
from gateway.model import Contract


def contract_of(settings: Settings, dataset: str) -> Contract:
    """The contract of a dataset in the policies folder.

    Raises:
        UsageError: none of this name loads.
    """
    bundle, _ = policy.load(read_policies(settings.policies))
    contract = bundle.knowledge.contracts.get(dataset)
    if contract is None:
        raise UsageError(
            "pseudonym/unknown-dataset",
            "No contract of this name loads from the policies folder.",
            remedy="`gateway policy check` says what does not load.",
            dataset=dataset,
        )
    return contract


def columns_of(file: Path, contract: Contract) -> pl.DataFrame:
    """Read a file as text under the contract's names; dates in the contract's forms."""
    try:
        raw = pl.read_csv(
            file.read_bytes(),
            separator=contract.delimiter,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        raise InputRejected(
            "pseudonym/unreadable",
            "The file is not a table of text.",
            remedy="Give CSV in UTF-8 with a header row, as the contract's kit shows.",
        ) from None
    found = {header.strip().casefold(): header for header in raw.columns}
    columns = []
    for column in contract.columns:
        names = [name for name in (column.name, *column.aliases) if name.casefold() in found]
        if names:
            text = raw[found[names[0].casefold()]].str.strip_chars()
            columns.append(_typed(text, column.date_forms, column.type).alias(column.name))
    if not columns:
        raise InputRejected(
            "pseudonym/no-columns",
            "The file has no column of the contract.",
            remedy="Name the dataset that the file belongs to, or mend the header row.",
        )
    return pl.DataFrame(columns)


def _typed(text: pl.Series, date_forms: tuple[str, ...], kind: str) -> pl.Series:
    if kind != "date":
        return text
    frame = text.alias("text").to_frame()
    forms = [pl.col("text").str.to_date(form, strict=False) for form in date_forms]
    return frame.select(pl.coalesce(forms)).to_series()
