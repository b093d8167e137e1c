"""Secure-mail domains that are no more: an address of one is refused wherever one is given.

Source: GOV.UK, securing government email: gcsx, gsx, gsi and gse were closed on 2019-03-31.
"""

from __future__ import annotations

import re

_RETIRED = re.compile(r"[@.](gcsx|gsx|gsi|gse)\.(?:[a-z0-9-]+\.)*gov\.uk\b", re.IGNORECASE)


def retired_in(text: str) -> frozenset[str]:
    """The retired domains that a text names."""
    return frozenset(found.lower() for found in _RETIRED.findall(text))
