"""What is typed with an urgent disclosure: whom it is about, the risk, and who is reached.

Source: requirement R29; docs/adr/0299-what-is-typed-is-sealed-on-its-way-in.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# What may be told about a person, in the order in which it is asked.
FIELDS: Final = (
    "forename",
    "middle_names",
    "surname",
    "former_surname",
    "date_of_birth",
    "sex",
    "postcode",
    "house_number",
    "street",
    "town",
    "uprn",
    "nhs_number",
    "upn",
    "nino",
)
# The dataset of the policy that is typed and never received.
TYPED: Final = "urgent_disclosure"
LONGEST: Final[Mapping[str, int]] = {"risk_statement": 500, "contact_route": 200}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who it is about and what the recipient has to know; sealed wherever it is kept."""

    details: Mapping[str, str] = field(repr=False)
    risk_statement: str = field(repr=False)
    contact_route: str = field(repr=False)

    def written(self) -> bytes:
        """As it is sealed."""
        told = {"details": dict(self.details), "risk_statement": self.risk_statement}
        return json.dumps(told | {"contact_route": self.contact_route}).encode()
