"""What of a cohort is read for the register: enough that no likeness is missed."""

import polars as pl
import pytest

from gateway.identity import UNKEPT, TombstoneKey
from gateway.model.tokens import ELEMENTS
from gateway.objections.entries import ENTRY_SCHEMA
from gateway.objections.register import Register, elements_compared, empty_register
from gateway.objections.tombstones import tombstones_of


def register(**told):
    key = TombstoneKey(bytes(range(32)))
    identities = pl.DataFrame({"sequence": [1], **{name: [value] for name, value in told.items()}})
    return Register(
        entries=pl.DataFrame(schema=dict(ENTRY_SCHEMA)),
        tombstones=tombstones_of(identities, key),
        identities=identities,
        key=key,
        sequence=1,
    )


def test_an_empty_register_needs_nothing():
    assert elements_compared(empty_register()) == ()


def test_national_numbers_alone_need_only_national_numbers():
    assert elements_compared(register(nhs="9990000018")) == ("nhs",)


@pytest.mark.parametrize("element", ["fn1", "sn1", "dob", "pc"])
def test_any_other_detail_needs_every_element_because_likeness_looks_across(element):
    assert elements_compared(register(nhs="9990000018", **{element: "PAUL"})) == (*ELEMENTS, UNKEPT)
