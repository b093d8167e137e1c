"""Words only: identifiers, classes, the Plan. No behaviour, no columns, no I/O."""

from gateway.model.contract import Contract, ContractColumn, RowRule
from gateway.model.plan import (
    CohortRule,
    ColumnRule,
    JoinRule,
    KeyUse,
    Limits,
    OutputPlan,
    Plan,
    Reason,
    RecipientRef,
    Refusal,
    SharingRequest,
)
from gateway.model.words import (
    FieldClass,
    Household,
    IdentifierForm,
    OnSmallGroup,
    Participation,
    PartyRole,
    PurposeKind,
    Role,
    Withheld,
)

__all__ = [
    "CohortRule",
    "ColumnRule",
    "Contract",
    "ContractColumn",
    "FieldClass",
    "Household",
    "IdentifierForm",
    "JoinRule",
    "KeyUse",
    "Limits",
    "OnSmallGroup",
    "OutputPlan",
    "Participation",
    "PartyRole",
    "Plan",
    "PurposeKind",
    "Reason",
    "RecipientRef",
    "Refusal",
    "Role",
    "RowRule",
    "SharingRequest",
    "Withheld",
]
