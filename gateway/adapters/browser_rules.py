"""What a browser needs of the checker to check a file before it is sent: rules and limits.

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


def browser_rules(bundle: Bundle, contract: Contract) -> dict[str, Any]:
    """The rules of one contract with the checker's limits, as JSON types.

    `words` are the sentence and remedy of every finding, as the checker has them, and the
    remedy for a column that may not be empty.
    """
    return {
        **rule_document(contract, contracts=bundle.contracts.values()),
        "kinds": [[magic.hex(), word] for magic, word in KINDS],
        "spreadsheets": [magic.hex() for magic in SPREADSHEETS],
        "limits": {
            "block": BLOCK_BYTES,
            "record": LONGEST_RECORD,
            "header": LONGEST_HEADER,
            "cell": LONGEST_CELL,
        },
        "words": {
            code: [told.sentence, told.remedy, told.remedy_if_required]
            for code, told in CODES.items()
        },
    }
