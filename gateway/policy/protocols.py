"""An overarching protocol: what every agreement under it keeps, and who takes part at all.

Partners sign one protocol (tier 1) and, under it, one agreement for each purpose
(tier 2). A protocol permits nothing. It ends what stands under it when it ends,
forbids beneath it what it forbids, and nobody outside it receives anything.

Source: docs/reference/policy.md, "Protocols"; Warrington Information Sharing Framework.
"""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from gateway.policy.agreements import Prohibition
from gateway.policy.shapes import Document, Id, Sentence, Some, Word


class Protocol(Document):
    """`policies/protocols/*.toml`."""

    id: Id
    title: Sentence
    version: int = Field(ge=1, le=1_000_000)
    parties: Some[Id]
    starts: dt.date
    review: dt.date
    ends: dt.date
    contact: Sentence
    prohibitions: dict[Word, Prohibition] = Field(default_factory=dict)
