"""Why the upload page gives no verdict on a file before it is sent.

Source: docs/reference/contracts.md, "In the browser"; docs/adr/0274.
"""

from __future__ import annotations

from typing import Final

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
