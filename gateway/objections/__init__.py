"""Who has said no, and what follows: the register of objections, opt-outs and consents.

Source: UK GDPR Arts 7(3), 21; security point 16; docs/explanation/objections.md.
"""

from gateway.objections.compare import compare, incomparable, merge_hits
from gateway.objections.details import (
    FIELDS,
    many_identities,
    one_identity,
    standard_form,
)
from gateway.objections.entries import (
    ANY_PURPOSE,
    EFFECTS,
    ENTRY_SCHEMA,
    LIFTS,
    LOOSENING,
    MAY_LOOSEN,
    WITHDRAWAL,
    Authority,
    EntryKind,
    Status,
    in_force,
)
from gateway.objections.honour import honour, resolution_of
from gateway.objections.household import household_effect
from gateway.objections.lifting import entries_lifted
from gateway.objections.register import (
    DETAIL_ROLES,
    TOMBSTONE_SCHEMA,
    Register,
    details_contract,
    elements_compared,
    empty_register,
)
from gateway.objections.resolve import Resolution, decide, resolve
from gateway.objections.tombstones import tombstones_of

__all__ = [
    "ANY_PURPOSE",
    "DETAIL_ROLES",
    "EFFECTS",
    "ENTRY_SCHEMA",
    "FIELDS",
    "LIFTS",
    "LOOSENING",
    "MAY_LOOSEN",
    "TOMBSTONE_SCHEMA",
    "WITHDRAWAL",
    "Authority",
    "EntryKind",
    "Register",
    "Resolution",
    "Status",
    "compare",
    "decide",
    "details_contract",
    "elements_compared",
    "empty_register",
    "entries_lifted",
    "honour",
    "household_effect",
    "in_force",
    "incomparable",
    "many_identities",
    "merge_hits",
    "one_identity",
    "resolution_of",
    "resolve",
    "standard_form",
    "tombstones_of",
]
