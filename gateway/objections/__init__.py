"""Who has said no, and what follows: the register of objections, opt-outs and consents.

Source: UK GDPR Arts 7(3), 21; security point 16; docs/explanation/objections.md.
"""

from gateway.model.urgent import FIELDS
from gateway.objections.compare import compare, incomparable, merge_hits
from gateway.objections.details import (
    many_identities,
    one_identity,
    standard_form,
)
from gateway.objections.entries import (
    ANSWERS,
    ANY_PURPOSE,
    COMPARED,
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
from gateway.objections.honour import for_version, honour, overridden, resolution_of
from gateway.objections.household import alike, household_effect
from gateway.objections.lifting import entries_lifted
from gateway.objections.loosening import require_may_loosen
from gateway.objections.matching import (
    SETTLED_SCHEMA,
    match_id,
    no_settlements,
    references,
)
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
    "ANSWERS",
    "ANY_PURPOSE",
    "COMPARED",
    "DETAIL_ROLES",
    "EFFECTS",
    "ENTRY_SCHEMA",
    "FIELDS",
    "LIFTS",
    "LOOSENING",
    "MAY_LOOSEN",
    "SETTLED_SCHEMA",
    "TOMBSTONE_SCHEMA",
    "WITHDRAWAL",
    "Authority",
    "EntryKind",
    "Register",
    "Resolution",
    "Status",
    "alike",
    "compare",
    "decide",
    "details_contract",
    "elements_compared",
    "empty_register",
    "entries_lifted",
    "for_version",
    "honour",
    "household_effect",
    "in_force",
    "incomparable",
    "many_identities",
    "match_id",
    "merge_hits",
    "no_settlements",
    "one_identity",
    "overridden",
    "references",
    "require_may_loosen",
    "resolution_of",
    "resolve",
    "standard_form",
    "tombstones_of",
]
