"""What a release says of entries that can match nobody here, or only by the letters of a name."""

from __future__ import annotations

import pytest

from gateway.adapters.share_people import without_effect
from gateway.model import Contract, ContractColumn, Role
from tests.rooms.test_objections_scripts import person, register_with

BIRTH = {"date_of_birth": "2001-02-13"}
NUMBER = {"nhs_number": "9990000018"}


def contract(*roles: Role) -> Contract:
    columns = tuple(
        ContractColumn(name=role.value, field=role.value, type="text", role=role) for role in roles
    )
    return Contract(id="spine", title="Spine", version=1, parties=(), columns=columns)


NAMES = (Role.FORENAME, Role.SURNAME)


@pytest.mark.parametrize(
    ("entry", "roles", "said"),
    [
        (person(None, None, **NUMBER), NAMES, "tell only numbers"),
        (person("Анна", "Иванов"), NAMES, "not in Latin letters"),
        (person(None, "Test"), NAMES, "a placeholder"),
        (person("Анна", "Иванов", **BIRTH), NAMES, "not in Latin letters"),
        (person("Анна", "Иванов", **NUMBER), NAMES, "not in Latin letters"),
        (person("Anna", "Quill"), (Role.DATE_OF_BIRTH,), "tell nothing that this extract holds"),
        (person("Анна", "Иванов"), (Role.UPN,), "tell nothing that this extract holds"),
    ],
)
def test_entries_that_cannot_be_compared_are_told_of(entry, roles, said) -> None:
    (warning,) = without_effect(register_with(entry), contract(*roles))
    assert warning.startswith("1 entries")
    assert said in warning
    assert "Анна" not in warning


@pytest.mark.parametrize(
    ("entry", "roles"),
    [
        (person("Anna", "Quill"), NAMES),
        (person("Анна", "Иванов", **BIRTH), (*NAMES, Role.DATE_OF_BIRTH)),
        (person("Анна", "Иванов", **NUMBER), (*NAMES, Role.NHS_NUMBER)),
        (person("Anna", "Иванов"), NAMES),
    ],
)
def test_entries_that_are_compared_are_not(entry, roles) -> None:
    assert without_effect(register_with(entry), contract(*roles)) == ()
