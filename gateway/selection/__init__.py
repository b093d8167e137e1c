"""The cohort: the people that the purpose is about, and the columns the Plan names.

The unit of a release is the person of the spine. Blocks are read as they are
stored, only the needed columns; whole families are scattered over partitions
that fit in memory. A join that would multiply the spine refuses: a person is
never sent twice because a partner's file held them twice.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "A purpose".
"""

from gateway.selection.choosing import alike, for_version, select
from gateway.selection.finding import FOUND_BY, find_one
from gateway.selection.identities import kinds_of
from gateway.selection.sources import Replaced, Source, StoredColumns, of_another_contract
from gateway.selection.spine import cohort_filter

__all__ = [
    "FOUND_BY",
    "Replaced",
    "Source",
    "StoredColumns",
    "alike",
    "cohort_filter",
    "find_one",
    "for_version",
    "kinds_of",
    "of_another_contract",
    "select",
]
