"""Who a row is about: one spelling for everyone (`std1`), and the match-keys made of it.

Source: docs/reference/pseudonyms.md; UK GDPR Art 4(5).
"""

from gateway.identity.derivation import (
    PseudonymKey,
    TokenKey,
    TombstoneKey,
    check_value,
    pseudonym_key,
    study_token_key,
    tombstone_key,
)
from gateway.identity.identifiers import (
    nhs_number_valid,
    nino_valid,
    postcode_not_known,
    postcode_valid,
    upn_valid,
    uprn_valid,
)
from gateway.identity.match_keys import (
    alias_elements,
    component_columns,
    person_of,
    pseudonyms,
    token_columns,
    token_names,
    token_texts,
    tokens,
)
from gateway.identity.names import familiar, name_parts
from gateway.identity.standardise import standardise
from gateway.identity.unkept import UNKEPT, name_columns, unkept_columns
from gateway.model.roots import ControllerRoot, RegisterRoot, StudyRoot
from gateway.model.shipped import table_digests

__all__ = [
    "UNKEPT",
    "ControllerRoot",
    "PseudonymKey",
    "RegisterRoot",
    "StudyRoot",
    "TokenKey",
    "TombstoneKey",
    "alias_elements",
    "check_value",
    "component_columns",
    "familiar",
    "name_columns",
    "name_parts",
    "nhs_number_valid",
    "nino_valid",
    "person_of",
    "postcode_not_known",
    "postcode_valid",
    "pseudonym_key",
    "pseudonyms",
    "standardise",
    "study_token_key",
    "table_digests",
    "token_columns",
    "token_names",
    "token_texts",
    "tokens",
    "tombstone_key",
    "unkept_columns",
    "upn_valid",
    "uprn_valid",
]
