"""The words of the field, each once: classes, roles, rules and states.

Source: docs/reference/glossary.md; ISO 25237; UK GDPR Arts 4, 7, 9, 10, 21.
"""

from __future__ import annotations

from enum import StrEnum


class FieldClass(StrEnum):
    """What a field can do to a person if it meets the wrong eyes."""

    DIRECT = "direct"
    KEY_VARIABLE = "key-variable"
    SPECIAL_CATEGORY = "special-category"
    CRIMINAL = "criminal"
    PLAIN = "plain"


class Role(StrEnum):
    """What part a column plays in saying who a row is about."""

    NHS_NUMBER = "nhs_number"
    UPN = "upn"
    NINO = "nino"
    FORENAME = "forename"
    MIDDLE_NAMES = "middle_names"
    SURNAME = "surname"
    FORMER_SURNAME = "former_surname"
    DATE_OF_BIRTH = "date_of_birth"
    SEX = "sex"
    POSTCODE = "postcode"
    HOUSE_NUMBER = "house_number"
    STREET = "street"
    TOWN = "town"
    UPRN = "uprn"
    PERSON_ID = "person_id"
    FAMILY_ID = "family_id"


class Participation(StrEnum):
    """By what right a person is in, or may leave, a sharing."""

    CONSENT = "consent"
    OPT_OUT = "opt-out"
    OBJECTION = "objection"
    STATUTORY = "statutory"


class Household(StrEnum):
    """Who leaves when one member of a family may not be shared."""

    DROP_PERSON = "drop-person"
    DROP_FAMILY = "drop-family"


class IdentifierForm(StrEnum):
    """In what form an output says who a row is about."""

    TOKENS = "tokens"
    SEALED_CLEAR = "sealed-clear"
    LINK_ID = "link-id"
    PSEUDONYM = "pseudonym"
    NONE = "none"


class OnSmallGroup(StrEnum):
    """What is done about a group of fewer families than the limit."""

    SUPPRESS = "suppress"
    COARSEN = "coarsen"
    REFUSE = "refuse"


class PurposeKind(StrEnum):
    """What a purpose lets out: rows, tables, an answer or one disclosure."""

    RECORDS = "records"
    TABLES = "tables"
    ANSWER = "answer"
    SINGLE_DISCLOSURE = "single-disclosure"


class PartyRole(StrEnum):
    """Who may act: one role, one kind of act (design point 1)."""

    UPLOADER = "uploader"
    PRACTITIONER = "practitioner"
    ANALYST = "analyst"
    RELEASE_OFFICER = "release-officer"
    EDITOR = "editor"
    APPROVER = "approver"
    CUSTODIAN = "custodian"
    RIGHTS_OFFICER = "rights-officer"
    AUDITOR = "auditor"
    DATA_PROTECTION_OFFICER = "data-protection-officer"
    RECIPIENT = "recipient"
    ADMINISTRATOR = "administrator"


class Withheld(StrEnum):
    """Why a person of the cohort is not in what left (conservation)."""

    NO_CONSENT = "no-consent"
    OPTED_OUT = "opted-out"
    OBJECTED = "objected"
    DOUBTFUL_MATCH = "doubtful-match"
    HOUSEHOLD = "household"
    NO_LONGER_ELIGIBLE = "no-longer-eligible"
    SMALL_GROUP = "small-group"
    BETWEEN_RELEASES = "between-releases"
