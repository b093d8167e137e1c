"""Only the minimum necessary leaves: permitted columns, as coarse as agreed.

Every column of an output is one `ColumnRule` of the Plan; nothing else passes.
The result has two disjoint groups: the payload, treated, and the linkage
components, exactly those that the Plan's tokens name. An identifier that no
token needs does not go on.

Source: UK GDPR Art 5(1)(c), Art 25; privacy notices, "only the minimum
necessary information is shared"; docs/reference/policy.md, "Treatments".
"""

from gateway.minimise.keeping import Masking, linkage_elements, minimise
from gateway.minimise.treatments import (
    AGE_STEPS,
    DATE_STEPS,
    POSTCODE_STEPS,
    coarser,
    treat,
    treated,
)

__all__ = [
    "AGE_STEPS",
    "DATE_STEPS",
    "POSTCODE_STEPS",
    "Masking",
    "coarser",
    "linkage_elements",
    "minimise",
    "treat",
    "treated",
]
