"""What may be wrong with an installation, found out without changing it.

Each examination looks at one thing and says whether it is well, what is wrong, and
how to mend it. Readiness is those without which no service may be given; the doctor
looks at all of them.

Source: security points 7, 11, 20, 22; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import datetime as dt

from gateway.adapters import schema
from gateway.adapters.database import Database
from gateway.adapters.examination import Examination, Found, Health, Patient
from gateway.adapters.examinations_data import (
    clock,
    data_directory,
    database,
    disk,
    keys,
    ledger,
    ledger_head,
    register,
    restored,
)
from gateway.adapters.examinations_held import (
    address,
    delivery_keys,
    extracts,
    packages_waiting,
    passphrase,
)
from gateway.adapters.examinations_office import (
    keys_given,
    machine,
    notices,
    packages_on_their_way,
    people,
    policies,
    recipients_duties,
    work,
)
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError

__all__ = ["EVERY", "READINESS", "Found", "Health", "examine"]


def examine(
    settings: Settings, *, at: dt.datetime, only: tuple[Examination, ...] = ()
) -> list[Found]:
    """Examine an installation; a fault of one examination is its finding and stops no other.

    Args:
        settings: of the installation.
        at: now.
        only: the examinations wanted; all when empty.
    """
    try:
        schema.require_there(settings)
        patient = Patient(settings, Database(settings.database_url), open_ring(settings), at)
    except GatewayError as fault:
        return [_fault("installation", fault)]
    found: list[Found] = []
    try:
        for examination in only or EVERY:
            found += _examined(examination, patient)
    finally:
        patient.database.close()
    return found


def _examined(examination: Examination, patient: Patient) -> list[Found]:
    try:
        return list(examination(patient))
    except GatewayError as fault:
        return [_fault(examination.__name__.replace("_", " "), fault)]


def _fault(subject: str, fault: GatewayError) -> Found:
    sentence = f"{fault.sentence} [{fault.code}]"
    return Found(subject=subject, health=Health.ILL, sentence=sentence, remedy=fault.remedy)


READINESS: tuple[Examination, ...] = (
    disk,
    restored,
    database,
    keys,
    keys_given,
    ledger_head,
    clock,
    register,
    policies,
)
EVERY: tuple[Examination, ...] = (
    data_directory,
    disk,
    restored,
    database,
    keys,
    passphrase,
    ledger,
    clock,
    register,
    extracts,
    policies,
    people,
    work,
    notices,
    packages_waiting,
    delivery_keys,
    address,
    packages_on_their_way,
    recipients_duties,
    machine,
)
