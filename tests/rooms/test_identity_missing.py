"""A missing identifier is neither valid nor invalid."""

import polars as pl
import pytest

from gateway import identity


@pytest.mark.parametrize(
    "valid",
    [
        identity.upn_valid("n"),
        identity.nhs_number_valid("n", synthetic=True),
        identity.nhs_number_valid("n", synthetic=False),
        identity.nino_valid("n", synthetic=True),
        identity.postcode_valid("n"),
        identity.uprn_valid("n"),
    ],
)
def test_a_missing_identifier_is_neither_valid_nor_invalid(valid):
    frame = pl.DataFrame({"n": [None, "not one"]}, schema={"n": pl.String})
    assert frame.select(valid).to_series().to_list() == [None, False]
