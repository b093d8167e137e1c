"""The check in the browser comes to the gateway's own verdict, or says that it gives none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import policy
from gateway.adapters.policy_folder import read_policies
from gateway.model import Contract
from gateway.policy import Bundle
from gateway.web.page_rules import page_rules
from tests.bad_input.police_extract import POLICE
from tests.bad_input.test_files import REJECTED, VALUES, changed
from tests.journeys.office import REPOSITORY
from tests.web.faulty_files import faulty
from tests.web.prechecking import InBrowser, in_browser, of_gateway

BUNDLE = policy.load(read_policies(REPOSITORY / "policies"))[0]
FILES = int(os.environ.get("PRECHECK_FILES", "24"))
FIRST_SEED = int(os.environ.get("PRECHECK_SEED", "1"))

WIDE = replace(
    POLICE,
    id="wide",
    encodings=("utf-8", "latin-1"),
    delimiter=";",
    population="residents",
    postcode_form="digits",
    columns=tuple(
        replace(column, date_forms=("%d-%b-%Y", "%d %b %Y", "%d.%m.%Y", "%Y%m%d"))
        if column.name in ("start", "dob")
        else replace(column, minimum=-5, maximum=5)
        if column.name == "count"
        else replace(column, minimum=None, maximum=None, tolerated=0.1)
        if column.name == "arrears"
        else replace(column, tolerated=0.4, required=False)
        if column.name in ("forename", "extract_date")
        else column
        for column in POLICE.columns
    ),
)
CONTRACTS = {**BUNDLE.contracts, "every-rule": POLICE, "wide": WIDE}


@pytest.fixture(scope="module")
def browser() -> Iterator[InBrowser]:
    with in_browser() as found:
        yield found


def known_names(bundle: Bundle) -> frozenset[str]:
    return frozenset(
        name
        for contract in bundle.contracts.values()
        for column in contract.columns
        for name in (column.name, *column.aliases)
    )


def compared(browser: InBrowser, contract: Contract, files: list[bytes]) -> list[str]:
    """Why the browser declined, file by file; "" where it gave the gateway's verdict."""
    told = browser.answers(page_rules(BUNDLE, contract), files)
    for number, (answer, octets) in enumerate(zip(told, files, strict=True)):
        if answer["kind"] == "verdict":
            expected = of_gateway(octets, contract, known=known_names(BUNDLE))
            assert answer["verdict"] == expected, (contract.id, number)
    return [answer.get("why", "") for answer in told]


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_faulty_file_gets_the_same_verdict_in_the_browser(browser: InBrowser, name: str) -> None:
    contract = CONTRACTS[name]
    files = [faulty(contract, FIRST_SEED + seed) for seed in range(FILES)]
    declined = compared(browser, contract, files)
    assert set(declined) <= {"", "header"}, declined
    assert declined.count("") > FILES / 2


def test_broken_files_of_every_kind_get_the_same_verdict(browser: InBrowser) -> None:
    cases = {
        name: octets for name, (octets, _, _) in REJECTED.items() if len(octets) < 11_000_000
    } | {name: changed(7, **changes) for name, (changes, _) in VALUES.items()}
    declined = compared(browser, POLICE, list(cases.values()))
    assert {name: why for name, why in zip(cases, declined, strict=True) if why} == {
        "a zip that is no workbook": "spreadsheet"
    }
