"""What the upload page needs to check a file before it is sent: rules, limits and words.

The rules are the contract's own, the limits the checker's, the words those of the
page of findings, so that the page can say no other thing than the gateway will.

Source: docs/reference/contracts.md, "In the browser"; docs/adr/0274.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.checker_blocks import LONGEST_CELL
from gateway.adapters.checker_source import KINDS, LONGEST_HEADER, SPREADSHEETS
from gateway.adapters.checker_stream import BLOCK_BYTES, LONGEST_RECORD
from gateway.intake import CODES, rule_document
from gateway.model import Contract
from gateway.policy import Bundle
from gateway.web.asking import form_of
from gateway.web.findings import VERDICTS, said

# Beyond these a page would be slow, or hold more memory than it should.
LARGEST: Final = 512 << 20
MOST_ROWS: Final = 5_000_000

# Why a page gives no verdict; the worker and the page know these by their names.
DECLINED: Final = {
    "spreadsheet": "This file is a spreadsheet. A browser can check plain CSV files only.",
    "large": f"This file is larger than {LARGEST >> 20} MB: too large to check in a browser.",
    "rows": f"This file has more than {MOST_ROWS:,} rows: too many to check in a browser.",
    "utf-16": "This file is UTF-16 text, which your browser would read in a way of its own.",
    "header": "The column names have letters that your browser may read otherwise than we do.",
    "doubt": "Your browser may read this file otherwise than we do.",
    "rules": "Not every rule of this dataset can be checked in a browser.",
    "unreadable": "Your browser could not read the file. Has it been moved or changed?",
    "failed": "The check in your browser did not work.",
}


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
