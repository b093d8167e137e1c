"""Who a row is about: one spelling for everyone (`std1`), and the match-keys made of it.

Source: docs/reference/pseudonyms.md; UK GDPR Art 4(5).
"""

from gateway.identity.identifiers import (
    nhs_number_valid,
    nino_valid,
    postcode_not_known,
    postcode_valid,
    upn_valid,
    uprn_valid,
)

__all__ = [
    "nhs_number_valid",
    "nino_valid",
    "postcode_not_known",
    "postcode_valid",
    "upn_valid",
    "uprn_valid",
]
