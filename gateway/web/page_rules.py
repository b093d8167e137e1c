"""What the upload page needs to check a file before it is sent: rules, limits and words.

The rules are the contract's own, the limits the checker's, the words those of the
page of findings, so that the page can say no other thing than the gateway will.

Source: docs/reference/contracts.md, "In the browser"; docs/adr/0274.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.checker_blocks import LONGEST_CELL
from gateway.adapters.checker_source import KINDS, LONGEST_HEADER, SPREADSHEETS
from gateway.adapters.checker_stream import BLOCK_BYTES, LONGEST_RECORD
from gateway.intake import CODES, rule_document
from gateway.model import Contract
from gateway.policy import Bundle
from gateway.web.asking import form_of
from gateway.web.findings import VERDICTS, said
from gateway.web.precheck_words import LARGEST, MOST_ROWS


def page_rules(bundle: Bundle, contract: Contract) -> dict[str, Any]:
    """Give the document that the page's check reads, as JSON types."""
    return {
        **rule_document(contract, known=_names(bundle)),
        "kinds": [[magic.hex(), word] for magic, word in KINDS],
        "spreadsheets": [magic.hex() for magic in SPREADSHEETS],
        "limits": {
            "block": BLOCK_BYTES,
            "record": LONGEST_RECORD,
            "header": LONGEST_HEADER,
            "cell": LONGEST_CELL,
            "bytes": LARGEST,
            "rows": MOST_ROWS,
        },
        "words": {code: [said(told.sentence), told.remedy] for code, told in CODES.items()},
        "verdicts": sorted(VERDICTS),
        "agreed": {column.name: form_of(column) for column in contract.columns},
    }


def _names(bundle: Bundle) -> frozenset[str]:
    return frozenset(
        name
        for contract in bundle.contracts.values()
        for column in contract.columns
        for name in (column.name, *column.aliases)
    )
